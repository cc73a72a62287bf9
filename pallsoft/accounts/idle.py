"""An unattended screen locks, and no session outlives a working day (ACC-10).

The lock stands in the session, so that loading the page anew does not open it. The page and what is typed in it stay
(static/js/lock.js); the password opens it. A POST that meets the lock waits in the session and goes on afterwards.
"""

import time
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlencode

from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.internal.flows.reauthentication import suspend_request
from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_POST

View = Callable[..., HttpResponseBase]
Marked = TypeVar("Marked", bound=View)
STEP = 30  # seconds between two notes of activity: not every request writes the session
# What one needs to open the lock, or to leave.
OPEN = {
    "account_reauthenticate",
    "mfa_reauthenticate",
    "account_login",
    "account_logout",
    "screen-lock",
    "set_language",
}
LOCKED = 423


def open_while_locked(view: Marked) -> Marked:
    """Mark a view that shows nothing, and must take what was typed before the screen was locked."""
    view.open_while_locked = True  # type: ignore[attr-defined]
    return view


@receiver(user_logged_in)
def begin(request: HttpRequest, **kwargs: Any) -> None:
    request.session["signed_in_at"] = request.session["active_at"] = time.time()


class Idle:
    """Middleware, after that of authentication."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated and _outlived(request):
            logout(request)
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: View, args: Any, kwargs: Any) -> HttpResponse | None:
        if not request.user.is_authenticated:
            return None
        if not is_locked(request):
            _note_activity(request)
            return None
        name = (request.resolver_match and request.resolver_match.url_name) or ""
        if name in OPEN or getattr(view, "open_while_locked", False):
            return None
        if "HX-Request" in request.headers:
            return HttpResponse(status=LOCKED)
        ask = reverse("account_reauthenticate")
        if "password" in request.POST or name.startswith(("account_", "mfa_")):  # a password never waits in the session
            return HttpResponseRedirect(f"{ask}?{urlencode({'next': request.path})}")
        waiting: HttpResponse = suspend_request(request, ask)
        return waiting


def is_locked(request: HttpRequest) -> bool:
    """Was the screen locked, or nothing done for too long, since the person last proved who it is?"""
    proved = _proved_at(request)
    if _moment(request, "locked_at") > proved:
        return True
    idle = time.time() - max(_moment(request, "active_at"), proved)
    return bool(idle > settings.IDLE_SECONDS + STEP)


@require_POST
def screen_lock(request: HttpRequest) -> HttpResponse:
    """`act=lock`: lock the screen. Anything else says that somebody sits there, and asks whether it is locked."""
    if request.POST.get("act") == "lock":
        request.session["locked_at"] = time.time()
    response = HttpResponse(str(request.user.pk), content_type="text/plain")
    if is_locked(request):
        response.status_code = LOCKED
    return response


def _outlived(request: HttpRequest) -> bool:
    return bool(time.time() - _moment(request, "signed_in_at") > settings.SESSION_COOKIE_AGE)


def _note_activity(request: HttpRequest) -> None:
    now = time.time()
    if now - _moment(request, "active_at") > STEP:
        request.session["active_at"] = now


def _moment(request: HttpRequest, name: str) -> float:
    return float(request.session.get(name, 0))


def _proved_at(request: HttpRequest) -> float:
    """When the password or second factor was last given in this session."""
    return max((record["at"] for record in get_authentication_records(request, request.user)), default=0)
