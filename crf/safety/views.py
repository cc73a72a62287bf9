"""The page of serious events: all of them with their times, and what does not fit together."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from crf.safety.reconciliation import reconciliation
from pallsoft.accounts.request import AuthenticatedRequest
from sites.permissions import Permission
from sites.selectors import study_for


@require_safe
def safety_page(request: AuthenticatedRequest, study_oid: str) -> HttpResponse:
    study = study_for(request.user, study_oid, Permission.RAISE_QUERY)
    with timezone.override(study.timezone):
        found = reconciliation(request.user, study)
        return render(request, "crf/safety.html", {"study": study, "found": found})
