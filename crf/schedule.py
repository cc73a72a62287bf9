"""When visits are due: pure calendar arithmetic on whole days, the same at any hour and on both DST nights.

Day 0 is the anchor of the definition; a window includes its first and its last day. Every page, mail and export asks
here for target day, window, due and overdue; "today" is the day it is at the subject's site (sites.clock).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from crf.models import StudyEvent
from trials.definition import StudyDef, StudyEventDef


@dataclass(frozen=True)
class Planned:
    """One visit to come. `ordinal` counts the repeats of a repeating event from 1."""

    event_oid: str
    ordinal: int
    target_on: date
    window_from: date
    window_to: date

    @property
    def key(self) -> tuple[str, int]:
        return self.event_oid, self.ordinal

    @property
    def window(self) -> tuple[date, date]:
        return self.window_from, self.window_to


class Timing(StrEnum):
    """How a day lies to a window: four outcomes that are never mixed up."""

    NO_WINDOW = "no_window"
    EARLY = "early"
    IN_WINDOW = "in_window"
    LATE = "late"


class VisitState(StrEnum):
    """How a visit stands on a day; exactly one holds."""

    NO_DATE = "no_date"  # not planned for a day, and not begun
    TO_COME = "to_come"
    DUE = "due"
    OVERDUE = "overdue"
    DONE = "done"
    NOT_DONE = "not_done"


_WAITING = {
    Timing.NO_WINDOW: VisitState.NO_DATE,
    Timing.EARLY: VisitState.TO_COME,
    Timing.IN_WINDOW: VisitState.DUE,
    Timing.LATE: VisitState.OVERDUE,
}


def planned_events(study: StudyDef, anchor_on: date, counted_from: Mapping[str, int] | None = None) -> list[Planned]:
    """Target day and window of each visit that the definition counts from day 0, in the order of the definition.

    `counted_from`: {event: day after day 0 that it counts from}; an event that needs one and has none is not planned.
    """
    starts = counted_from or {}
    return [
        _planned(event, ordinal, anchor_on + timedelta(days=starts.get(event.oid, 0) + day))
        for event in study.events
        if event.kind in {"treatment", "scheduled", "repeating"} and (event.oid in starts or not event.counted_from)
        for ordinal, day in enumerate(_days(event), start=1)
    ]


def timing(day: date, window_from: date | None, window_to: date | None) -> Timing:
    """Where `day` lies; both ends belong to the window."""
    if window_from is None or window_to is None:
        return Timing.NO_WINDOW
    if day < window_from:
        return Timing.EARLY
    return Timing.LATE if day > window_to else Timing.IN_WINDOW


def state_of(event: StudyEvent, today: date) -> VisitState:
    """Whether a visit is done, not done, to come, due or overdue on the day `today` of its site."""
    if event.is_settled:
        return VisitState(event.state)
    return _WAITING[timing(today, event.window_from, event.window_to)]


def _days(event: StudyEventDef) -> Iterator[int]:
    if event.day is None:
        return
    last = event.until_days if event.every_days else event.day
    yield from range(event.day, (last or event.day) + 1, event.every_days or 1)


def _planned(event: StudyEventDef, ordinal: int, target: date) -> Planned:
    before, after = timedelta(days=event.before or 0), timedelta(days=event.after or 0)
    return Planned(event.oid, ordinal, target, target - before, target + after)
