"""The page of serious events: all of them with their times, and what does not fit together; and each on paper."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from crf.exports.services import request_serious_event
from crf.exports.views import language_of
from crf.safety.clock import is_serious
from crf.safety.reconciliation import reconciliation
from crf.selectors.loading import place_for
from pallsoft.accounts.request import AuthenticatedRequest
from sites.permissions import Permission
from sites.selectors import study_for


@require_safe
def safety_page(request: AuthenticatedRequest, study_oid: str) -> HttpResponse:
    study = study_for(request.user, study_oid, Permission.RAISE_QUERY)
    with timezone.override(study.timezone):
        found = reconciliation(request.user, study)
        return render(request, "crf/safety.html", {"study": study, "found": found})


@require_POST
def serious_event_paper(request: AuthenticatedRequest, **address: Any) -> HttpResponse:
    """Ask for the printed form of one event, in the language of the page."""
    place = place_for(request.user, **address)
    if place.row is None or not is_serious(place.row, place.study.safety):
        raise Http404
    request_serious_event(form=place.row, language=language_of(request), by=request.user)
    messages.success(request, _("The document is being made. This page shows it when it is ready."))
    return redirect("documents", study_oid=place.subject.study.oid)
