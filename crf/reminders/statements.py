"""What the statements about reminders to the staff (owed.sql) and to participants (participants.sql) share."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import connection

from pallsoft.outbox.models import Message
from sites.models import Site
from trials.definition import Reminder, StudyDef, definition_of


@dataclass(frozen=True)
class Owed:
    """One reminder to one person. `day`: when it is due; `today`: the day it is at the site.

    `needs_tick`: it waits until the site has seen in the hospital record that the participant is alive.
    """

    site_id: UUID
    subject_id: UUID
    event_id: UUID
    topic: str
    ordinal: int
    recipient_id: UUID
    role: str
    day: date
    today: date
    due_at: datetime
    needs_tick: bool


FOUND = f"SELECT {', '.join(field.name for field in fields(Owed))} FROM owed"
ONE = f"""{FOUND} WHERE (event_id, topic, ordinal, recipient_id)
    = (%(event)s::uuid, %(topic)s, %(ordinal)s, %(recipient)s::uuid)"""
IN_ORDER = "ORDER BY day, site_id, subject_id, event_id, topic, role, recipient_id"
INSERT = """INSERT INTO outbox_message (study_id, subject_id, event_id, kind, topic, ordinal, recipient_id, payload,
    due_at, next_try_at, state, attempts, error, cause)
SELECT study_id, subject_id, event_id, %(kind)s, topic, ordinal, recipient_id, jsonb_build_object('role', role),
    due_at, statement_timestamp(), 'due', 0, '', ''
FROM owed"""


def statement(name: str) -> str:
    return (Path(__file__).parent / name).read_text(encoding="utf-8")


def find(asked_for: str, values: dict[str, Any]) -> list[Owed]:
    with connection.cursor() as cursor:
        cursor.execute(asked_for, values)
        return [Owed(*row) for row in cursor.fetchall()]


def find_one(owed: str, values: dict[str, Any], message: Message) -> Owed | None:
    """What a planned reminder is by the data of this moment; None when it is owed no more."""
    one = {"event": message.event_id, "topic": message.topic, "ordinal": message.ordinal}
    return next(iter(find(f"{owed} {ONE}", values | one | {"recipient": message.recipient_id})), None)


def insert(planned: str, values: dict[str, Any]) -> int:
    """Returns how many rows are new."""
    with connection.cursor() as cursor:
        cursor.execute(planned, values)
        return int(cursor.rowcount)


def rules_at(site: Site, study: StudyDef, rules: tuple[Reminder, ...]) -> Iterator[tuple[Reminder, dict[str, Any]]]:
    """Each rule, with what both statements ask of it."""
    since = _since(site) if rules else {}
    for rule in rules:
        yield (
            rule,
            {
                "site": str(site.pk),
                "topic": rule.oid,
                "counted_from": rule.counted_from,
                "days": rule.days,
                "times": rule.times,
                "every_days": rule.every_days or 0,
                "since": str(since[rule.oid]),
                "send_from": study.reminders.send_from,
            },
        )


def _since(site: Site) -> dict[str, date]:
    """When the site got each reminder, by its OID: what would have been due before is not made up for."""
    uses = site.versions.select_related("version").defer("version__definition", "version__source_files")
    newest_first = uses.order_by("-active_from")
    return {rule.oid: use.active_from for use in newest_first for rule in definition_of(use.version).reminders.rules}
