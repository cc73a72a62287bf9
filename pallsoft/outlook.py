"""When the target is reached, as the recruitment page says it: from the records of sites to words, figure and table."""

import datetime as dt
from bisect import bisect
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from pallsoft import charts
from pallsoft.forecast import LONGEST, Pace, Prior, pace_of, prior_of
from pallsoft.recruiting_sites import DAY, SiteRecruitment, all_days
from pallsoft.templatetags.ui import nb_date
from trials.definition import RecruitmentPlan

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
MIDDLE = LEVELS.index(0.5)
SHARES = (50, 90)  # percent, between the levels beside the middle and between the outermost
FEWEST = 5  # with fewer inclusions the bands reach over many years and say nothing [D]
MOST_ROWS = 24
MOST_STEPS = 200


@dataclass(frozen=True)
class Point:
    """A row of the table under the figure: what was counted on a day, or the quantiles of what is expected."""

    day: dt.date
    included: int | None = None
    expected: Sequence[int] = ()
    planned: int | None = None


@dataclass(frozen=True)
class Reached:
    """When the target is reached: its quantiles at LEVELS, None when later than the forecast goes."""

    days: list[dt.date | None]
    limit: dt.date

    @property
    def words(self) -> list[str]:
        return [self._month(day) for day in self.days]

    @property
    def spans(self) -> list[str]:
        """The month of the middle, then the bands from the narrowest to the widest."""
        words = self.words
        return [words[MIDDLE], *(f"{words[MIDDLE - n]} – {words[MIDDLE + n]}" for n in range(1, MIDDLE + 1))]

    @property
    def end(self) -> dt.date:
        """The last day that the figure shows."""
        return self.days[-1] or self.limit

    def _month(self, day: dt.date | None) -> str:
        return nb_date(f"{day:%Y-%m}") if day else _("after %(month)s") % {"month": nb_date(f"{self.limit:%Y-%m}")}


@dataclass(frozen=True)
class Outlook:
    """`refusal`: why there is no forecast, as a sentence. `changed`: with the sites opened and closed that were asked
    for, else None."""

    target: int
    included: int
    refusal: str
    remarks: list[str]
    as_is: Reached | None
    changed: Reached | None
    points: list[Point]
    chart: charts.ForecastChart

    @property
    def shown(self) -> Reached | None:
        return self.changed or self.as_is

    @property
    def answers(self) -> list[tuple[str, list[str]]]:
        """When the target is reached: (what, [with the change that was asked for, as things stand])."""
        labels = [_("Middle of the forecast"), *(_("With a chance of %(n)s %% between") % {"n": n} for n in SHARES)]
        as_is = self.as_is.spans if self.as_is else [_("no site recruits"), *("–" for _share in SHARES)]
        columns = [self.changed.spans, as_is] if self.changed else [as_is]
        return [(label, list(cells)) for label, *cells in zip(labels, *columns, strict=True)]


def outlook_of(
    rows: list[SiteRecruitment],
    target: int,
    today: dt.date,
    *,
    opened: int = 0,
    closed: int = 0,
    plan: RecruitmentPlan | None = None,
) -> Outlook:
    """Raises ValueError when more sites close than recruit."""
    by_day = all_days(rows)
    included = by_day.total()
    records = [row.record for row in rows]
    refusal = _refusal(rows, by_day, target)
    prior = None if refusal else prior_of(records)
    pace = prior and pace_of(records, prior)
    new_pace = prior and pace_of(records, prior, opened=opened, closed=closed)
    if not refusal and not new_pace:
        refusal = _("No site recruits, so nothing can be forecast. Say how many sites open.")
    as_is, changed = (_reached(one, target - included, today) if one else None for one in (pace, new_pace))
    future = _future(new_pace, changed, included, target, today) if new_pace and changed else []
    past = [Point(day, count) for day, count in _month_ends(by_day, today)]
    points = [replace(point, planned=_planned(plan, target, point.day)) for point in past + future]
    line = [(plan.start, 0), (plan.end, target)] if plan else []
    return Outlook(
        target=target,
        included=included,
        refusal=refusal,
        remarks=_against(plan, target, included, today)
        + (_remarks(rows, prior, opened, closed) if new_pace else _without_date(rows)),
        as_is=as_is,
        changed=changed if opened or closed else None,
        points=points,
        chart=charts.forecast_chart(_steps(by_day, today), [(one.day, one.expected) for one in future], target, line),
    )


