"""Values: between the canonical text that is stored (ODM lexical forms) and what expressions compute with.

Numbers are `Decimal`, never float. A date known only to the month or year is a `PartialDate`, never a guessed day.
What is missing, or cannot be decided, is `UNKNOWN`; it refuses to be used as true or false by chance.
"""

import re
from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_UP, Context, Decimal
from enum import Enum
from typing import Final, Literal, NoReturn, Protocol

# Fixed and our own: neither the thread's context nor the machine may change a result.
EXACT = Context(prec=34)


class _Unknown(Enum):
    UNKNOWN = "unknown"

    def __bool__(self) -> NoReturn:
        raise TypeError("UNKNOWN is neither true nor false: compare with `is`")

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = _Unknown.UNKNOWN
Unknown = Literal[_Unknown.UNKNOWN]


@dataclass(frozen=True)
class PartialDate:
    """A year, or a year and a month (ODM partialDate): every day inside it is possible."""

    year: int
    month: int | None = None

    def __str__(self) -> str:
        return f"{self.year:04d}" if self.month is None else f"{self.year:04d}-{self.month:02d}"


Value = Decimal | str | date | PartialDate | time | datetime | bool
Maybe = Value | Unknown


class Typed(Protocol):
    """What conversion needs to know of an item."""

    @property
    def kind(self) -> str: ...
    @property
    def decimals(self) -> int | None: ...


def span(value: date | PartialDate) -> tuple[date, date]:
    """The first and the last day that `value` can mean."""
    if isinstance(value, date):
        return value, value
    first, last = (1, 12) if value.month is None else (value.month, value.month)
    return date(value.year, first, 1), date(value.year, last, monthrange(value.year, last)[1])


def typed(item: Typed, text: str) -> Value:
    """The value of a stored text.

    Raises ValueError when `text` is not the canonical form of the item's kind (ODM 1.3.2 section 2.14).
    """
    return _READ[item.kind](text)


def canonical(item: Typed, value: Value) -> str:
    """The text to store for a computed value; decimals are rounded half up to the item's `decimals`."""
    if isinstance(value, bool):
        return "Y" if value else "N"
    if isinstance(value, Decimal):
        return _number_text(value, item.decimals or 0)
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
    if isinstance(value, time):
        return value.isoformat(timespec="minutes")
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


def rounded(value: Decimal, places: int) -> Decimal:
    """Half up, as clinicians round: 2.5 is 3. Raises decimal.InvalidOperation past 34 digits."""
    return value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP, context=EXACT)


def _number_text(value: Decimal, places: int) -> str:
    text = format(rounded(value, places), "f")
    return text.lstrip("-") if Decimal(text).is_zero() else text


def _matching(pattern: str, read: Callable[[str], Value]) -> Callable[[str], Value]:
    matches = re.compile(pattern, re.ASCII).fullmatch

    def checked(text: str) -> Value:
        if not matches(text):
            raise ValueError(f"{text[:40]!r} is not in canonical form")
        return read(text)

    return checked


def _partial(text: str) -> date | PartialDate:
    parts = [int(part) for part in text.split("-")]
    if len(parts) == 3:
        return date(*parts)
    span(PartialDate(*parts))  # raises for month 13 and year 0
    return PartialDate(*parts)


_DATE = r"\d{4}-\d{2}-\d{2}"
_READ: dict[str, Callable[[str], Value]] = {
    "text": str,
    "code": str,
    "yesno": _matching("[YN]", str),
    "integer": _matching(r"0|-?[1-9]\d{0,17}", Decimal),
    "nrs": _matching(r"\d|10", Decimal),
    "decimal": _matching(r"-?(0|[1-9]\d{0,13})(\.\d{1,6})?", Decimal),
    "date": _matching(_DATE, date.fromisoformat),
    "partial_date": _matching(r"\d{4}(-\d{2}(-\d{2})?)?", _partial),
    "time": _matching(r"\d{2}:\d{2}", time.fromisoformat),
    "datetime": _matching(_DATE + r"T\d{2}:\d{2}:\d{2}Z", datetime.fromisoformat),
}
