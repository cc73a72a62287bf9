"""The access log: reading and failed access, kept apart from the trail of changes (AUD-12)."""

from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from pallsoft.request import request_id


def record_access(*, user: Any, subject: Any, what: str, ok: bool = True) -> None:
    """Log that `user` (None: nobody signed in) read or was refused `what` of `subject` (None: of no subject).

    Stands with the transaction it is called in; call it outside one when the refusal itself rolls back.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT audit.record_access(%s, %s, %s, %s, %s)",
            [user and user.pk, subject and subject.pk, what, ok, request_id.get()],
        )


# Enough failures since the last success, close to one another: the lock lasts its whole time from the last of them.
LOCKED_UNTIL = """
    WITH failures AS (
        SELECT f.at FROM audit.access f
        WHERE f.{who} = %(who)s AND f.what = %(what)s AND NOT f.ok AND f.at > clock_timestamp() - 2 * %(lock)s
            AND f.at > coalesce((
                SELECT max(s.at) FROM audit.access s WHERE s.{who} = %(who)s AND s.what = %(what)s AND s.ok
            ), '-infinity')
        ORDER BY f.at DESC LIMIT %(tries)s
    )
    SELECT max(at) + %(lock)s FROM failures
    HAVING count(*) = %(tries)s AND max(at) - min(at) < %(lock)s AND max(at) + %(lock)s > clock_timestamp()
"""


def locked_until(*, what: str, tries: int, lock: timedelta, user: Any = None, subject: Any = None) -> datetime | None:
    """Until when `what` stays closed for a user, or about a subject, after so many failures; None when it is open.

    Counted in the access log, which no restart and no other process forgets (SIG-08).
    """
    who, column = (user, "user_id") if user else (subject, "subject_id")
    values = {"who": who.pk, "what": what, "tries": tries, "lock": lock}
    with connection.cursor() as cursor:
        cursor.execute(LOCKED_UNTIL.format(who=column), values)
        found: tuple[datetime] | None = cursor.fetchone()
    return found[0] if found else None
