"""Who is reminded of which visits, when, how often and in which language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trials.definition.texts import OID, TEXT, Text
from trials.reading import SOURCE, At, choice, many, matching, may, needs, record, whole

ROLES = ("study_nurse", "investigator", "principal_investigator", "coordinator")
CLOCK = matching(r"([01]\d|2[0-3]):[0-5]\d", "a time such as 08:00")


@dataclass(frozen=True, kw_only=True)
class Reminder:
    """Goes to the roles `to` about the events `at` (none = every visit with a day), as long as the visit is not done.

    The first goes `days` after `counted_from`, before it when negative; `times` in all, every `every_days`. `language`:
    "own" is that of each recipient.
    """

    oid: str = needs(OID)
    label: Text = needs(TEXT)
    to: tuple[str, ...] = needs(many(choice(*ROLES), least=1))
    at: tuple[str, ...] = may(many(OID), ())
    counted_from: str = needs(choice("window_from", "target", "window_to"))
    days: int = may(whole(least=-365, most=365), 0)
    times: int = may(whole(least=1, most=20), 1)
    every_days: int | None = may(whole(least=1, most=365))
    language: str = may(choice("own", "nb", "en"), "own")
    source: str = needs(SOURCE)

    @classmethod
    def finish(cls, values: dict[str, Any], raw: Mapping[str, Any], at: At) -> dict[str, Any]:
        if values["times"] > 1 and values["every_days"] is None:
            at.refuse("every_days is missing: how long after each other do they go?")
        if values["times"] == 1 and "every_days" in raw:
            at.down("every_days").refuse("has no meaning for a reminder that goes once: give times too")
        return values


@dataclass(frozen=True, kw_only=True)
class ReminderPlan:
    """Mails leave between `send_from` and `send_until` on working days, by the clock of the site."""

    send_from: str = may(CLOCK, "08:00")
    send_until: str = may(CLOCK, "16:00")
    rules: tuple[Reminder, ...] = may(many(record(Reminder)), ())

    @classmethod
    def finish(cls, values: dict[str, Any], _raw: Mapping[str, Any], at: At) -> dict[str, Any]:
        if values["send_from"] and values["send_until"] and values["send_from"] >= values["send_until"]:
            at.refuse("send_until has to come after send_from")
        return values

    def rule(self, oid: str) -> Reminder:
        """Raises KeyError."""
        return {rule.oid: rule for rule in self.rules}[oid]
