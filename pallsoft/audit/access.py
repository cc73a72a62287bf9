"""The access log: reading and failed access, kept apart from the trail of changes (AUD-12)."""

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
