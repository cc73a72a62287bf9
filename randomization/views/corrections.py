"""Corrections of what a randomisation was made with: asked for at the site, decided by the coordinator (S13, S14)."""

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from pallsoft.accounts.request import AuthenticatedRequest
from randomization import services
from randomization.corrections import correctable, corrections_of, shown_corrections
from randomization.forms import CorrectionForm
from randomization.views.strip import strip_of
from sites.permissions import Permission, has_permission, require
from sites.selectors import subject_for
from sites.submitting import submitted


@require_http_methods(["GET", "HEAD", "POST"])
def corrections_page(request: AuthenticatedRequest, study_oid: str, number: str) -> HttpResponse:
    """As randomised beside as it truly was; the principal investigator can ask for a correction here."""
    subject = subject_for(request.user, study_oid, number)
    if request.method == "POST":
        require(request.user, Permission.REQUEST_CORRECTION, subject.study, subject.site)
    choices = correctable(subject)
    form = CorrectionForm(request.POST or None, choices=choices)
    if submitted(form, lambda: services.request_correction(subject=subject, by=request.user, **form.facts())):
        messages.success(request, _("The correction waits for the coordinator. The allocation stays as it is."))
        return redirect("corrections", study_oid=study_oid, number=number)
    where = subject.study, subject.site
    context = {
        "study": subject.study,
        "subject": subject,
        "strip": strip_of(request.user, subject),
        "choices": choices,
        "requests": shown_corrections(subject, choices),
        "form": form,
        "may_request": bool(choices) and has_permission(request.user, Permission.REQUEST_CORRECTION, *where),
        "may_decide": has_permission(request.user, Permission.CONFIRM_CORRECTION, *where),
    }
    return render(request, "randomization/corrections.html", context, status=422 if form.errors else 200)


@require_POST
def decide(request: AuthenticatedRequest, study_oid: str, number: str, correction_id: uuid.UUID) -> HttpResponse:
    """The coordinator's yes or no."""
    subject = subject_for(request.user, study_oid, number, Permission.CONFIRM_CORRECTION)
    correction = get_object_or_404(corrections_of(subject), pk=correction_id)
    confirmed = request.POST.get("decision") == "confirm"
    services.decide_correction(correction=correction, confirmed=confirmed, by=request.user)
    messages.success(request, _("The correction is confirmed.") if confirmed else _("The correction is declined."))
    return redirect("corrections", study_oid=study_oid, number=number)
