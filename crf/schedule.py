"""When visits are due: pure calendar arithmetic on whole days, the same at any hour and on both DST nights.

Day 0 is the anchor of the definition; a window includes its first and its last day.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from trials.definition import StudyDef, StudyEventDef


@dataclass(frozen=True)
class Planned:
    """One visit to come. `ordinal` counts the repeats of a repeating event from 1."""

    event_oid: str
    ordinal: int
    target_on: date
    window_from: date
    window_to: date


class Timing(StrEnum):
    """How a day lies to a window: four outcomes that are never mixed up."""

    NO_WINDOW = "no_window"
    EARLY = "early"
    IN_WINDOW = "in_window"
    LATE = "late"


def planned_events(study: StudyDef, anchor_on: date) -> list[Planned]:
    """Target day and window of each visit that the definition counts from day 0, in the order of the definition."""
    return [
        _planned(event, ordinal, anchor_on + timedelta(days=day))
        for event in study.events
        if event.kind in {"treatment", "scheduled", "repeating"}
        for ordinal, day in enumerate(_days(event), start=1)
    ]


def timing(day: date, window_from: date | None, window_to: date | None) -> Timing:
    """Where `day` lies; both ends belong to the window."""
    if window_from is None or window_to is None:
        return Timing.NO_WINDOW
    if day < window_from:
        return Timing.EARLY
    return Timing.LATE if day > window_to else Timing.IN_WINDOW


def _days(event: StudyEventDef) -> Iterator[int]:
    if event.day is None:
        return
    last = event.until_days if event.every_days else event.day
    yield from range(event.day, (last or event.day) + 1, event.every_days or 1)


def _planned(event: StudyEventDef, ordinal: int, target: date) -> Planned:
    before, after = timedelta(days=event.before or 0), timedelta(days=event.after or 0)
    return Planned(event.oid, ordinal, target, target - before, target + after)
