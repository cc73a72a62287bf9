"""Today and now as the database sees them, in a site's own time zone (RND-09: no other clock counts)."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import DateField, Func

from pallsoft.request import once

# The instant that "now" means while a page shows how things were; None when it shows how they are.
_then: ContextVar[datetime | None] = ContextVar("then", default=None)


@contextmanager
def looking_back_to(instant: datetime) -> Iterator[None]:
    """Today and now are those of `instant` within it: what was late then is shown as late, and nothing else."""
    token = _then.set(instant)
    try:
        yield
    finally:
        _then.reset(token)


class LocalDate(Func):
    """The calendar day of an instant in a time zone: `LocalDate(Now(), F("timezone"))`."""

    template = "((%(expressions)s)::date)"
    arg_joiner = " AT TIME ZONE "
    output_field = DateField()


def database_now() -> datetime:
    """The instant of this statement, aware, from the database."""
    then = _then.get()
    if then:
        return then
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now


def local_today(timezone: str) -> date:
    """The day it is now in an IANA time zone such as Europe/Oslo."""
    then = _then.get()
    if then:
        return then.astimezone(ZoneInfo(timezone)).date()
    return once(("today", timezone), lambda: _local_today(timezone))


def _local_today(timezone: str) -> date:
    with connection.cursor() as cursor:
        cursor.execute("SELECT (statement_timestamp() AT TIME ZONE %s)::date", [timezone])
        today: date = cursor.fetchone()[0]
    return today
