"""Days that may be known only to the month or the year, as ODM partial dates: "2026-09-01", "2026-09", "2026"."""

from dataclasses import dataclass
from datetime import date

from trials.values import PartialDate, span, typed


@dataclass(frozen=True)
class _PartialDay:
    kind: str = "partial_date"
    decimals: int | None = None


def value_of(day: str) -> date | PartialDate:
    """What rules compute with. Raises ValueError for a text that is no canonical day."""
    found = typed(_PartialDay(), day)
    assert isinstance(found, date | PartialDate)
    return found


def first_day(day: str) -> date:
    """The earliest day that can be meant."""
    return span(value_of(day))[0]


def last_day(day: str) -> date:
    """The latest day that can be meant."""
    return span(value_of(day))[1]


def shown(day: str) -> str:
    """As it is read in Norway: 01.09.2026, 09.2026, 2026; a dash for one that was erased."""
    return ".".join(reversed(day.split("-"))) or "–"
