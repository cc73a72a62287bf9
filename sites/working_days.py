"""Working days in Norway: not Saturdays, not Sundays, not public holidays. Pure, for any year of our calendar."""

from datetime import date, timedelta

FIXED = ((1, 1), (5, 1), (5, 17), (12, 25), (12, 26))
# Days after Easter Sunday: Maundy Thursday, Good Friday, Easter, Ascension, Whitsun (lov om helligdager § 2).
MOVABLE = (-3, -2, 0, 1, 39, 49, 50)


def easter_sunday(year: int) -> date:
    """By Meeus, Jones and Butcher; right for every year of the Gregorian calendar."""
    golden, (century, in_century) = year % 19, divmod(year, 100)
    leaps, rest = divmod(century, 4)
    shifted = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + century - leaps - shifted + 15) % 30
    quarter, left = divmod(in_century, 4)
    weekday = (32 + 2 * rest + 2 * quarter - epact - left) % 7
    late = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * late + 114, 31)
    return date(year, month, day + 1)


def is_public_holiday(day: date) -> bool:
    easter = easter_sunday(day.year)
    return (day.month, day.day) in FIXED or (day - easter).days in MOVABLE


def is_working_day(day: date) -> bool:
    return day.weekday() < 5 and not is_public_holiday(day)


def working_day_from(day: date) -> date:
    """The day itself, or the first working day after it."""
    while not is_working_day(day):
        day += timedelta(days=1)
    return day
