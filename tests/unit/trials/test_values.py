"""Canonical text and typed values: nothing is lost on the way, nothing that is not canonical gets in."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trials.values import UNKNOWN, PartialDate, canonical, span, typed


@dataclass(frozen=True)
class Item:
    kind: str
    decimals: int | None = None


partial_dates = st.builds(PartialDate, st.integers(1, 9999), st.none() | st.integers(1, 12))


@given(st.integers(-(10**17), 10**17))
def test_a_whole_number_comes_back_as_it_was(number):
    assert typed(Item("integer"), canonical(Item("integer"), Decimal(number))) == number


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=3))
def test_a_decimal_comes_back_as_it_was(number):
    assert typed(Item("decimal", 3), canonical(Item("decimal", 3), number)) == number


@pytest.mark.req("DAT-08")
@given(st.dates())
def test_a_date_comes_back_as_it_was(day):
    assert typed(Item("date"), canonical(Item("date"), day)) == day


@pytest.mark.req("DAT-08")
@given(partial_dates | st.dates())
def test_pc007_a_partial_date_comes_back_with_exactly_what_was_known(day):
    assert typed(Item("partial_date"), canonical(Item("partial_date"), day)) == day


@given(st.datetimes(timezones=st.timezones(), min_value=datetime(1900, 1, 1), max_value=datetime(2100, 1, 1)))
def test_pc011_an_instant_is_stored_in_utc_whatever_zone_it_was_given_in(at):
    at = at.replace(microsecond=0)
    stored = canonical(Item("datetime"), at)
    assert stored.endswith("Z")
    assert typed(Item("datetime"), stored) == at.astimezone(UTC)


@given(st.times())
def test_a_time_comes_back_to_the_minute(at):
    assert typed(Item("time"), canonical(Item("time"), at)) == at.replace(second=0, microsecond=0)


@pytest.mark.parametrize("day", [date(2026, 3, 29), date(2026, 10, 25), date(2026, 12, 31)])
@pytest.mark.parametrize("zone", ["UTC", "Europe/Oslo", "America/Los_Angeles"])
def test_pc001_a_date_has_no_clock_and_no_zone(day, zone, settings):
    settings.TIME_ZONE = zone
    assert canonical(Item("date"), typed(Item("date"), day.isoformat())) == day.isoformat()


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("integer", "007"), ("integer", "1.0"), ("integer", "1e2"), ("integer", "1_000"), ("integer", "٣"),
        ("integer", ""), ("integer", "-0"), ("nrs", "11"), ("nrs", "-1"), ("nrs", "3.5"),
        ("decimal", "1,5"), ("decimal", "NaN"), ("decimal", "Infinity"), ("decimal", "1e400"), ("decimal", ".5"),
        ("decimal", "1" * 5000), ("decimal", "0.00000000001"), ("date", "2026-02-30"), ("date", "20260901"),
        ("date", "2026-W01-1"), ("date", "2026-09"), ("date", "0000-01-01"), ("partial_date", "2026-13"),
        ("partial_date", "0000"), ("partial_date", "2026-9"), ("time", "24:00"), ("time", "9:30"), ("time", "09:30:00"),
        ("datetime", "2026-09-01T14:32:00"), ("datetime", "2026-09-01T14:32:00+02:00"),
        ("datetime", "2026-09-01T23:59:60Z"), ("yesno", "y"), ("yesno", "true"), ("date", "2026-09-01\n"),
    ],
)  # fmt: skip
def test_what_is_not_canonical_is_refused(kind, text):
    with pytest.raises(ValueError):
        typed(Item(kind), text)


@pytest.mark.parametrize(
    ("number", "stored"),
    [("2.345", "2.35"), ("-2.345", "-2.35"), ("2.5", "2.50"), ("-0.001", "0.00"), ("1E+3", "1000.00")],
)
def test_a_computed_decimal_is_rounded_half_up_and_written_out(number, stored):
    assert canonical(Item("decimal", 2), Decimal(number)) == stored


def test_the_clock_keeps_its_place_before_the_year_1000():
    assert canonical(Item("datetime"), datetime(812, 1, 2, 3, 4, tzinfo=UTC)) == "0812-01-02T03:04:00Z"
    assert canonical(Item("time"), time(7, 5)) == "07:05"


def test_a_condition_is_stored_as_yes_or_no():
    assert (canonical(Item("yesno"), True), canonical(Item("yesno"), False)) == ("Y", "N")


@given(partial_dates)
def test_a_partial_date_spans_whole_months_or_years(day):
    first, last = span(day)
    assert first.day == 1
    assert last == date.max or (last + timedelta(days=1)).day == 1
    assert (last.month == first.month) is (day.month is not None)


def test_unknown_is_neither_true_nor_false():
    with pytest.raises(TypeError, match="neither true nor false"):
        bool(UNKNOWN)
    assert repr(UNKNOWN) == "UNKNOWN"
