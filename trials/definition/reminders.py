"""Who is reminded of which visits, when, how often and in which language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trials.definition.texts import OID, TEXT, Text
from trials.reading import FLAG, SOURCE, At, choice, many, matching, may, needs, record, whole

ROLES = ("study_nurse", "investigator", "principal_investigator", "coordinator")
PARTICIPANT = "participant"
CLOCK = matching(r"([01]\d|2[0-3]):[0-5]\d", "a time such as 08:00")


@dataclass(frozen=True, kw_only=True)
class Reminder:
    """Goes to the roles `to` about the events `at` (none = every visit with a day), as long as the visit is not done.

    The first goes `days` after `counted_from`, before it when negative; `times` in all, every `every_days`. `language`:
    "own" is that of each recipient. To the participant, and then to nobody else, goes a link to the questionnaires of
    the visit; with `confirm_alive` not before the site has seen in the hospital record that the participant is alive.
    """

    oid: str = needs(OID)
    label: Text = needs(TEXT)
    to: tuple[str, ...] = needs(many(choice(*ROLES, PARTICIPANT), least=1))
    at: tuple[str, ...] = may(many(OID), ())
    counted_from: str = needs(choice("window_from", "target", "window_to"))
    days: int = may(whole(least=-365, most=365), 0)
    times: int = may(whole(least=1, most=20), 1)
    every_days: int | None = may(whole(least=1, most=365))
    language: str = may(choice("own", "nb", "en"), "own")
    confirm_alive: bool = may(FLAG, True)
    source: str = needs(SOURCE)

    @property
    def is_to_participant(self) -> bool:
        return PARTICIPANT in self.to

    @classmethod
    def finish(cls, values: dict[str, Any], raw: Mapping[str, Any], at: At) -> dict[str, Any]:
        to_participant = PARTICIPANT in (values["to"] or ())
        if to_participant and len(values["to"]) > 1:
            at.down("to").refuse("participant stands alone: the staff is reminded by a rule of its own")
        if to_participant and "language" in raw:
            at.down("language").refuse("has no meaning: a participant is written to in the language that was asked for")
        if not to_participant and "confirm_alive" in raw:
            at.down("confirm_alive").refuse("is for reminders to participants only")
        if values["times"] > 1 and values["every_days"] is None:
            at.refuse("every_days is missing: how long after each other do they go?")
        if values["times"] == 1 and "every_days" in raw:
            at.down("every_days").refuse("has no meaning for a reminder that goes once: give times too")
        return values


@dataclass(frozen=True, kw_only=True)
class ReminderPlan:
    """Messages leave between `send_from` and `send_until` on working days, by the clock of the site.

    `alive_days`: how old a look in the hospital record may be that `confirm_alive` asks for.
    """

    send_from: str = may(CLOCK, "08:00")
    send_until: str = may(CLOCK, "16:00")
    alive_days: int = may(whole(least=0, most=30), 3)
    rules: tuple[Reminder, ...] = may(many(record(Reminder)), ())

    @property
    def of_staff(self) -> tuple[Reminder, ...]:
        return tuple(rule for rule in self.rules if not rule.is_to_participant)

    @property
    def of_participants(self) -> tuple[Reminder, ...]:
        return tuple(rule for rule in self.rules if rule.is_to_participant)

    @classmethod
    def finish(cls, values: dict[str, Any], _raw: Mapping[str, Any], at: At) -> dict[str, Any]:
        if values["send_from"] and values["send_until"] and values["send_from"] >= values["send_until"]:
            at.refuse("send_until has to come after send_from")
        return values

    def rule(self, oid: str) -> Reminder:
        """Raises KeyError."""
        return {rule.oid: rule for rule in self.rules}[oid]
