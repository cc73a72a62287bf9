"""Which reminders are owed now and in the days to come: one statement for planner, relay and page (owed.sql)."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from crf.reminders.statements import FOUND, IN_ORDER, INSERT, Owed, find, find_one, insert, rules_at, statement
from crf.selectors.secrets import secret_parts
from pallsoft.outbox.models import Message
from sites.models import Role, Site, StopKind, SubjectStatus
from sites.permissions import PERMISSIONS, Permission
from sites.policies import ENTRY_STATES
from sites.selectors import definition_in_use

KIND = "crf.reminder"
OWED = statement("owed.sql")
# One that was dropped when it was to be sent can be owed again; a row that a relay holds is never waited for.
IS_NEW = """NOT EXISTS (SELECT FROM outbox_message m
    WHERE m.event_id = owed.event_id AND m.kind = %(kind)s AND m.topic = owed.topic AND m.ordinal = owed.ordinal
    AND m.recipient_id = owed.recipient_id AND m.state <> 'dropped')"""
PLAN = f"""{OWED} {INSERT} WHERE {IS_NEW}
ON CONFLICT ON CONSTRAINT message_once DO UPDATE SET state = 'due', attempts = 0, payload = excluded.payload,
    due_at = excluded.due_at, next_try_at = excluded.next_try_at WHERE outbox_message.state = 'dropped'"""
TO_COME = f"{OWED} {FOUND} WHERE {IS_NEW} {IN_ORDER}"


def plan(sites: Iterable[Site]) -> int:
    """Put what is due into the outbox; returns how many are new. A second run adds none."""
    return insert(PLAN, _asked(sites, within=0))


def to_come(sites: Iterable[Site], days: int) -> list[Owed]:
    """What neither waits in the outbox nor went, and is due in so many days if nothing is done; what is due first."""
    return find(TO_COME, _asked(sites, within=days))


def still(message: Message, site: Site) -> Owed | None:
    """What a planned reminder is by the data of this moment; None when it is owed no more."""
    return find_one(OWED, _asked([site]), message)


def _asked(sites: Iterable[Site], within: int | None = None) -> dict[str, Any]:
    rules = [rule for site in sites for rule in _rules_at(site)]
    return {
        "within": within,
        "begun": None if within is None else within + _earliest(rules),
        "rules": json.dumps(rules),
        "entry": list(ENTRY_STATES),
        "ended": [SubjectStatus.SCREEN_FAILURE, SubjectStatus.ENDED],
        "left": [StopKind.CONSENT],
        "kind": KIND,
    }


def _earliest(rules: list[dict[str, Any]]) -> int:
    """How many days before the first day of a visit's window a rule may remind; one more, as it is today elsewhere."""
    return 1 - min((rule["days"] for rule in rules), default=0)


def _rules_at(site: Site) -> Iterator[dict[str, Any]]:
    """One for each reminder and role. Who may not see the arm is not told of visits that depend on it."""
    if (study := definition_in_use(site)) is None:
        return
    dated = {event.oid for event in study.events if event.day is not None}
    for rule, asked in rules_at(site, study, study.reminders.of_staff):
        for role in rule.to:
            sees_arm = Permission.VIEW_ARM in PERMISSIONS[Role(role)]
            events = (set(rule.at) or dated) - (set() if sees_arm else secret_parts(study).events)
            yield asked | {"role": role, "events": sorted(events)}
