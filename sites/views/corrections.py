"""What was recorded wrongly at enrolment: the person's year of birth and sex, and the consent."""

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from pallsoft.accounts.request import AuthenticatedRequest
from sites import services
from sites.correction_forms import CorrectConsentForm, CorrectSubjectForm
from sites.permissions import Permission
from sites.selectors import subject_for
from sites.submitting import submitted
from sites.views.forms import consent_form_page


@require_http_methods(["GET", "HEAD", "POST"])
def correct_subject(request: AuthenticatedRequest, study_oid: str, number: str) -> HttpResponse:
    subject = subject_for(request.user, study_oid, number, Permission.RECORD_CONSENT)
    form = CorrectSubjectForm(request.POST or None, subject=subject)
    if submitted(form, lambda: services.correct_subject(subject=subject, by=request.user, **form.cleaned_data)):
        messages.success(request, _("The correction is saved."))
        return redirect("consent", study_oid=study_oid, number=number)
    title = _("Correct year of birth or sex of %(number)s") % {"number": number}
    lead = _("The earlier values stay in the history. A randomisation that has been made is not touched.")
    return consent_form_page(request, form, subject, title, _("Save the correction"), lead)


@require_http_methods(["GET", "HEAD", "POST"])
def correct_consent(request: AuthenticatedRequest, study_oid: str, number: str, consent_id: uuid.UUID) -> HttpResponse:
    subject = subject_for(request.user, study_oid, number, Permission.RECORD_CONSENT)
    consent = get_object_or_404(subject.consents.select_related("subject__site__study"), pk=consent_id)
    form = CorrectConsentForm(request.POST or None, consent=consent)
    if submitted(
        form,
        lambda: services.correct_consent(
            consent=consent, facts=form.consent(), by=request.user, reason=form.cleaned_data["reason"]
        ),
    ):
        messages.success(request, _("The correction is saved."))
        return redirect("consent", study_oid=study_oid, number=number)
    title = _("Correct a consent of %(number)s") % {"number": number}
    lead = _("For a wrong entry only. What was recorded before stays visible. A new signature is a new consent.")
    return consent_form_page(request, form, subject, title, _("Save the correction"), lead)
