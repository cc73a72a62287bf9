"""The subject's page: the strip and the matrix of visits and forms."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from crf.answers import SubjectAnswers
from crf.selectors.matrix import matrix_of
from crf.selectors.strip import strip_for
from crf.selectors.subject_page import actions_for
from pallsoft.accounts.request import AuthenticatedRequest
from sites.selectors import definition_at, subject_for


@require_safe
def subject_page(request: AuthenticatedRequest, study_oid: str, number: str) -> HttpResponse:
    subject = subject_for(request.user, study_oid, number)
    answers = SubjectAnswers(subject, definition_at(subject.site))
    context: dict[str, Any] = {
        "subject": subject,
        "strip": strip_for(answers, request.user),
        "matrix": matrix_of(answers, request.user),
        "clock": answers.clock,
        "actions": actions_for(answers, request.user),
    }
    with timezone.override(answers.zone):
        return render(request, "crf/subject.html", context)
