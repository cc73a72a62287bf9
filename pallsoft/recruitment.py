"""The recruitment page: inclusions against the target, by site and month, and the screening funnel.

Totals only: nothing here is by arm, and no subject is named. What a person sees is scoped to the sites where the
role gives VIEW_RECRUITMENT.
"""

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from django.db.models import Count, Min, Q
from django.db.models.functions import Coalesce, TruncMonth
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from pallsoft import charts
from pallsoft.accounts.request import AuthenticatedRequest
from randomization.models import Allocation
from sites.models import ScreeningEntry, ScreeningOutcome, Site, Subject
from sites.permissions import Permission, sites_for
from sites.selectors import study_for
from trials.definition import StudyDef, definition_of
from trials.models import Study
from trials.selectors import live_version


@dataclass(frozen=True)
class Recruitment:
    """Inclusions of the sites in view. `months`: first days, oldest first, without a hole."""

    target: int
    months: list[dt.date]
    by_site: dict[Site, list[int]]  # inclusions per month, in the order of `months`
    consented: list[int]  # first consents per month, in the order of `months`
    screened: int
    outcomes: Counter[str]

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
    """Four queries, however many subjects there are."""
    counts, consents = _inclusions(sites), _first_consents(sites)
    first = min([month for _site, month in counts] + list(consents), default=today.replace(day=1))
    months = months_between(first, today)
    outcomes = Counter(
        dict(
            ScreeningEntry.objects.filter(site__in=sites)
            .values_list("outcome")
            .annotate(n=Count("id"))
            .values_list("outcome", "n")
        )
    )
    by_site = {site: [counts[site.id, month] for month in months] for site in sites}
    consented = [consents[month] for month in months]
    return Recruitment(definition.target, months, by_site, consented, sum(outcomes.values()), outcomes)


def _inclusions(sites: list[Site]) -> Counter[tuple[object, dt.date]]:
    rows = (
        Allocation.objects.filter(subject__site__in=sites)
        .annotate(month=TruncMonth(Coalesce("happened_at", "at")))
        .values_list("subject__site", "month")
        .annotate(n=Count("id"))
    )
    return Counter({(site, month.date()): n for site, month, n in rows})


def _first_consents(sites: list[Site]) -> Counter[dt.date]:
    rows = (
        Subject.objects.filter(site__in=sites)
        .order_by()
        .annotate(month=TruncMonth(Min("consents__signed_at", filter=Q(consents__corrected_by=None))))
    )
    return Counter(month.date() for month in rows.values_list("month", flat=True) if month)


def months_between(first: dt.date, last: dt.date) -> list[dt.date]:
    """First days of each month from `first` to `last`, both included."""
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    return [dt.date(first.year + (first.month - 1 + n) // 12, (first.month - 1 + n) % 12 + 1, 1) for n in range(count)]


@require_safe
def recruitment_page(request: AuthenticatedRequest, study_oid: str) -> HttpResponse:
    study = study_for(request.user, study_oid, Permission.VIEW_RECRUITMENT)
    sites = list(sites_for(request.user, study, Permission.VIEW_RECRUITMENT).order_by("city"))
    found = recruitment_of(study, definition_of(live_version(study)), sites, timezone.localdate())
    context = {"recruitment": found, "site_rows": site_rows(found), "funnel": funnel(found)}
    return render(request, "pallsoft/recruitment.html", context | _charts(found))


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
