"""Request number, refusals as pages, no address with NUL, and no caching of patients' pages."""

import uuid
from collections.abc import Callable
from typing import cast

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers

from pallsoft.audit.access import record_access
from pallsoft.errors import NotPermitted, PallsoftError
from pallsoft.request import answers, asked_for
from pallsoft.request import request_id as request_number

GetResponse = Callable[[HttpRequest], HttpResponse]


class NumberedRequest(HttpRequest):
    """What `request_id` makes of a request, for the error pages. For types only."""

    id: str


def request_id(get_response: GetResponse) -> GetResponse:
    """Give each request a number that error pages show and change sets record."""

    def middleware(request: HttpRequest) -> HttpResponse:
        number = uuid.uuid4().hex
        cast(NumberedRequest, request).id = number
        token, nobody = request_number.set(number), asked_for.set(None)
        try:
            response = get_response(request)
        finally:
            request_number.reset(token)
            asked_for.reset(nobody)
        response["X-Request-Id"] = number
        return response

    return middleware


def reading(get_response: GetResponse) -> GetResponse:
    """Let a page that changes nothing ask each question once (pallsoft.request.once)."""

    def middleware(request: HttpRequest) -> HttpResponse:
        token = answers.set({} if request.method in {"GET", "HEAD"} else None)
        try:
            return get_response(request)
        finally:
            answers.reset(token)

    return middleware


def no_nul(get_response: GetResponse) -> GetResponse:
    """Nothing of ours has an address or a query with a NUL character; PostgreSQL cannot even be asked for one."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if "\0" in request.path or "%00" in request.META["QUERY_STRING"]:
            raise Http404
        return get_response(request)

    return middleware


def no_store(get_response: GetResponse) -> GetResponse:
    """Keep what a signed-in person saw out of every cache (ASVS 14.3.2)."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if request.user.is_authenticated and not response.has_header("Cache-Control"):
            add_never_cache_headers(response)
        return response

    return middleware


class refusals:  # noqa: N801 - named like the other two in settings.MIDDLEWARE
    """Turn a refusal that no view handled into a page with its sentence."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, PallsoftError):
            return None
        if isinstance(exception, NotPermitted):
            who = request.user if request.user.is_authenticated else None
            record_access(user=who, subject=asked_for.get(), what=f"{request.method} {request.path}", ok=False)
        return render(request, "errors/refusal.html", {"refusal": exception}, status=exception.status)
