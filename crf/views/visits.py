"""A visit: its forms, its date, and one click when it was not done."""

from collections.abc import Callable
from datetime import date
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from crf import services
from crf.answers import SubjectAnswers
from crf.entry import dates
from crf.entry.refusal import Refused
from crf.epro.links import may_issue
from crf.models import EventState, LockKind, StudyEvent
from crf.policies import can_change_event, standing_lock, visit_lock_words
from crf.selectors import signatures
from crf.selectors.crumbs import subject_crumb
from crf.selectors.loading import event_for
from crf.selectors.locks import CHIPS
from crf.selectors.matrix import visit_label, visit_of
from crf.selectors.place import standing
from crf.selectors.record_text import record_text
from crf.selectors.strip import strip_for
from crf.selectors.subject_page import unscheduled_of
from crf.selectors.visit import reasons_of
from crf.selectors.words import why_not_done
from pallsoft.accounts.request import AuthenticatedRequest
from pallsoft.errors import InvalidInput, NotAllowedNow
from sites.permissions import Permission, rights_at
from sites.selectors import definition_at, subject_for


@require_http_methods(["GET", "HEAD", "POST"])
def visit_page(request: AuthenticatedRequest, **address: Any) -> HttpResponse:
    """POST `act`: date | not-done | expected, with `happened_on` and `reason` as typed; `code`: a reason of the list.

    `from` = "subject": back to the subject's page.
    """
    event = event_for(request.user, **address)
    errors: list[dict[str, Any]] = []
    if request.method == "POST":
        try:
            _ACTS.get(request.POST.get("act", ""), _unknown)(request, event)
        except (InvalidInput, NotAllowedNow) as refusal:
            errors = [{"text": refusal.message}]
        else:
            return _back(request, event)
    return render(
        request, "crf/visit.html", _context(request, event) | {"errors": errors}, status=422 if errors else 200
    )


@require_http_methods(["GET", "HEAD", "POST"])
def add_visit(request: AuthenticatedRequest, study_oid: str, number: str) -> HttpResponse:
    """A visit that nobody planned: which, and on which day."""
    subject = subject_for(request.user, study_oid, number, Permission.ENTER_DATA)
    answers = SubjectAnswers(subject, definition_at(subject.site))
    kinds = unscheduled_of(answers.study)
    if not kinds:
        raise Http404
    errors: list[dict[str, Any]] = []
    if request.method == "POST":
        try:
            day = _typed_day(request)
            oid = request.POST.get("event_oid", kinds[0].oid if len(kinds) == 1 else "")
            event = services.add_unscheduled_visit(subject=subject, event_oid=oid, happened_on=day, by=request.user)
        except (InvalidInput, NotAllowedNow) as refusal:
            errors = [{"text": refusal.message}]
        else:
            messages.success(request, _("The visit is added."))
            return redirect("visit", study_oid, number, event.event_oid, event.ordinal)
    context = {
        "strip": strip_for(answers, request.user),
        "subject": subject,
        "kinds": kinds,
        "crumbs": [subject_crumb(subject), {"label": _("Unscheduled visit")}],
        "typed": request.POST,
        "errors": errors,
    }
    return render(request, "crf/add_visit.html", context, status=422 if errors else 200)


def _back(request: AuthenticatedRequest, event: StudyEvent) -> HttpResponse:
    """To where the act was done; what was marked in one click is told by name, so that a slip is seen at once."""
    study, told = definition_at(event.subject.site), standing(event)
    if told.state is EventState.NOT_DONE:
        words = {"visit": visit_label(event, study.event(event.event_oid)), "why": why_not_done(told, study)}
        messages.success(request, _("%(visit)s is marked as not done: %(why)s") % words)
    else:
        messages.success(request, _("The visit is saved."))
    if request.POST.get("from") == "subject":
        return redirect("subject", event.subject.study.oid, event.subject.number)
    return redirect(request.path)


def _context(request: AuthenticatedRequest, event: StudyEvent) -> dict[str, Any]:
    subject = event.subject
    answers = SubjectAnswers(subject, definition_at(subject.site))
    rights = rights_at(request.user, subject.study, subject.site)
    lock = standing_lock(event, "")
    visit = visit_of(answers, request.user, event)
    return {
        "strip": strip_for(answers, request.user),
        "visit": visit,
        "record_text": record_text(visit, answers) if Permission.ENTER_DATA in rights else "",
        "crumbs": [subject_crumb(subject), {"label": visit_label(event, answers.study.event(event.event_oid))}],
        "may_change": Permission.ENTER_DATA in rights and can_change_event(event),
        "may_issue": Permission.ENTER_DATA in rights and may_issue(event),
        "lock": CHIPS[LockKind(lock.kind)] if lock else "",
        "closed": visit_lock_words(lock) if lock else "",
        "may_lock": bool(rights & {Permission.FREEZE, Permission.CONFIRM_UNLOCK}),
        "typed": request.POST,
        "reasons": reasons_of(answers.study),
        "signing": signatures.of_visit(event, request.user),
    }


def _date(request: AuthenticatedRequest, event: StudyEvent) -> None:
    day = _typed_day(request)
    services.record_visit_date(event=event, happened_on=day, by=request.user, reason=_reason(request))


def _typed_day(request: AuthenticatedRequest) -> date:
    try:
        return dates.to_date(request.POST.get("happened_on", ""))
    except Refused as refusal:
        raise InvalidInput({"happened_on": [refusal.sentence]}) from None


def _not_done(request: AuthenticatedRequest, event: StudyEvent) -> None:
    services.mark_not_done(event=event, by=request.user, code=request.POST.get("code", ""), reason=_reason(request))


def _expected(request: AuthenticatedRequest, event: StudyEvent) -> None:
    services.clear_not_done(event=event, by=request.user, reason=_reason(request))


def _unknown(request: AuthenticatedRequest, event: StudyEvent) -> None:
    raise InvalidInput({"act": [_("Choose what to do with the visit.")]})


def _reason(request: AuthenticatedRequest) -> str:
    return request.POST.get("reason", "")


_ACTS: dict[str, Callable[[AuthenticatedRequest, StudyEvent], None]] = {
    "date": _date,
    "not-done": _not_done,
    "expected": _expected,
}
