"""Today and now as the database sees them, in a site's own time zone (RND-09: no other clock counts)."""

from datetime import date, datetime

from django.db import connection
from django.db.models import DateField, Func


class LocalDate(Func):
    """The calendar day of an instant in a time zone: `LocalDate(Now(), F("timezone"))`."""

    template = "((%(expressions)s)::date)"
    arg_joiner = " AT TIME ZONE "
    output_field = DateField()


def database_now() -> datetime:
    """The instant of this statement, aware, from the database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now


def local_today(timezone: str) -> date:
    """The day it is now in an IANA time zone such as Europe/Oslo."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT (statement_timestamp() AT TIME ZONE %s)::date", [timezone])
        today: date = cursor.fetchone()[0]
    return today
