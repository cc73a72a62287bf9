"""The subject's page: the strip and the matrix of visits and forms, now or as they were."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from crf.answers import SubjectAnswers
from crf.selectors import signatures
from crf.selectors.as_of import looking_back, subject_slider
from crf.selectors.day_zero import day_zero_of
from crf.selectors.eligibility import eligibility_of
from crf.selectors.matrix import Matrix, matrix_of
from crf.selectors.next_steps import next_steps, next_visit
from crf.selectors.participation import standing_now
from crf.selectors.strip import strip_for
from crf.selectors.subject_page import actions_for
from crf.selectors.timeline import timeline_of
from crf.selectors.visit import reasons_of
from crf.views.as_of import is_asked, status_of
from pallsoft.accounts.request import AuthenticatedRequest
from sites.models import SubjectStatus
from sites.permissions import AnyUser, Permission, require
from sites.selectors import definition_at, subject_for


@require_safe
def subject_page(request: AuthenticatedRequest, study_oid: str, number: str) -> HttpResponse:
    subject = subject_for(request.user, study_oid, number)
    study, slider = definition_at(subject.site), None
    if is_asked(request):
        require(request.user, Permission.VIEW_TRAIL, subject.study, subject.site)
        slider = subject_slider(request.GET, subject, study, request.user)
    with looking_back(subject, slider):
        answers = SubjectAnswers(subject, study)
        matrix = matrix_of(answers, request.user)
        context: dict[str, Any] = {
            "subject": subject,
            "slider": slider,
            "strip": strip_for(answers, request.user),
            "matrix": matrix,
            "timeline": timeline_of(answers, matrix, request.user),
            **day_zero_of(answers),
        }
        if not slider:
            context |= _to_do(answers, matrix, request.user)
        with timezone.override(answers.zone):
            return render(request, "crf/subject.html", context, status=status_of(slider))


def _to_do(answers: SubjectAnswers, matrix: Matrix, user: AnyUser) -> dict[str, Any]:
    """What the person does next with the subject; a page of then has nothing of it."""
    signing = signatures.of_casebook(answers.subject, user, signed=answers.around.signatures)
    steps = next_steps(matrix, answers, user)
    screened = answers.subject.status == SubjectStatus.SCREENING and steps == []
    return {
        "signing": signing,
        "actions": actions_for(answers, user, signing.url),
        "stopped": list(standing_now(answers.participation)),
        "next_steps": steps,
        "is_confirmed": screened and eligibility_of(answers.subject).signature is not None,
        "next_visit": next_visit(matrix),
        "reasons": reasons_of(answers.study),
    }
