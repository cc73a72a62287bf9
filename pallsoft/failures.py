"""The page for what went wrong inside: a number to quote, a way forward, and nothing of the inside (OPS-12)."""

import logging
import re
import sys
import traceback
from collections.abc import Iterator
from typing import Any

from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.template import loader

from pallsoft.request import request_id

RETRY_SECONDS = 10
TOKEN = re.compile(r"/q/[^/\s]+")


def server_error(request: HttpRequest) -> HttpResponse:
    """Drawn without the request's context: what failed may be the database that it would be read from."""
    if isinstance(sys.exc_info()[1], OperationalError):
        return _page(request, "errors/503.html", 503, {"Retry-After": str(RETRY_SECONDS)})
    return _page(request, "500.html", 500, {})


def _page(request: HttpRequest, template: str, status: int, headers: dict[str, str]) -> HttpResponse:
    text = loader.get_template(template).render({"request": request})
    return HttpResponse(text, status=status, headers=headers)


class WithoutData(logging.Formatter):
    """Lines of the log with the way that an error took and its kind, never its text (PRV-02).

    PostgreSQL puts the row that failed into the text, and with it what was typed about a patient. Nor does the token
    of a participant's link stay in an address.
    """

    def format(self, record: logging.LogRecord) -> str:
        return TOKEN.sub("/q/…", super().format(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802 - the name that logging calls
        """`ei`: as sys.exc_info gives it."""
        return "\n".join(_way_of(ei[1])) if ei[1] else ""


def _way_of(error: BaseException) -> Iterator[str]:
    """The error that this one came from first, as Python prints them."""
    earlier = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if earlier:
        yield from _way_of(earlier)
    yield from (line.rstrip() for line in traceback.format_tb(error.__traceback__))
    yield f"{type(error).__module__}.{type(error).__qualname__} {getattr(error, 'pgcode', None) or ''}".rstrip()


class RequestNumber(logging.Filter):
    """Writes the number of the request into each line of the log, so that a quoted number finds it."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_number = request_id.get() or "-"
        return True
