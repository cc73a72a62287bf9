"""Late entries of telephone randomisations, and the list holder's page."""

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from pallsoft.accounts.request import AuthenticatedRequest
from randomization import services
from randomization.forms import ConfirmLateForm, LateForm
from randomization.selectors import late_entries, misstratified, schemes_of
from sites.permissions import Permission
from sites.selectors import study_for, subject_for
from sites.submitting import submitted
from sites.views.forms import form_page


@require_http_methods(["GET", "HEAD", "POST"])
def report_late(request: AuthenticatedRequest, study_oid: str, number: str) -> HttpResponse:
    """The site tells of a randomisation by telephone; the list holder confirms it."""
    subject = subject_for(request.user, study_oid, number, Permission.RANDOMIZE)
    form = LateForm(request.POST or None, timezone=subject.site.timezone)
    if submitted(
        form,
        lambda: services.report_late(
            subject=subject,
            happened_at=form.cleaned_data["happened_at"],
            reason=form.cleaned_data["reason"],
            by=request.user,
        ),
    ):
        messages.success(request, _("The list holder will confirm the telephone randomisation."))
        return redirect("subject", study_oid=study_oid, number=number)
    return form_page(
        request,
        form,
        study=subject.study,
        title=_("%(number)s was randomised by telephone") % {"number": number},
        lead=_("Only when the system was down and the fallback list was used. Two persons enter it."),
        action=_("Tell the list holder"),
        back="randomize",
        back_number=number,
    )


@require_safe
def lists_page(request: AuthenticatedRequest, study_oid: str) -> HttpResponse:
    """For list holders: imported lists with their commitments, late entries to confirm, wrongly stratified subjects."""
    study = study_for(request.user, study_oid, Permission.HOLD_LIST)
    context = {
        "study": study,
        "schemes": schemes_of(study),
        "entries": late_entries(study),
        "misstratified": misstratified(study),
    }
    return render(request, "randomization/lists.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def confirm_late(request: AuthenticatedRequest, study_oid: str, entry_id: uuid.UUID) -> HttpResponse:
    """The list holder gives the number of the slot that was read out; it must be the next of its stratum."""
    study = study_for(request.user, study_oid, Permission.HOLD_LIST)
    entry = get_object_or_404(late_entries(study), pk=entry_id)
    form = ConfirmLateForm(request.POST or None)
    if submitted(
        form,
        lambda: services.confirm_late(entry=entry, position=form.cleaned_data["position"], by=request.user),
    ):
        messages.success(request, _("%(number)s is randomised from the fallback list.") % {"number": entry.subject})
        return redirect("randomization-lists", study_oid=study_oid)
    return form_page(
        request,
        form,
        study=study,
        title=_("Confirm the telephone randomisation of %(number)s") % {"number": entry.subject},
        action=_("Confirm"),
        back="randomization-lists",
    )
