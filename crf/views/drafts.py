"""What a page keeps while somebody types: small messages from static/js/autosave.js, and a button to throw it away."""

import json
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from crf.entry.drafted import Page, TypedText
from crf.selectors.form_page import form_url
from crf.selectors.loading import place_for
from crf.selectors.place import Place
from crf.services import discard_draft, keep_draft
from crf.views.posted import key_of, page_of, whole
from pallsoft.accounts.idle import open_while_locked
from pallsoft.accounts.request import AuthenticatedRequest
from pallsoft.errors import InvalidInput, PallsoftError
from pallsoft.request import asking_once
from pallsoft.templatetags.ui import clock
from sites.permissions import Permission, require

LONGEST_AGE = 7 * 86_400_000  # of a text, in milliseconds: what a page says beyond it is no clock


@open_while_locked
@require_http_methods(["GET", "HEAD", "POST"])
def draft(request: AuthenticatedRequest, **address: Any) -> HttpResponse:
    """Keep what was typed. GET gives a fresh token to a page whose person has signed in again meanwhile."""
    with asking_once():
        place = place_for(request.user, **address, reading=False)
        require(request.user, Permission.ENTER_DATA, place.subject.study, place.subject.site)
        if request.method != "POST":
            return JsonResponse({"token": get_token(request), "user": str(request.user.pk)})
        try:
            at = _keep(request, place)
        except PallsoftError as refusal:
            return JsonResponse({"message": refusal.message}, status=refusal.status)
    with timezone.override(place.zone):
        return JsonResponse({"at": clock(at) if at else ""})


def _keep(request: AuthenticatedRequest, place: Place) -> datetime | None:
    sent = _sent(request)
    return keep_draft(
        place=place,
        typed=sent["typed"],
        seen_version=sent["seen_version"],
        page=Page(sent["tab"]),
        key=key_of(sent["key"]),
        by=request.user,
    )


@require_POST
def discard(request: AuthenticatedRequest, **address: Any) -> HttpResponse:
    """Throw the draft away; the form then shows what is stored."""
    place = place_for(request.user, **address)
    discard_draft(place=place, page=page_of(request.POST), by=request.user)
    messages.success(request, _("What was typed and not saved is thrown away."))
    return redirect(form_url(place, "form-patient" if "patient" in request.GET else "form"))


def _sent(request: HttpRequest) -> dict[str, Any]:
    """The message in plain types. Raises InvalidInput for one that no page of ours sends."""
    try:
        body = json.loads(request.body)
        typed = {str(name): _typed(one) for name, one in body["fields"].items()}
        if not typed:
            raise ValueError("nothing typed")
        tab, key = str(body["tab"]), str(body["key"])
        return {"typed": typed, "tab": page_of({"tab": tab}).tab, "key": key, "seen_version": whole(str(body["seen"]))}
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        raise InvalidInput({"": [_("Nothing was kept: the page sent something unreadable. Open it again.")]}) from None


def _typed(one: Any) -> TypedText:
    text, age = one
    if not isinstance(text, str):
        raise TypeError("a text is expected")
    return TypedText(text, min(max(int(age), 0), LONGEST_AGE))
