"""The recruitment page: inclusions against the target, the forecast, each site, and the screening funnel.

Totals only: nothing here is by arm, and no subject is named. What a person sees is scoped to the sites where the
role gives VIEW_RECRUITMENT; the forecast is of the whole trial, for those who see all its sites.
"""

import datetime as dt
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise
from typing import Any

from django import forms
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from crf.exports.archive import rows_csv
from pallsoft import charts
from pallsoft.accounts.request import AuthenticatedRequest
from pallsoft.outlook import LEVELS, Outlook, Point, outlook_of
from pallsoft.recruiting_sites import AFTER_CONSENT, SiteRecruitment, all_reasons, recruitment_by_site
from sites.models import ScreeningOutcome, Site
from sites.permissions import Permission, at_sites, sites_for
from sites.selectors import reasons_in, study_for
from trials.definition import StudyDef, definition_of
from trials.models import Study
from trials.selectors import live_version

MOST_OPENED = 50
SITE_COLUMNS = [
    "SITE", "STATUS", "OPEN_SINCE", "DAYS_OPEN", "SCREENED", "INCLUDED", "PER_MONTH", "PER_MONTH_LOW",
    "PER_MONTH_HIGH", "LAST_INCLUSION", "NOT_INCLUDED",
]  # fmt: skip
FORECAST_COLUMNS = ["DAY", "INCLUDED", "LOW_90", "LOW_50", "MIDDLE", "HIGH_50", "HIGH_90"]


@dataclass(frozen=True)
class Recruitment:
    """Inclusions of the sites in view. `months`: first days, oldest first, without a hole."""

    target: int
    months: list[dt.date]
    by_site: dict[Site, list[int]]  # inclusions per month, in the order of `months`
    consented: list[int]  # first consents per month, in the order of `months`
    screened: int
    outcomes: Counter[str]
    rows: Sequence[SiteRecruitment] = ()

    @property
    def total(self) -> int:
        return sum(map(sum, self.by_site.values()))

    @property
    def per_month(self) -> list[int]:
        return [sum(counts) for counts in zip(*self.by_site.values(), strict=True)]

    @property
    def this_month(self) -> int:
        return self.per_month[-1] if self.by_site else 0

    @property
    def recent_mean(self) -> float:
        """Inclusions a month over the last three whole months (fewer while the trial is younger)."""
        whole = self.per_month[-4:-1]
        return sum(whole) / len(whole) if whole else 0.0

    @property
    def shown_months(self) -> list[dt.date]:
        return self.months[-12:]

    @property
    def cumulative(self) -> list[int]:
        return list(accumulate(self.per_month or [0] * len(self.months)))


def recruitment_of(study: Study, definition: StudyDef, sites: list[Site], today: dt.date) -> Recruitment:
    """Three queries, however many subjects there are."""
    rows = recruitment_by_site(study, sites, today)
    consents = sum((row.consented for row in rows), Counter[dt.date]())
    days = [day for row in rows for day in row.by_day]
    first = min([*days, *consents], default=today)
    months = months_between(first, today)
    outcomes = sum((row.outcomes for row in rows), Counter[str]())
    by_site = {row.site: _per_month(row.by_day, months) for row in rows}
    consented = [consents[month] for month in months]
    return Recruitment(definition.target, months, by_site, consented, outcomes.total(), outcomes, rows)


def _per_month(by_day: Counter[dt.date], months: list[dt.date]) -> list[int]:
    """The counts between one first day and the next; the days come as they are, so each month is a slice of them."""
    days = sorted(by_day)
    so_far = [0, *accumulate(by_day[day] for day in days)]
    ends = [so_far[bisect_left(days, month)] for month in [*months, dt.date.max]]
    return [later - earlier for earlier, later in pairwise(ends)]


