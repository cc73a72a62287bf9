"""Is the trail what it was, and are the tables what the trail says? Read-only, run in SQL, as the app's own login."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from pallsoft.audit.exemptions import PARTS, REGULATED, UNTRAILED_COLUMNS

QUERIES = Path(__file__).parent / "sql" / "verify"


@dataclass(frozen=True)
class Finding:
    """`seal_n`: the link at which it was found (0: at none)."""

    seal_n: int
    what: str

    def __str__(self) -> str:
        return f"seal {self.seal_n}: {self.what}" if self.seal_n else self.what


def findings(study: UUID | None = None) -> Iterator[Finding]:
    """What is wrong, the first bad row of each kind first; nothing when all is well. `study` None: all chains.

    All queries see one snapshot: commits in flight are either wholly in it, seal included, or not at all.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        cursor.execute("SET LOCAL timezone = 'UTC'")  # to_jsonb spells timestamps in the session's zone
        for name in ("links", "digests", "ends", "verified"):
            yield from _found(cursor, _query(name), {"study": study and str(study)})
        yield from _found(cursor, _query("triggers"), {"tables": sorted(REGULATED)})
        yield from _otherwise_regulated(cursor)
        for table, parts, columns in _regulated(cursor):
            query = _query("table").replace("{table}", table).replace("{columns}", columns)
            yield from _found(cursor, query, {"study": study and str(study), "table": table, "parts": parts})


def masked(study: UUID | None = None) -> int:
    """How many rows of the trail were emptied by an act of masking."""
    with connection.cursor() as cursor:
        cursor.execute(_query("masked"), {"study": study and str(study)})
        return int(cursor.fetchone()[0])


def erasures(study: UUID | None = None) -> Iterator[Finding]:
    """No fault: the erasures of participants, each with how many rows of the trail it emptied."""
    with connection.cursor() as cursor:
        yield from _found(cursor, _query("erased"), {"study": study and str(study)})


def _found(cursor: CursorWrapper, query: str, given: dict[str, Any]) -> Iterator[Finding]:
    cursor.execute(query, given)
    return (Finding(*row) for row in cursor.fetchall())


def _query(name: str) -> str:
    return (QUERIES / f"{name}.sql").read_text(encoding="utf-8")


def _regulated(cursor: CursorWrapper) -> list[tuple[str, list[str], str]]:
    """(table, its document columns, all trailed columns as SQL): the others may be out of this login's reach."""
    cursor.execute("""
        SELECT r.tbl, r.parts, string_agg(quote_ident(a.attname), ', ')
        FROM audit.regulated r JOIN pg_attribute a ON a.attrelid = r.tbl::regclass
        WHERE a.attnum > 0 AND NOT a.attisdropped AND NOT a.attname = ANY (r.excluded)
        GROUP BY r.tbl ORDER BY r.tbl
    """)
    rows: list[tuple[str, list[str], str]] = cursor.fetchall()
    return rows


def _otherwise_regulated(cursor: CursorWrapper) -> Iterator[Finding]:
    """A table or column that dropped out of the database's own list would go unchecked."""
    cursor.execute("SELECT tbl, parts, excluded FROM audit.regulated")
    listed = {table: (sorted(parts), sorted(excluded)) for table, parts, excluded in cursor.fetchall()}
    for table in sorted(REGULATED):
        if listed.get(table) != (PARTS.get(table, []), sorted(UNTRAILED_COLUMNS.get(table, ()))):
            yield Finding(0, f"{table} is not listed as it is regulated")
