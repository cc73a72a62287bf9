"""Masking of identity that was typed by mistake: choose what, and decide about what another asked for (AUD-14)."""

import uuid
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crf.selectors.crumbs import crumbs
from crf.selectors.form_page import form_url
from crf.selectors.loading import place_for
from crf.selectors.masking import decisions_for, item_to_mask, mask_request_for, places_of
from crf.selectors.matrix import visit_label
from crf.selectors.strip import strip_for
from crf.services import confirm_masking, refuse_masking, request_masking
from pallsoft.accounts.request import AuthenticatedRequest
from pallsoft.errors import InvalidInput, PallsoftError
from sites.permissions import Permission, require
from sites.selectors import study_for


@require_http_methods(["GET", "HEAD", "POST"])
def form_mask(request: AuthenticatedRequest, **address: Any) -> HttpResponse:
    """Which texts of an item hold identity? `?item=OID`."""
    place = place_for(request.user, **address)
    require(request.user, Permission.MASK, place.subject.study, place.subject.site)
    if place.row is None:
        raise Http404
    item = item_to_mask(place.row, request.GET.get("item", ""), request.user)
    chosen = request.POST.getlist("chosen")
    errors: list[dict[str, Any]] = []
    if request.method == "POST":
        try:
            request_masking(
                form=place.row,
                item_oid=item.oid,
                changes=[int(one) for one in chosen if one.isascii() and one.isdecimal() and len(one) < 18],
                messages=[one for one in chosen if len(one) == 36],
                reason=request.POST.get("reason", ""),
                key=_key(request.POST.get("key", "")),
                by=request.user,
            )
        except InvalidInput as refusal:
            labels = {"chosen": _("What holds identity"), "reason": _("Reason")}
            errors = [
                {"target": f"id_{name}", "label": labels.get(name, ""), "text": text}
                for name, texts in refusal.errors.items()
                for text in texts
            ]
        else:
            messages.success(request, _("Asked for. Another person has to confirm it before anything is emptied."))
            return redirect("maskings", study_oid=place.subject.study.oid)
    context = {
        "place": place,
        "item": item,
        "chosen": chosen,
        "reason": request.POST.get("reason", ""),
        "errors": errors,
        "key": uuid.uuid4(),
        "strip": strip_for(place.answers, request.user),
        "visit": visit_label(place.event, place.study.event(place.event.event_oid)),
        "crumbs": crumbs(place.event, place.study, (place.form.title, form_url(place)), _("Mask")),
    }
    with timezone.override(place.zone):
        context["places"] = places_of(place.row, item.oid, request.user)
        return render(request, "crf/mask.html", context, status=422 if errors else 200)


@require_safe
def maskings(request: AuthenticatedRequest, study_oid: str) -> HttpResponse:
    """What waits for a second person, and what was decided."""
    study = study_for(request.user, study_oid, Permission.MASK)
    return render(request, "crf/maskings.html", {"decisions": decisions_for(request.user, study)})


@require_POST
def decide_masking(request: AuthenticatedRequest, study_oid: str, request_id: UUID) -> HttpResponse:
    """Confirm or refuse."""
    asked = mask_request_for(request.user, study_oid, request_id)
    try:
        if request.POST.get("act") == "confirm":
            n = confirm_masking(request=asked, by=request.user)
            told = ngettext("Done: %(n)s row of the trail is empty.", "Done: %(n)s rows of the trail are empty.", n)
            messages.success(request, told % {"n": n})
        else:
            refuse_masking(request=asked, reason=request.POST.get("reason", ""), by=request.user)
            messages.success(request, _("Nothing is masked."))
    except PallsoftError as refusal:
        study = study_for(request.user, study_oid, Permission.MASK)
        context = {"decisions": decisions_for(request.user, study), "errors": [{"text": refusal.message}]}
        return render(request, "crf/maskings.html", context, status=refusal.status)
    return redirect(reverse("maskings", args=[study_oid]))


def _key(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        return uuid.uuid4()
