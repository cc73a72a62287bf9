"""A form as it was at an instant (`?as_of=`): drawn by the code that draws it now, to read only."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from crf.selectors.as_of import TimeSlider, form_slider, looking_back
from crf.selectors.crumbs import crumbs
from crf.selectors.form_page import form_page, form_url
from crf.selectors.loading import place_for
from crf.selectors.matrix import visit_label
from crf.selectors.place import Place
from crf.selectors.strip import strip_for
from pallsoft.accounts.request import AuthenticatedRequest
from sites.permissions import Permission, require

ASKED = {"as_of", "step"}


def is_asked(request: AuthenticatedRequest) -> bool:
    return not ASKED.isdisjoint(request.GET)


def form_as_of(request: AuthenticatedRequest, now: Place, address: dict[str, Any]) -> HttpResponse:
    """The form at `now`, as it was."""
    require(request.user, Permission.VIEW_TRAIL, now.subject.study, now.subject.site)
    slider = form_slider(request.GET, now, request.user)
    if slider is None:
        raise Http404
    with looking_back(now.subject, slider):
        place = place_for(request.user, **address)
        page = form_page(place, request.user, looking_back=True)
        context = {
            "page": page,
            "place": place,
            "slider": slider,
            "now_url": form_url(now),
            "strip": strip_for(place.answers, request.user),
            "visit": visit_label(place.event, place.study.event(place.event.event_oid)),
            "crumbs": crumbs(place.event, place.study, page.title),
        }
        with timezone.override(place.zone):
            return render(request, "crf/form_as_of.html", context, status=status_of(slider))


def status_of(slider: TimeSlider | None) -> int:
    return 422 if slider and slider.error else 200