def months_between(first: dt.date, last: dt.date) -> list[dt.date]:
    """First days of each month from `first` to `last`, both included."""
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    return [dt.date(first.year + (first.month - 1 + n) // 12, (first.month - 1 + n) % 12 + 1, 1) for n in range(count)]


class ChangeForm(forms.Form):
    """What if: sites that open more, and that close."""

    opened = forms.IntegerField(
        label=gettext_lazy("Sites opened more"), required=False, min_value=0, max_value=MOST_OPENED
    )
    closed = forms.IntegerField(label=gettext_lazy("Sites closed"), required=False, min_value=0)

    def __init__(self, data: QueryDict, *, going: int) -> None:
        super().__init__(data)
        self.going = going

    def clean_closed(self) -> int:
        closed: int = self.cleaned_data["closed"] or 0
        if closed > self.going:
            raise forms.ValidationError(_("Only %(n)s recruit now.") % {"n": self.going})
        return closed

    def clean_opened(self) -> int:
        return self.cleaned_data["opened"] or 0


class Page:
    """What is asked for, found once for the page and for its tables as CSV."""

    def __init__(self, request: AuthenticatedRequest, study_oid: str) -> None:
        self.study = study_for(request.user, study_oid, Permission.VIEW_RECRUITMENT)
        sites = list(sites_for(request.user, self.study, Permission.VIEW_RECRUITMENT).order_by("city"))
        self.today = timezone.localdate()
        self.definition = definition_of(live_version(self.study))
        self.found = recruitment_of(self.study, self.definition, sites, self.today)
        self.sees_all = at_sites(request.user, self.study, Permission.VIEW_RECRUITMENT) == {}
        going = sum(row.recruits and row.days_open > 0 for row in self.found.rows)
        self.form = ChangeForm(request.GET, going=going)

    @cached_property
    def outlook(self) -> Outlook | None:
        """None for who sees some of the sites only: the target is that of all. A wrong entry changes nothing."""
        changes = self.form.cleaned_data if self.form.is_valid() else {}
        if not self.sees_all:
            return None
        plan = self.definition.recruitment
        return outlook_of(list(self.found.rows), self.found.target, self.today, plan=plan, **changes)

    @cached_property
    def words(self) -> dict[str, str]:
        """{code of a reason: what it says}."""
        known = dict(choice for choices in reasons_in(self.definition).values() for choice in choices)
        return known | {AFTER_CONSENT: _("Screen failure after the consent")}

    @property
    def reasons(self) -> list[tuple[str, int]]:
        """A code that a later version no longer has stands for itself."""
        return [(self.words.get(code, code), n) for code, n in all_reasons(self.found.rows).most_common()]

    @property
    def sites(self) -> list[tuple[SiteRecruitment, str, charts.Sparkline | None]]:
        """With the reasons in short (of a criterion its code, whose words stand in `reasons`), and the course of the
        months shown, drawn to the same height for all sites."""
        criteria = {criterion.oid: criterion.oid for criterion in self.definition.eligibility.criteria}
        short = self.words | criteria
        return [
            (row, "; ".join(f"{n} {short.get(code, code)}" for code, n in row.reasons.most_common()), self._course(row))
            for row in self.found.rows
        ]

    def _course(self, row: SiteRecruitment) -> charts.Sparkline | None:
        """Inclusions a month; None while there is one month only."""
        months = self.found.shown_months
        most = max((max(counts[-len(months) :]) for counts in self.found.by_site.values()), default=0)
        points = list(zip(months, self.found.by_site[row.site][-len(months) :], strict=True))
        return charts.sparkline(points, (0, max(most, 1))) if len(points) > 1 else None


@require_safe
def recruitment_page(request: AuthenticatedRequest, study_oid: str) -> HttpResponse:
    page = Page(request, study_oid)
    found = page.found
    context = {"page": page, "recruitment": found, "site_rows": site_rows(found), "funnel": funnel(found)}
    return render(request, "pallsoft/recruitment.html", context | _charts(found))


@require_safe
def recruitment_csv(request: AuthenticatedRequest, study_oid: str, table: str) -> HttpResponse:
    """A table of the page as it is shown, with the same question in the address."""
    page = Page(request, study_oid)
    if table == "sites":
        content = rows_csv(table, SITE_COLUMNS, map(_site_line, page.sites)).content
    elif table == "forecast" and page.outlook:
        plan = ["PLANNED"] if page.definition.recruitment else []
        lines = (_forecast_line(point, plan) for point in page.outlook.points)
        content = rows_csv(table, FORECAST_COLUMNS + plan, lines).content
    else:
        raise Http404
    name = f"{page.study.oid}-recruitment-{table}.csv"
    return HttpResponse(content, "text/csv", headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _forecast_line(point: Point, plan: Sequence[str]) -> list[Any]:
    expected: Sequence[Any] = point.expected or [""] * len(LEVELS)
    return [point.day, point.included, *expected, *(point.planned for _column in plan)]


def _site_line(shown: tuple[SiteRecruitment, str, charts.Sparkline | None]) -> list[Any]:
    row, reasons, _course = shown
    rates = [f"{rate:.2f}" for rate in row.rate] if row.rate else [None] * 3
    state, counts = row.site.get_status_display(), [row.days_open, row.screened, row.included]
    return [row.site.city, state, row.open_since, *counts, *rates, row.last_inclusion, reasons]


def site_rows(found: Recruitment) -> list[dict[str, Any]]:
    """Per site: inclusions in the last twelve months shown, and in all."""
    return [{"site": site, "counts": counts[-12:], "total": sum(counts)} for site, counts in found.by_site.items()]


def funnel(found: Recruitment) -> list[dict[str, Any]]:
    """CONSORT enrolment: how many were considered, and how each was settled."""
    return [{"label": outcome.label, "count": found.outcomes[outcome]} for outcome in ScreeningOutcome]


def _charts(found: Recruitment) -> dict[str, Any]:
    totals = [(site.city, sum(counts)) for site, counts in found.by_site.items()]
    return {
        "included": _steps(found.months, found.cumulative),
        "consented": _steps(found.months, list(accumulate(found.consented))),
        "bars": charts.bar_chart(sorted(totals, key=lambda row: (-row[1], row[0]))),
    }


def _steps(months: list[dt.date], cumulative: list[int]) -> charts.StepChart:
    """The line stands at the end of each month; its last point is today's count."""
    ends = [*(month - dt.timedelta(days=1) for month in months[1:]), timezone.localdate()]
    return charts.step_chart([(months[0], 0), *zip(ends, cumulative, strict=True)])
