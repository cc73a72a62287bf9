"""The history of a form or of one of its items (AUD-09)."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import pgettext
from django.views.decorators.http import require_safe

from crf.selectors.crumbs import crumbs
from crf.selectors.form_page import form_url
from crf.selectors.loading import place_for
from crf.selectors.matrix import visit_label
from crf.selectors.strip import strip_for
from crf.selectors.trail import form_trail
from pallsoft.accounts.request import AuthenticatedRequest
from sites.permissions import Permission, has_permission, require


@require_safe
def trail_page(request: AuthenticatedRequest, **address: Any) -> HttpResponse:
    """Who, when, from what to what, and why; `?item=OID` for one item."""
    place = place_for(request.user, **address)
    if place.row is None:
        raise Http404
    require(request.user, Permission.VIEW_TRAIL, place.subject.study, place.subject.site)
    context: dict[str, Any] = {
        "place": place,
        "strip": strip_for(place.answers, request.user),
        "visit": visit_label(place.event, place.study.event(place.event.event_oid)),
        "crumbs": crumbs(place.event, place.study, (place.form.title, form_url(place)), pgettext("trail", "History")),
        "trail_url": form_url(place, "form-trail"),
        "form_url": form_url(place),
    }
    with timezone.override(place.zone):
        context["trail"] = form_trail(place, place.row, request.user, request.GET.get("item", ""))
        may_mask = has_permission(request.user, Permission.MASK, place.subject.study, place.subject.site)
        if may_mask and context["trail"].item:
            context["mask_url"] = f"{form_url(place, 'form-mask')}?item={context['trail'].item.oid}"
        beside = "HX-Request" in request.headers and context["trail"].item
        return render(request, "crf/trail_panel.html" if beside else "crf/trail.html", context)