def _planned(plan: RecruitmentPlan | None, target: int, day: dt.date) -> int | None:
    """How many are to be included by the evening of a day: whole persons, rounded down."""
    if plan is None:
        return None
    passed = min(max(day, plan.start), plan.end) - plan.start
    return target * passed.days // (plan.end - plan.start).days


def _against(plan: RecruitmentPlan | None, target: int, included: int, today: dt.date) -> list[str]:
    planned = _planned(plan, target, today)
    if planned is None:
        return []
    told = {"planned": planned, "included": included}
    return [_("By the plan %(planned)s would be included today; %(included)s are.") % told]


def _refusal(rows: list[SiteRecruitment], by_day: Counter[dt.date], target: int) -> str:
    """Why there is nothing to forecast from; "" when there is."""
    included, while_open = by_day.total(), sum(row.included for row in rows if row.days_open)
    if included >= target:
        reached = next(day for day, count in _cumulative(by_day) if count >= target)
        return _("The target of %(target)s was reached on %(day)s.") % {"target": target, "day": nb_date(reached)}
    if not any(row.days_open for row in rows):
        return _("No site has an opening date yet, so nothing can be forecast.")
    if while_open < FEWEST:
        return ngettext(
            "%(n)s participant is included so far. A forecast needs at least %(least)s: with fewer, the bands reach"
            " over many years.",
            "%(n)s participants are included so far. A forecast needs at least %(least)s: with fewer, the bands reach"
            " over many years.",
            while_open,
        ) % {"n": while_open, "least": FEWEST}
    return ""


def _remarks(rows: list[SiteRecruitment], prior: Prior | None, opened: int, closed: int) -> list[str]:
    """The assumption in words."""
    going = sum(row.record.recruits and row.days_open > 0 for row in rows)
    said = [
        ngettext(
            "Assumed is that the %(n)s site that recruits today goes on at its own steady rate, and that no other"
            " opens.",
            "Assumed is that the %(n)s sites that recruit today go on, each at its own steady rate, and that no other"
            " opens.",
            going,
        )
        % {"n": going}
    ]
    if opened or closed:
        said.append(
            _(
                "Changed from tomorrow: %(opened)s sites more, at the rates of those so far, and %(closed)s fewer,"
                " whichever they are."
            )
            % {"opened": opened, "closed": closed}
        )
    if prior and prior.is_usual:
        said.append(_("There are too few data to tell how much sites differ: a usual spread is taken (our default)."))
    else:
        said.append(_("How much sites differ is estimated from their inclusions and days open so far."))
    return said + _without_date(rows)


def _without_date(rows: list[SiteRecruitment]) -> list[str]:
    names = ", ".join(row.site.city for row in rows if not row.days_open)
    return [_("Not counted in the forecast, as no opening date is known: %(sites)s.") % {"sites": names}] * bool(names)


def _reached(pace: Pace, needed: int, today: dt.date) -> Reached:
    days = [pace.days_until(needed, level) for level in LEVELS]
    return Reached([None if n is None else today + n * DAY for n in days], today + LONGEST * DAY)


def _future(pace: Pace, reached: Reached, included: int, target: int, today: dt.date) -> list[Point]:
    months = charts.month_starts(today + 2 * DAY, reached.end, MOST_ROWS)
    days = sorted({*(month - DAY for month in months), reached.end})
    return [
        Point(day, expected=[included + n for n in pace.counts((day - today).days, LEVELS, target - included)])
        for day in days
    ]


def _cumulative(by_day: Counter[dt.date]) -> list[tuple[dt.date, int]]:
    days = sorted(by_day)
    return list(zip(days, accumulate(by_day[day] for day in days), strict=True))


def _steps(by_day: Counter[dt.date], today: dt.date) -> list[tuple[dt.date, int]]:
    """Of many days every few, each with all that came before: a step narrower than a line cannot be seen."""
    counts = _cumulative(by_day)
    begin = counts[0][0] - DAY if counts else today
    every = 1 + len(counts) // MOST_STEPS
    return [(begin, 0), *counts[::every], (today, by_day.total())]


def _month_ends(by_day: Counter[dt.date], today: dt.date) -> list[tuple[dt.date, int]]:
    """The counts at the ends of the months so far, and today's."""
    first = min(by_day, default=today)
    days = [month - DAY for month in charts.month_starts(first + DAY, today, MOST_ROWS)]
    counts = [(first - DAY, 0), *_cumulative(by_day)]
    known = [day for day, _count in counts]
    return [(day, counts[bisect(known, day) - 1][1]) for day in [*days, today]]
