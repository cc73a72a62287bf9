"""The page for what went wrong inside: a number to quote, a way forward, and nothing of the inside (OPS-12)."""

import logging
import sys

from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.template import loader

from pallsoft.request import request_id

RETRY_SECONDS = 10


def server_error(request: HttpRequest) -> HttpResponse:
    """Drawn without the request's context: what failed may be the database that it would be read from."""
    if isinstance(sys.exc_info()[1], OperationalError):
        return _page(request, "errors/503.html", 503, {"Retry-After": str(RETRY_SECONDS)})
    return _page(request, "500.html", 500, {})


def _page(request: HttpRequest, template: str, status: int, headers: dict[str, str]) -> HttpResponse:
    text = loader.get_template(template).render({"request": request})
    return HttpResponse(text, status=status, headers=headers)


class RequestNumber(logging.Filter):
    """Writes the number of the request into each line of the log, so that a quoted number finds it."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_number = request_id.get() or "-"
        return True
