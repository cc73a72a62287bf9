"""A form as it stood at an earlier version, read back from the trail."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from crf.entry.document import Document
from crf.models import FormData

CHANGES = """
    SELECT i.part, i.item, i.old, i.new, i.change_set, c.actor_name, c.at
    FROM audit.item_change i JOIN audit.change_set c ON c.id = i.change_set
    WHERE i.tbl = 'crf_formdata' AND i.row_id = %s
    ORDER BY i.id DESC
"""


@dataclass(frozen=True)
class TrailedChange:
    """One item of one update. `part`: "data", "marks", or "" for a column such as status."""

    part: str
    item: str
    old: Any
    new: Any
    change_set: str
    actor_name: str
    at: datetime


def changes_since(form: FormData, version: int) -> list[TrailedChange]:
    """Everything that changed after `version` of the form, the newest first. Each save is one change set."""
    with connection.cursor() as cursor:
        cursor.execute(CHANGES, [form.pk])
        rows = [_read(row) for row in cursor.fetchall()]
    saves = list(dict.fromkeys(row.change_set for row in rows))
    later = set(saves[: form.version - version])
    return [row for row in rows if row.change_set in later]


def undone(form: FormData, changes: list[TrailedChange]) -> Document:
    """The document before `changes` (newest first)."""
    parts: dict[str, dict[str, Any]] = {"data": dict(form.data), "marks": dict(form.marks)}
    for change in changes:
        if change.part not in parts:
            continue
        parts[change.part].pop(change.item, None)
        if change.old is not None:
            parts[change.part][change.item] = change.old
    return Document(parts["data"], parts["marks"])


def _read(row: tuple[Any, ...]) -> TrailedChange:
    part, item, old, new, change_set, actor_name, at = row
    old, new = (json.loads(text) if isinstance(text, str) else text for text in (old, new))
    return TrailedChange(part, item, old, new, str(change_set), actor_name, at)
