"""Two addresses for machines: /healthz (this process answers) and /readyz (it can do its work).

Anybody may call them, so they say ok or fail for each part and nothing more (OPS-10); the sentence
that says what to do goes to the log. Redis is not asked: without it entry, randomisation and
signing still work (OPS-06).
"""

import logging

from django.contrib.auth.decorators import login_not_required
from django.db import Error
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from pallsoft import selfcheck

logger = logging.getLogger(__name__)


@require_safe
@never_cache
@login_not_required
def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
@never_cache
@login_not_required
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when the database answers and every migration is applied, else 503."""
    parts = {"database": _database(), "migrations": "fail"}
    if parts["database"] == "ok":
        parts["migrations"] = _state(selfcheck.migrations_are_applied())
    ready = set(parts.values()) == {"ok"}
    return JsonResponse({"status": "ok" if ready else "fail"} | parts, status=200 if ready else 503)


def _database() -> str:
    try:
        return _state(selfcheck.database_answers())
    except Error as error:
        return _state(f"The database does not answer: {error}")


def _state(problem: str) -> str:
    if problem:
        logger.error("Not ready: %s", problem)
    return "fail" if problem else "ok"
