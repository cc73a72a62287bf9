"""Which reminders are owed to participants, now and in the days to come (participants.sql); apart from the staff's."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from crf.reminders.statements import FOUND, IN_ORDER, INSERT, Owed, find, find_one, insert, rules_at, statement
from pallsoft.outbox.models import Message, State
from sites.models import Site, SubjectStatus
from sites.participation import SILENCED_BY
from sites.policies import ENTRY_STATES
from sites.selectors import definition_in_use
from sites.services.contact import sendable
from trials.definition import PARTICIPANT, Reminder, StudyDef

KIND = "crf.participant_reminder"
OWED = statement("participants.sql")
IN_OUTBOX = """EXISTS (SELECT FROM outbox_message m WHERE m.event_id = owed.event_id AND m.kind = %(kind)s
    AND m.topic = owed.topic AND m.ordinal = owed.ordinal AND m.state = ANY (%(states)s))"""
# Unlike a reminder to the staff, one that was dropped stays dropped: the site can send a link by itself.
PLAN = f"""{OWED} {INSERT} WHERE day <= today AND NOT {IN_OUTBOX}
ON CONFLICT ON CONSTRAINT message_once DO NOTHING"""
TO_COME = f"{OWED} {FOUND} WHERE day <= today + %(days)s AND NOT {IN_OUTBOX} {IN_ORDER}"
HELD = f"{OWED} {FOUND} WHERE needs_tick AND {IN_OUTBOX} {IN_ORDER}"


def plan(sites: Iterable[Site]) -> int:
    """Put what is due into the outbox; returns how many are new. A second run adds none."""
    return insert(PLAN, _asked(sites))


def to_come(sites: Iterable[Site], days: int) -> list[Owed]:
    """What never was in the outbox, and is due in so many days if nothing is done; what is due first."""
    return find(TO_COME, _asked(sites) | {"days": days})


def still(message: Message, site: Site) -> Owed | None:
    """What a planned reminder is by the data of this moment; None when it is owed no more."""
    return find_one(OWED, _asked([site]), message)


def held_for_a_tick(sites: Iterable[Site]) -> list[Owed]:
    """What waits until the site has looked whether the participant is alive."""
    return find(HELD, _asked(sites) | {"states": [State.DUE.value]})


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
    if (study := definition_in_use(site)) is None:
        return
    for rule, asked in rules_at(site, study, study.reminders.of_participants):
        alive_days = study.reminders.alive_days if rule.confirm_alive else None
        yield asked | {"role": PARTICIPANT, "events": _events(study, rule), "alive_days": alive_days}


def _events(study: StudyDef, rule: Reminder) -> list[str]:
    """Those with a questionnaire by link."""
    dated = {event.oid for event in study.events if event.day is not None}
    return sorted(oid for oid in set(rule.at) or dated if study.has_link(oid))
