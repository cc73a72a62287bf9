"""Public holidays of Norway, against calendars and against a formula that is not ours."""

from datetime import date, timedelta

import pytest
from dateutil.easter import easter

from sites.working_days import easter_sunday, is_public_holiday, is_working_day, working_day_from

# 1818 and 2285 are the earliest that is possible, 1886, 1943 and 2038 the latest.
EASTERS = (
    "1818-03-22 1886-04-25 1900-04-15 1943-04-25 1954-04-18 1981-04-19 2000-04-23 2008-03-23 2011-04-24 2019-04-21 "
    "2024-03-31 2025-04-20 2026-04-05 2027-03-28 2028-04-16 2029-04-01 2030-04-21 2038-04-25 2049-04-18 2285-03-22"
)
# All public holidays of two years, as printed in Norwegian calendars.
OF_2026 = "01-01 04-02 04-03 04-05 04-06 05-01 05-14 05-17 05-24 05-25 12-25 12-26"
OF_2027 = "01-01 03-25 03-26 03-28 03-29 05-01 05-06 05-16 05-17 12-25 12-26"


@pytest.mark.parametrize("text", EASTERS.split())
def test_easter(text):
    day = date.fromisoformat(text)
    assert easter_sunday(day.year) == day


@pytest.mark.parametrize("year, days", [(2026, OF_2026), (2027, OF_2027)])
def test_every_public_holiday_of_a_year_and_no_other_day(year, days):
    first = date(year, 1, 1)
    found = [day for n in range(365) if is_public_holiday(day := first + timedelta(days=n))]
    assert [f"{day:%m-%d}" for day in found] == sorted(set(days.split()))


def test_easter_is_that_of_another_implementation_for_four_hundred_years():
    assert [easter_sunday(year) for year in range(1900, 2300)] == [easter(year) for year in range(1900, 2300)]


def test_a_whole_easter_is_passed_over():
    """Wednesday 24 March 2027 is worked; the next working day is Tuesday after Easter (S05)."""
    assert is_working_day(date(2027, 3, 24))
    assert working_day_from(date(2027, 3, 25)) == date(2027, 3, 30)
    assert working_day_from(date(2027, 3, 24)) == date(2027, 3, 24)


def test_the_17th_of_may_and_weekends_are_none():
    assert not is_working_day(date(2027, 5, 17))  # S05: W8 falls on it
    assert [is_working_day(date(2026, 11, 21) + timedelta(days=n)) for n in range(3)] == [False, False, True]
