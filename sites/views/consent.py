"""Enrolment, the consent as it stands, further consents and withdrawals."""

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from pallsoft.accounts.request import AuthenticatedRequest
from sites import services
from sites.consent_forms import ConsentForm, EnrolForm
from sites.forms import WithdrawForm
from sites.models import ScreeningEntry, Site, Subject
from sites.permissions import Permission, has_permission
from sites.selectors import LookAlike, consents_of, option_label, pending_entry, site_for, subject_for
from sites.services.consent import LookAlikesFound
from sites.submitting import submitted
from sites.views.forms import consent_form_page


@require_http_methods(["GET", "HEAD", "POST"])
def enrol(request: AuthenticatedRequest, study_oid: str, code: str) -> HttpResponse:
    """The consent of a new person; `?entry=` links the line of the screening log."""
    site = site_for(request.user, study_oid, code, Permission.RECORD_CONSENT)
    entry = pending_entry(site, request.GET.get("entry", ""))
    form = EnrolForm(request.POST or None, site=site)
    found: list[LookAlike] = []
    try:
        subject = submitted(form, lambda: _enrol(site, entry, form, request))
    except LookAlikesFound as refusal:
        subject, found = None, refusal.found
        form.ask_about(found)
    if subject:
        messages.success(request, _("%(number)s is the subject's number from now on.") % {"number": subject.number})
        return redirect("consent", study_oid=study_oid, number=subject.number)
    context = {"study": site.study, "site": site, "form": form, "found": found, "entry": entry}
    return render(request, "sites/enrol.html", context, status=422 if form.errors else 409 if found else 200)


@require_safe
def consent_page(request: AuthenticatedRequest, study_oid: str, number: str) -> HttpResponse:
    """What was signed, read back, with each option and its withdrawal."""
    subject = subject_for(request.user, study_oid, number)
    may_record = has_permission(request.user, Permission.RECORD_CONSENT, subject.study, subject.site)
    context = {
        "study": subject.study,
        "subject": subject,
        "consents": consents_of(subject),
        "may_record": may_record,
    }
    return render(request, "sites/consent.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def further_consent(request: AuthenticatedRequest, study_oid: str, number: str) -> HttpResponse:
    subject = subject_for(request.user, study_oid, number, Permission.RECORD_CONSENT)
    form = ConsentForm(request.POST or None, site=subject.site)
    if submitted(form, lambda: services.record_consent(subject=subject, consent=form.consent(), by=request.user)):
        messages.success(request, _("The consent is saved."))
        return redirect("consent", study_oid=study_oid, number=number)
    title = _("A further consent of %(number)s") % {"number": number}
    return consent_form_page(request, form, subject, title, _("Save the consent"))


@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: AuthenticatedRequest, study_oid: str, number: str, option_id: uuid.UUID) -> HttpResponse:
    subject = subject_for(request.user, study_oid, number, Permission.RECORD_CONSENT)
    option = get_object_or_404(subject.consent_options.select_related("consent", "subject__site"), pk=option_id)
    form = WithdrawForm(request.POST or None, timezone=subject.site.timezone)
    if submitted(
        form,
        lambda: services.withdraw_consent_option(
            option=option,
            withdrawn_at=form.cleaned_data["withdrawn_at"],
            by=request.user,
            reason=form.cleaned_data["reason"],
        ),
    ):
        messages.success(request, _("The withdrawal is saved."))
        return redirect("consent", study_oid=study_oid, number=number)
    title = _("Withdraw a consent of %(number)s: %(option)s") % {
        "number": number,
        "option": option_label(subject, option.option),
    }
    return consent_form_page(request, form, subject, title, _("Save the withdrawal"))


def _enrol(site: Site, entry: ScreeningEntry | None, form: EnrolForm, request: AuthenticatedRequest) -> Subject:
    answers = form.cleaned_data
    return services.enrol_subject(
        site=site,
        birth_year=answers["birth_year"],
        sex=answers["sex"],
        adult_at_consent=answers["adult_at_consent"],
        consent=form.consent(),
        seen=form.seen_labels(),
        screening_entry=entry,
        key=answers["key"],
        by=request.user,
    )
