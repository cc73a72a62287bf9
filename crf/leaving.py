"""Which visits to come fall away when a participant leaves: pure arithmetic on whole days.

A visit counts by the day it was planned for. One in the same unknown month as a death may have happened: it stays open,
and so does everything that was owed before.
"""

from collections.abc import Iterator
from datetime import date

from crf.models import ClosedFor
from sites.models import StopKind
from sites.participation import Participation, latest_day


def closed_for(participation: Participation, target_on: date | None, *, from_registers: bool) -> ClosedFor | None:
    """Why a visit planned for `target_on` is closed: what happened first; None for one that is still expected.

    `from_registers`: it is read in records and registers, so it needs nobody to come.
    """
    ends = [end for end in _ends(participation, from_registers) if target_on and target_on > end[0]]
    return min(ends, key=lambda end: end[0])[1] if ends else None


def _ends(participation: Participation, from_registers: bool) -> Iterator[tuple[date, ClosedFor]]:
    """The last day, for each cause, on which a visit may still have been due."""
    if participation.last_possible_day:
        yield participation.last_possible_day, ClosedFor.DEAD
    withdrawn = participation.collection_ends(from_registers=from_registers)
    if withdrawn:
        yield withdrawn, ClosedFor.WITHDRAWN
    causes = {StopKind.VISITS: ClosedFor.STOPPED, StopKind.LOST: ClosedFor.LOST}
    if from_registers:
        causes = {StopKind.REGISTERS: ClosedFor.STOPPED}
    for kind, cause in causes.items():
        if kind in participation.stops:
            yield latest_day(participation.stops[kind]), cause
