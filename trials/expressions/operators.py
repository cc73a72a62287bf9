"""What the operators do with values that may be unknown."""

import logging
import operator
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from trials.expressions.terms import Run
from trials.values import EXACT, UNKNOWN, Maybe, PartialDate, span

log = logging.getLogger(__name__)

Decide = Callable[[Any, Any], Maybe]


def all_of(parts: Sequence[Run]) -> Run:
    """Kleene's and: one false decides."""
    return _one_decides(parts, False)


def any_of(parts: Sequence[Run]) -> Run:
    """Kleene's or: one true decides."""
    return _one_decides(parts, True)


def _one_decides(parts: Sequence[Run], deciding: bool) -> Run:
    def run(context: Any) -> Maybe:
        result: Maybe = not deciding
        for part in parts:
            value = part(context)
            if value is deciding:
                return deciding
            if value is UNKNOWN:
                result = UNKNOWN
        return result

    return run


def applied(function: Callable[..., Maybe], *parts: Run) -> Run:
    """`function` of the values of `parts`; unknown as soon as one of them is."""
    if len(parts) == 1:
        (only,) = parts

        def run_one(context: Any) -> Maybe:
            value = only(context)
            return UNKNOWN if value is UNKNOWN else function(value)

        return run_one

    def run(context: Any) -> Maybe:
        values = []
        for part in parts:
            value = part(context)
            if value is UNKNOWN:
                return UNKNOWN
            values.append(value)
        return function(*values)

    return run


def divide(numerator: Decimal, denominator: Decimal) -> Maybe:
    if not denominator:
        log.info("division by zero: the result is unknown")
        return UNKNOWN
    return EXACT.divide(numerator, denominator)


ARITHMETIC: dict[str, Decide] = {
    "Add": EXACT.add,
    "Sub": EXACT.subtract,
    "Mult": EXACT.multiply,
    "Div": divide,
}


def _ordering(compare: Callable[[Any, Any], bool]) -> Decide:
    """Over partial dates: decided only when the extremes agree."""

    def decide(left: date | PartialDate, right: date | PartialDate) -> Maybe:
        (left_first, left_last), (right_first, right_last) = span(left), span(right)
        early, late = compare(left_first, right_last), compare(left_last, right_first)
        return early if early == late else UNKNOWN

    return decide


def _same_day(left: date | PartialDate, right: date | PartialDate) -> Maybe:
    (left_first, left_last), (right_first, right_last) = span(left), span(right)
    if left_last < right_first or right_last < left_first:
        return False
    return True if left_first == left_last == right_first == right_last else UNKNOWN


def _another_day(left: date | PartialDate, right: date | PartialDate) -> Maybe:
    same = _same_day(left, right)
    return UNKNOWN if same is UNKNOWN else not same


COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "Eq": operator.eq,
    "NotEq": operator.ne,
    "Lt": operator.lt,
    "LtE": operator.le,
    "Gt": operator.gt,
    "GtE": operator.ge,
}
COMPARE_DATES: dict[str, Decide] = {
    "Eq": _same_day,
    "NotEq": _another_day,
    **{name: _ordering(COMPARE[name]) for name in ("Lt", "LtE", "Gt", "GtE")},
}
