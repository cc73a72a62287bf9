"""The trail as pages and exports read it."""

import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

COLUMNS = "at, actor_name, role, site_id, action, reason, part, item, old, new, seal_n, tbl, row_id, change"
COLUMNS += ", masked_in IS NOT NULL"


@dataclass(frozen=True)
class TrailRow:
    """Who changed one item, when (UTC), from what to what, and why.

    `part`: "data" or "marks" for items of a form, "" for columns. `old` None: nothing stood there. `change` 0: the
    first value, stored together with its row. `seal_n`: the commit's place in the study's chain. `masked`: emptied
    since by two persons; what is left of it may still stand in `old` or `new`.
    """

    at: datetime
    actor_name: str
    role: str
    site: UUID | None
    action: str
    reason: str
    part: str
    item: str
    old: Any
    new: Any
    seal_n: int | None
    table: str
    row_id: UUID
    change: int
    masked: bool = False


def trail_for(*, table: str, row_id: UUID, item: str | None = None) -> list[TrailRow]:
    """Everything that happened to a row, or to one of its items, newest first."""
    return _rows(
        "tbl = %s AND row_id = %s AND (%s IS NULL OR item = %s) ORDER BY change DESC, part, item",
        [table, row_id, item, item],
    )


def last_changes(*, table: str, row_id: UUID) -> dict[str, TrailRow]:
    """The newest change of each item of a document that changed since its first save. One query."""
    rows = _rows("tbl = %s AND row_id = %s AND part <> '' AND change > 0 ORDER BY change", [table, row_id])
    return {row.item: row for row in rows}


def changes_after(*, tables: list[str], rows: list[UUID], seal_n: int) -> list[TrailRow]:
    """What happened to any of the rows after that link of their study's chain, the oldest first. One query."""
    return _rows(
        "tbl = ANY(%s) AND row_id = ANY(%s::uuid[]) AND seal_n > %s ORDER BY seal_n, change", [tables, rows, seal_n]
    )


@dataclass(frozen=True)
class Head:
    """The newest link of a study's chain; `hash` in hexadecimal digits. n 0: nothing is sealed yet."""

    n: int
    hash: str


def chain_head(study: UUID) -> Head:
    """The last link that is committed."""
    return _head("SELECT n, encode(hash, 'hex') FROM audit.head WHERE study_id = %s", [study])


def chain_link(study: UUID, n: int) -> Head:
    """Link `n`; its hash is empty when there is none."""
    return _head("SELECT n, encode(hash, 'hex') FROM audit.seal WHERE study_id = %s AND n = %s", [study, n])


def _head(query: str, given: list[Any]) -> Head:
    with connection.cursor() as cursor:
        cursor.execute(query, given)
        row = cursor.fetchone()
    return Head(*row) if row else Head(0, "")


def trail_of_subject(subject: UUID) -> list[TrailRow]:
    """Everything that happened to the rows of a subject, in the order of the commits. Two queries."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT array_agg(DISTINCT tbl), array_agg(row_id) FROM audit.baseline"
            " WHERE doc ->> 'subject_id' = %s::text OR (tbl = 'sites_subject' AND row_id = %s)",
            [str(subject), subject],
        )
        tables, rows = cursor.fetchone()
    return _rows(
        "tbl = ANY (%s) AND row_id = ANY (%s::uuid[]) ORDER BY seal_n, tbl, row_id, change, part, item", [tables, rows]
    )


def last_changes_of(*, table: str, row_ids: list[UUID]) -> dict[tuple[UUID, str], TrailRow]:
    """{(row, item): the newest change} of many documents, of items that changed since the first save. One query."""
    rows = _rows("tbl = %s AND row_id = ANY (%s) AND part <> '' AND change > 0 ORDER BY change", [table, row_ids])
    return {(row.row_id, row.item): row for row in rows}


def replaced_in(*, table: str, change_sets: list[UUID]) -> list[tuple[UUID, TrailRow]]:
    """[(change set, change)] of documents: what stood there before these change sets. One query."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT change_set, {COLUMNS} FROM audit.trail"
            " WHERE tbl = %s AND change_set = ANY (%s) AND part <> '' AND change > 0 ORDER BY change",
            [table, change_sets],
        )
        found = [(row[0], TrailRow(*row[1:])) for row in cursor.fetchall()]
    return [(change_set, replace(row, old=_value(row.old), new=_value(row.new))) for change_set, row in found]


def _rows(condition: str, given: list[Any]) -> list[TrailRow]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {COLUMNS} FROM audit.trail WHERE {condition}", given)
        found = [TrailRow(*row) for row in cursor.fetchall()]
    return [replace(row, old=_value(row.old), new=_value(row.new)) for row in found]


def _value(raw: str | None) -> Any:
    return None if raw is None else json.loads(raw)  # cursors hand jsonb over as text
