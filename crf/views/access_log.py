"""The access log: who read which subject (AUD-12)."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from crf.selectors.access_log import access_log
from pallsoft.accounts.request import AuthenticatedRequest
from sites.permissions import Permission
from sites.selectors import study_for


@require_safe
def access_page(request: AuthenticatedRequest, study_oid: str) -> HttpResponse:
    study = study_for(request.user, study_oid, Permission.VIEW_ACCESS_LOG)
    log = access_log(request.user, study, request.GET)
    return render(request, "crf/access_log.html", {"log": log}, status=422 if log.errors else 200)
