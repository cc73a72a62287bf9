"""Days, months and clock times as they are typed in Norway."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from sites.fields import ClockField, DayField, MonthField, YesNoField, instant

OSLO = "Europe/Oslo"


@pytest.mark.parametrize("typed", ["1.9.26", "01.09.2026", "1.9.2026", "2026-09-01", " 01.09.26 "])
def test_a_day_is_read_in_each_usual_form(typed):
    assert DayField().clean(typed) == date(2026, 9, 1)


@pytest.mark.parametrize("typed", ["09/01/2026", "31.02.2026", "1. september", "2026", "01.09.2026 12:00", "١.٩.٢٦x"])
def test_what_is_no_day_is_refused_with_an_example(typed):
    with pytest.raises(ValidationError, match=r"01.09.2026"):
        DayField().clean(typed)


@pytest.mark.parametrize("typed", ["09.2026", "9.2026", "2026-09", "9.26"])
def test_a_month_becomes_its_first_day(typed):
    assert MonthField().clean(typed) == date(2026, 9, 1)


@pytest.mark.parametrize("typed", ["14:32", "14.32"])
def test_a_clock_time_takes_colon_or_full_stop(typed):
    assert ClockField().clean(typed) == time(14, 32)


@pytest.mark.parametrize(("typed", "meant"), [("Y", True), ("N", False)])
def test_yes_and_no_are_told_from_no_answer(typed, meant):
    assert YesNoField().clean(typed) is meant
    assert YesNoField(required=False).clean("") is None


def test_a_required_yes_or_no_has_no_default():
    with pytest.raises(ValidationError):
        YesNoField().clean("")


@pytest.mark.req("DAT-08")
def test_a_time_that_summer_time_skips_is_refused():
    with pytest.raises(ValidationError):
        instant(date(2026, 3, 29), time(2, 30), OSLO)


@pytest.mark.req("DAT-08")
def test_of_an_hour_that_comes_twice_the_first_is_meant():
    assert instant(date(2026, 10, 25), time(2, 30), OSLO) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@pytest.mark.req("DAT-08")
@given(st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(2037, 12, 31), timezones=st.just(UTC)))
def test_a_local_time_and_its_instant_agree(moment):
    there = moment.replace(second=0, microsecond=0).astimezone(ZoneInfo(OSLO))
    back = instant(there.date(), there.time().replace(fold=0), OSLO)
    assert back.astimezone(ZoneInfo(OSLO)).replace(tzinfo=None, fold=0) == there.replace(tzinfo=None, fold=0)
