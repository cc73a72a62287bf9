"""The criteria one by one, and the acts they lead to: confirm, screen failure, screen again."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from crf import services
from crf.selectors.crumbs import crumbs
from crf.selectors.eligibility import Eligibility, eligibility_of
from crf.selectors.matrix import visit_label
from crf.selectors.strip import strip_for
from crf.views.signature_box import Problem, problem_of, proof_by, signature_box
from pallsoft.accounts.request import AuthenticatedRequest
from pallsoft.errors import InvalidInput, NotAllowedNow
from sites.models import Subject, SubjectStatus, Task
from sites.permissions import Permission, has_permission, may_perform, require_task
from sites.selectors import subject_for


@require_http_methods(["GET", "HEAD", "POST"])
def eligibility_page(request: AuthenticatedRequest, study_oid: str, number: str) -> HttpResponse:
    """POST `act`: confirm | fail | again, `reason` as typed."""
    subject = subject_for(request.user, study_oid, number)
    problem = Problem()
    with timezone.override(subject.site.timezone):
        if request.method == "POST":
            try:
                messages.success(request, _act(request, subject))
                return redirect(request.path)
            except (InvalidInput, NotAllowedNow) as refusal:
                problem = problem_of(request, refusal)
        context = _context(request, eligibility_of(subject)) | signature_box(request, None, problem)
        return render(request, "crf/eligibility.html", context, status=422 if problem.errors else 200)


def _act(request: AuthenticatedRequest, subject: Subject) -> str:
    """Do what was asked for; returns the sentence that says so."""
    match request.POST.get("act"):
        case "confirm":
            require_task(request.user, Task.CONFIRM_ELIGIBILITY, subject.site)  # before a password is asked for
            proof_by(request)
            services.confirm_eligibility(subject=subject, by=request.user)
            return _("Eligibility is confirmed.")
        case "fail":
            services.record_screen_failure(subject=subject, by=request.user, reason=request.POST.get("reason", ""))
            return _("The subject is recorded as a screen failure.")
        case "again":
            services.start_screening_attempt(subject=subject, by=request.user)
            return _("A new screening attempt has begun under the same number.")
    raise InvalidInput({"act": [_("Choose what to do.")]})


def _context(request: AuthenticatedRequest, found: Eligibility) -> dict[str, Any]:
    subject = found.answers.subject
    may_enter = has_permission(request.user, Permission.ENTER_DATA, subject.study, subject.site)
    in_screening = subject.status == SubjectStatus.SCREENING
    return {
        "strip": strip_for(found.answers, request.user),
        "found": found,
        "criteria": [_criterion(found, verdict) for verdict in found.verdicts],
        "visit": visit_label(found.event, found.study.event(found.event.event_oid)),
        "crumbs": crumbs(found.event, found.study, _("Eligibility")),
        "may_confirm": in_screening and may_perform(request.user, Task.CONFIRM_ELIGIBILITY, subject.site),
        "may_fail": in_screening and may_enter,
        "may_screen_again": subject.status == SubjectStatus.SCREEN_FAILURE and may_enter,
        "reason": request.POST.get("reason", ""),
    }


def _criterion(found: Eligibility, verdict: Any) -> dict[str, Any]:
    answer = ("yes" if verdict.fits else "no") if isinstance(verdict.fits, bool) else "unknown"
    return {
        "oid": verdict.criterion.oid,
        "label": verdict.criterion.label,
        "kind": verdict.criterion.kind,
        "computed": verdict.criterion.computed,
        "later": not verdict.criterion.blocks_randomization,
        "verdict": answer,
        "sources": found.sources_of(verdict),
    }
