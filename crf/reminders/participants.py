"""Which reminders are owed to participants, now and in the days to come (participants.sql); apart from the staff's."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import connection

from crf.reminders.owed import since_of
from pallsoft.outbox.models import Message, State
from sites.models import Site, SubjectStatus
from sites.participation import SILENCED_BY
from sites.policies import ENTRY_STATES
from sites.selectors import definition_in_use
from sites.services.contact import sendable
from trials.definition import PARTICIPANT, Reminder, StudyDef

KIND = "crf.participant_reminder"
OWED = (Path(__file__).parent / "participants.sql").read_text(encoding="utf-8")
IN_OUTBOX = """EXISTS (SELECT FROM outbox_message m WHERE m.event_id = owed.event_id AND m.kind = %(kind)s
    AND m.topic = owed.topic AND m.ordinal = owed.ordinal AND m.state = ANY (%(states)s))"""
# Unlike a reminder to the staff, one that was dropped stays dropped: the site can send a link by itself.
PLAN = f"""{OWED}
INSERT INTO outbox_message (study_id, subject_id, event_id, kind, topic, ordinal, recipient_id, payload, due_at,
    next_try_at, state, attempts, error, cause)
SELECT study_id, subject_id, event_id, %(kind)s, topic, ordinal, subject_id, '{{"role": "{PARTICIPANT}"}}', due_at,
    statement_timestamp(), 'due', 0, '', ''
FROM owed WHERE day <= today AND NOT {IN_OUTBOX}
ON CONFLICT ON CONSTRAINT message_once DO NOTHING"""
FOUND = f"{OWED} SELECT site_id, subject_id, event_id, topic, ordinal, day, today, due_at, needs_tick FROM owed"
TO_COME = f"""{FOUND} WHERE day <= today + %(days)s AND NOT {IN_OUTBOX}
    ORDER BY day, site_id, subject_id, event_id, topic"""
ONE = f"{FOUND} WHERE (event_id, topic, ordinal) = (%(event)s::uuid, %(topic)s, %(ordinal)s)"
HELD = f"{FOUND} WHERE needs_tick AND {IN_OUTBOX} ORDER BY day, subject_id"


@dataclass(frozen=True)
class Owed:
    """One reminder to a participant. `day`: when it is due; `today`: the day it is at the site."""

    site_id: UUID
    subject_id: UUID
    event_id: UUID
    topic: str
    ordinal: int
    day: date
    today: date
    due_at: datetime
    needs_tick: bool
    role: str = PARTICIPANT


def plan(sites: Iterable[Site]) -> int:
    """Put what is due into the outbox; returns how many are new. A second run adds none."""
    with connection.cursor() as cursor:
        cursor.execute(PLAN, _asked(sites))
        return int(cursor.rowcount)


def to_come(sites: Iterable[Site], days: int) -> list[Owed]:
    """What never was in the outbox, and is due in so many days if nothing is done; what is due first."""
    return _rows(TO_COME, _asked(sites) | {"days": days})


def still(message: Message, site: Site) -> Owed | None:
    """What a planned reminder is by the data of this moment; None when it is owed no more."""
    one = {"event": message.event_id, "topic": message.topic, "ordinal": message.ordinal}
    return next(iter(_rows(ONE, _asked([site]) | one)), None)


def held_for_a_tick(sites: Iterable[Site]) -> list[Owed]:
    """What waits until the site has looked whether the participant is alive."""
    return _rows(HELD, _asked(sites) | {"states": [State.DUE.value]})


def _rows(statement: str, asked: dict[str, Any]) -> list[Owed]:
    with connection.cursor() as cursor:
        cursor.execute(statement, asked)
        return [Owed(*row) for row in cursor.fetchall()]


def _asked(sites: Iterable[Site]) -> dict[str, Any]:
    return {
        "rules": json.dumps([rule for site in sites for rule in _rules_at(site)]),
        "ways": [channel.value for channel in sendable()],
        "entry": list(ENTRY_STATES),
        "ended": [SubjectStatus.SCREEN_FAILURE, SubjectStatus.ENDED],
        "silenced": [kind.value for kind in SILENCED_BY],
        "kind": KIND,
        "states": State.values,
    }


def _rules_at(site: Site) -> Iterator[dict[str, Any]]:
    study = definition_in_use(site)
    rules = study.reminders.of_participants if study else ()
    if study is None or not rules:
        return
    since = since_of(site)
    for rule in rules:
        yield {
            "site": str(site.pk),
            "topic": rule.oid,
            "events": _events(study, rule),
            "counted_from": rule.counted_from,
            "days": rule.days,
            "times": rule.times,
            "every_days": rule.every_days or 0,
            "alive_days": study.reminders.alive_days if rule.confirm_alive else None,
            "since": str(since[rule.oid]),
            "send_from": study.reminders.send_from,
        }


def _events(study: StudyDef, rule: Reminder) -> list[str]:
    """Those with a questionnaire by link."""
    dated = {event.oid for event in study.events if event.day is not None}
    return sorted(oid for oid in set(rule.at) or dated if study.has_link(oid))
