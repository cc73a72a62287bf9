"""The scores of a subject over the visits, as lines and as a table."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from crf.answers import SubjectAnswers
from crf.selectors.crumbs import subject_crumb
from crf.selectors.scores import scores_of
from crf.selectors.strip import strip_for
from pallsoft.accounts.request import AuthenticatedRequest
from sites.selectors import definition_at, subject_for


@require_safe
def scores_page(request: AuthenticatedRequest, study_oid: str, number: str) -> HttpResponse:
    subject = subject_for(request.user, study_oid, number)
    answers = SubjectAnswers(subject, definition_at(subject.site))
    context = {
        "subject": subject,
        "study": subject.study,
        "strip": strip_for(answers, request.user),
        "crumbs": [subject_crumb(subject)],
        "scores": scores_of(answers, request.user),
    }
    with timezone.override(answers.zone):
        return render(request, "crf/scores.html", context)
