"""Which reminders are owed now and in the days to come: one statement for planner, relay and page (owed.sql)."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import connection

from crf.selectors.secrets import secret_parts
from pallsoft.outbox.models import Message
from sites.models import Role, Site, StopKind, SubjectStatus
from sites.permissions import PERMISSIONS, Permission
from sites.policies import ENTRY_STATES
from sites.selectors import definition_in_use
from trials.definition import definition_of

KIND = "crf.reminder"
OWED = (Path(__file__).parent / "owed.sql").read_text(encoding="utf-8")
# One that was dropped when it was to be sent can be owed again; a row that a relay holds is never waited for.
IS_NEW = """NOT EXISTS (SELECT FROM outbox_message m
    WHERE m.event_id = owed.event_id AND m.kind = %(kind)s AND m.topic = owed.topic AND m.ordinal = owed.ordinal
    AND m.recipient_id = owed.recipient_id AND m.state <> 'dropped')"""
PLAN = f"""{OWED}
INSERT INTO outbox_message (study_id, subject_id, event_id, kind, topic, ordinal, recipient_id, payload, due_at,
    next_try_at, state, attempts, error, cause)
SELECT study_id, subject_id, event_id, %(kind)s, topic, ordinal, recipient_id, jsonb_build_object('role', role), due_at,
    statement_timestamp(), 'due', 0, '', ''
FROM owed WHERE day <= today AND {IS_NEW}
ON CONFLICT ON CONSTRAINT message_once DO UPDATE SET state = 'due', attempts = 0, payload = excluded.payload,
    due_at = excluded.due_at, next_try_at = excluded.next_try_at WHERE outbox_message.state = 'dropped'"""
FOUND = f"""{OWED}
SELECT site_id, subject_id, event_id, topic, ordinal, recipient_id, role, day, today, due_at FROM owed"""
TO_COME = f"""{FOUND} WHERE day <= today + %(days)s AND {IS_NEW}
    ORDER BY day, site_id, subject_id, event_id, topic, role, recipient_id"""
ONE = f"""{FOUND} WHERE (event_id, topic, ordinal, recipient_id)
    = (%(event)s::uuid, %(topic)s, %(ordinal)s, %(recipient)s::uuid)"""


@dataclass(frozen=True)
class Owed:
    """One reminder to one person. `day`: when it is due; `today`: the day it is at the site."""

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


def plan(sites: Iterable[Site]) -> int:
    """Put what is due into the outbox; returns how many are new. A second run adds none."""
    with connection.cursor() as cursor:
        cursor.execute(PLAN, _asked(sites))
        return int(cursor.rowcount)


def to_come(sites: Iterable[Site], days: int) -> list[Owed]:
    """What neither waits in the outbox nor went, and is due in so many days if nothing is done; what is due first."""
    return _rows(TO_COME, _asked(sites) | {"days": days})


def still(message: Message, site: Site) -> Owed | None:
    """What a planned reminder is by the data of this moment; None when it is owed no more."""
    one = {"event": message.event_id, "topic": message.topic, "ordinal": message.ordinal}
    return next(iter(_rows(ONE, _asked([site]) | one | {"recipient": message.recipient_id})), None)


def _rows(statement: str, asked: dict[str, Any]) -> list[Owed]:
    with connection.cursor() as cursor:
        cursor.execute(statement, asked)
        return [Owed(*row) for row in cursor.fetchall()]


def _asked(sites: Iterable[Site]) -> dict[str, Any]:
    return {
        "rules": json.dumps([rule for site in sites for rule in _rules_at(site)]),
        "entry": list(ENTRY_STATES),
        "ended": [SubjectStatus.SCREEN_FAILURE, SubjectStatus.ENDED],
        "left": [StopKind.CONSENT],
        "kind": KIND,
    }


def _rules_at(site: Site) -> Iterator[dict[str, Any]]:
    """One for each reminder and role. Who may not see the arm is not told of visits that depend on it."""
    if (study := definition_in_use(site)) is None:
        return
    dated, since = {event.oid for event in study.events if event.day is not None}, since_of(site)
    for rule in study.reminders.of_staff:
        for role in rule.to:
            sees_arm = Permission.VIEW_ARM in PERMISSIONS[Role(role)]
            yield {
                "site": str(site.pk),
                "topic": rule.oid,
                "events": sorted((set(rule.at) or dated) - (set() if sees_arm else secret_parts(study).events)),
                "counted_from": rule.counted_from,
                "days": rule.days,
                "times": rule.times,
                "every_days": rule.every_days or 0,
                "role": role,
                "since": str(since[rule.oid]),
                "send_from": study.reminders.send_from,
            }


def since_of(site: Site) -> dict[str, date]:
    """When the site got each reminder, by its OID: what would have been due before is not made up for."""
    uses = site.versions.select_related("version").defer("version__definition", "version__source_files")
    newest_first = uses.order_by("-active_from")
    return {rule.oid: use.active_from for use in newest_first for rule in definition_of(use.version).reminders.rules}
