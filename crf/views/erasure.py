"""A participant's wish to be erased: what goes, what stays, which files still hold it; two persons confirm (S18)."""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from crf.answers import SubjectAnswers
from crf.participation_forms import ConfirmErasureForm
from crf.selectors.strip import strip_for
from pallsoft.accounts.request import AuthenticatedRequest
from sites import services
from sites.erasing import held_by
from sites.forms import ReasonForm
from sites.models import Erasure, Subject
from sites.participation import participation_of
from sites.permissions import Permission, has_permission, require
from sites.selectors import definition_at, subject_for
from sites.services.holding import setting_at
from sites.submitting import submitted

BACKUP_DAYS = "backup_days"  # setting of a definition


@require_http_methods(["GET", "HEAD", "POST"])
def erasure_page(request: AuthenticatedRequest, study_oid: str, number: str) -> HttpResponse:
    """POST `act`: confirm | decline | request."""
    subject = subject_for(request.user, study_oid, number)
    if request.method == "POST" and request.POST.get("act") == "request":
        return _request(request, subject)
    wish = participation_of(subject).erasure
    if wish is None:
        raise Http404
    if request.method == "POST":
        require(request.user, Permission.ERASE, subject.study, subject.site)
    confirming = request.POST.get("act") == "confirm"
    first = wish.first_confirmed_by_id is None
    form = ConfirmErasureForm(request.POST if confirming else None, subject=subject, first=first)
    decline = ReasonForm(request.POST if request.POST.get("act") == "decline" else None)
    done = _confirm(request, wish, form) if confirming else _decline(request, wish, decline)
    if done:
        messages.success(request, done)
        return redirect(request.path if confirming else "participation", *([] if confirming else [study_oid, number]))
    context = _context(request, subject, wish) | {"form": form, "decline_form": decline}
    with timezone.override(subject.site.timezone):
        return render(request, "crf/erasure.html", context, status=422 if form.errors or decline.errors else 200)


def _request(request: AuthenticatedRequest, subject: Subject) -> HttpResponse:
    services.request_erasure(subject=subject, by=request.user)
    messages.success(request, _("The wish is recorded. Two persons of the trial's office decide on it."))
    return redirect("participation", subject.study.oid, subject.number)


def _confirm(request: AuthenticatedRequest, wish: Erasure, form: ConfirmErasureForm) -> str:
    def act() -> Erasure:
        exceptions = form.cleaned_data.get("exceptions", "")
        return services.confirm_erasure(erasure=wish, exceptions=exceptions, by=request.user)

    done = submitted(form, act)
    if done is None:
        return ""
    return _("The data are erased.") if done.erased_at else _("You have confirmed. Another person confirms it too.")


def _decline(request: AuthenticatedRequest, wish: Erasure, form: ReasonForm) -> str:
    def act() -> Erasure:
        return services.decline_erasure(erasure=wish, by=request.user, **form.cleaned_data)

    return _("It is recorded that the data are not erased.") if submitted(form, act) else ""


def _context(request: AuthenticatedRequest, subject: Subject, wish: Erasure) -> dict[str, Any]:
    days = setting_at(subject, BACKUP_DAYS, 0)
    may = has_permission(request.user, Permission.ERASE, subject.study, subject.site)
    return {
        "study": subject.study,
        "subject": subject,
        "strip": strip_for(SubjectAnswers(subject, definition_at(subject.site)), request.user),
        "wish": wish,
        "may_confirm": may and not wish.erased_at and wish.first_confirmed_by_id != request.user.pk,
        "may_decline": may and not wish.erased_at,
        "files": wish.held_by if wish.erased_at else held_by(subject),
        "backup_days": days,
        "backups_until": wish.erased_at + timedelta(days=days) if wish.erased_at else None,
    }
