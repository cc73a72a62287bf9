"""The change set of a service call: who changes regulated data, in which role, and why (decision D2)."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.db import DatabaseError, connection, transaction

from pallsoft import __version__
from pallsoft.errors import refusal_of
from pallsoft.request import request_id

BEGIN = "SELECT change_set, previous FROM audit.begin(%s, %s, %s, %s, %s, %s, %s, %s, %s)"


@contextmanager
def change_set(
    *, study: Any, by: Any, action: str, reason: str = "", role: str = "", site: Any = None, name: str = ""
) -> Iterator[UUID]:
    """One transaction whose changes are all written under one author and reason; yields the id of the change set.

    `study`: its chain gets the link (None: the system chain). `by`: a User; None is the system, named after `action`,
    or a participant, named `name`.
    Called within another one, it makes a change set of its own and gives the outer one back on leaving: a
    transaction-local setting would otherwise outlive it. What the database refuses is raised as a PallsoftError.
    """
    nested = connection.in_atomic_block
    try:
        with transaction.atomic():
            current, previous = _begin(study, by, action, reason, role, site, name)
            yield current
            if nested:
                _go_back_to(previous)
    except DatabaseError as error:
        refusal = refusal_of(error)
        if refusal is None:
            raise
        raise refusal from error


def _begin(study: Any, by: Any, action: str, reason: str, role: str, site: Any, name: str) -> tuple[UUID, str]:
    who = [by and by.pk, by.full_name if by else name or action, role, site and site.pk]
    with connection.cursor() as cursor:
        cursor.execute(BEGIN, [study and study.pk, *who, action, reason, request_id.get(), __version__])
        current, previous = cursor.fetchone()
    return uuid.UUID(str(current)), previous


def _go_back_to(previous: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('audit.change_set', %s, true)", [previous])
