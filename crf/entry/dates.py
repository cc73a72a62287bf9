"""Typed dates and clock times, read back as 01.09.2026 and 14:32 (DAT-08).

Partial dates are ODM partialDate; instants are stored in UTC and typed in the clock of the site.
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.translation import gettext as _

from crf.entry.refusal import Refused

EARLIEST, LATEST = 1900, 2100
_UNKNOWN = r"(?:un|unk|uk|xx|\?\?)"
_DMY = re.compile(r"(?P<day>[0-9]{1,2})\.(?P<month>[0-9]{1,2})\.(?P<year>[0-9]{4}|[0-9]{2})")
_ISO = re.compile(r"(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})")
_PARTIAL = [
    re.compile(rf"(?:{_UNKNOWN}\.)?(?P<month>[0-9]{{1,2}})\.(?P<year>[0-9]{{4}})", re.IGNORECASE),
    re.compile(r"(?P<year>[0-9]{4})-(?P<month>[0-9]{2})"),
    re.compile(rf"(?:{_UNKNOWN}\.)?(?:{_UNKNOWN}\.)?(?P<year>[0-9]{{4}})", re.IGNORECASE),
]
_ALL_UNKNOWN = re.compile(rf"{_UNKNOWN}(?:\.{_UNKNOWN})*", re.IGNORECASE)
_CLOCK = re.compile(r"(?P<hour>[0-9]{1,2})[.:](?P<minute>[0-9]{2})|(?P<hour4>[0-9]{2})(?P<minute4>[0-9]{2})")
_INSTANT = re.compile(r"(?P<day>[^\sT]+)(?:\s+|T)(?P<clock>[0-9.:]+)\s*(?P<offset>[+-][0-9]{2}:[0-9]{2})?")


def day(typed: str) -> str:
    """`1.9.26`, `01.09.2026` or `2026-09-01` → `2026-09-01`. Raises Refused."""
    match = _DMY.fullmatch(typed) or _ISO.fullmatch(typed)
    if match:
        return _existing(_full_year(match["year"]), match["month"], match["day"]).isoformat()
    if any(pattern.fullmatch(typed) for pattern in _PARTIAL):
        raise Refused(_("Write the whole date, with day, month and year: 01.09.2026."))
    raise Refused(_("Write the date as day.month.year, such as 01.09.2026."))


def to_date(typed: str) -> date:
    """What `day` reads, as a date."""
    return date.fromisoformat(day(typed.strip()))


def partial_day(typed: str) -> str:
    """As `day`, and `09.2026`, `UN.09.2026`, `2026` → `2026-09`, `2026-09`, `2026`. Raises Refused."""
    if _DMY.fullmatch(typed) or _ISO.fullmatch(typed):
        return day(typed)
    if _ALL_UNKNOWN.fullmatch(typed):
        raise Refused(_("Write at least the year, or choose why the date is missing."))
    match = next((found for pattern in _PARTIAL if (found := pattern.fullmatch(typed))), None)
    if match is None:
        raise Refused(_("Write what is known: 01.09.2026, 09.2026 or 2026."))
    month = match.groupdict().get("month")
    known = _existing(int(match["year"]), month or "1", "1")
    return known.isoformat()[:7] if month else known.isoformat()[:4]


def clock(typed: str) -> str:
    """`9.05`, `14:32` or `1432` → `14:32`. Raises Refused."""
    match = _CLOCK.fullmatch(typed)
    if match is None:
        raise Refused(_("Write the time as hours and minutes, such as 14:32."))
    hour, minute = match["hour"] or match["hour4"], match["minute"] or match["minute4"]
    if int(hour) > 23 or int(minute) > 59:
        raise Refused(_("Write a time from 00:00 to 23:59."))
    return f"{int(hour):02d}:{minute}"


def instant(typed: str, zone: ZoneInfo) -> str:
    """`01.09.2026 14:32` on the clock of `zone` → `2026-09-01T12:32:00Z`.

    Raises Refused, also for the hour that spring skips and for the hour that autumn has twice: the reader
    then adds which of the two is meant, as `25.10.2026 02:30 +01:00`.
    """
    match = _INSTANT.fullmatch(typed)
    if match is None:
        raise Refused(_("Write date and time, such as 01.09.2026 14:32."))
    local = datetime.combine(date.fromisoformat(day(match["day"])), time.fromisoformat(clock(match["clock"])))
    moments = _moments(local, zone)
    if not moments:
        raise Refused(_("This time did not exist: the clock was put forward that night. Check the time."))
    return _chosen(moments, match["offset"]).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def shown_day(canonical: str) -> str:
    """`2026-09-01` → `01.09.2026`; a partial date keeps what it knows."""
    return ".".join(reversed(canonical.split("-")))


def shown_instant(canonical: str, zone: ZoneInfo) -> str:
    """The clock of `zone`, with its offset only in the hour that happens twice."""
    moment = datetime.strptime(canonical, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).astimezone(zone)
    text = moment.strftime("%d.%m.%Y %H:%M")
    return text if len(_moments(moment.replace(tzinfo=None), zone)) == 1 else f"{text} {_offset(moment)}"


def _existing(year: int, month: str, day_of_month: str) -> date:
    if not EARLIEST <= year <= LATEST:
        raise Refused(
            _("Check the year: it must lie from %(first)d to %(last)d.") % {"first": EARLIEST, "last": LATEST}
        )
    try:
        return date(year, int(month), int(day_of_month))
    except ValueError:
        raise Refused(_("There is no such day. Check day and month.")) from None


def _full_year(digits: str) -> int:
    """Two digits mean the past, this year or the next ten: the date is read back after saving."""
    if len(digits) == 4:
        return int(digits)
    century = 2000 if int(digits) <= (timezone.localdate().year + 10) % 100 else 1900
    return century + int(digits)


def _moments(local: datetime, zone: ZoneInfo) -> list[datetime]:
    """The instants at which the clock of `zone` shows `local`: none, one or two."""
    both: Callable[[int], datetime] = lambda fold: local.replace(tzinfo=zone, fold=fold)  # noqa: E731
    real = [moment for fold in (0, 1) if _survives(moment := both(fold), zone)]
    return real if len(real) == 2 and real[0].utcoffset() != real[1].utcoffset() else real[:1]


def _survives(moment: datetime, zone: ZoneInfo) -> bool:
    return moment.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == moment.replace(tzinfo=None)


def _chosen(moments: list[datetime], offset: str | None) -> datetime:
    named = [moment for moment in moments if offset in (None, _offset(moment))]
    if len(named) == 1:
        return named[0]
    if not named:
        raise Refused(_("The clock was not at that offset then. Leave it out."))
    first, second = (f"{moment:%d.%m.%Y %H:%M} {_offset(moment)}" for moment in moments)
    raise Refused(
        _("The clock showed this time twice that night. Write “%(first)s” for the first, “%(second)s” for the second.")
        % {"first": first, "second": second}
    )


def _offset(moment: datetime) -> str:
    minutes = (moment.utcoffset() or timedelta()) // timedelta(minutes=1)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
