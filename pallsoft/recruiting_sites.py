"""Recruitment of each site: since when it is open, whom it considered and included, how fast, and why not.

Totals only: nothing here is by arm, and no subject is named. Four queries, however many sites and subjects there are.
"""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count
from django.db.models.functions import Coalesce, TruncDate

from pallsoft.audit.models import ItemChange
from pallsoft.forecast import DAYS_IN_MONTH, SiteRecord, poisson_interval
from randomization.models import Allocation
from sites.models import ScreeningEntry, ScreeningOutcome, Site, Subject, SubjectStatus
from sites.policies import can_randomize
from trials.models import Status, Study

AFTER_CONSENT = "after_consent"  # a screen failure; the codes of the screening log are for those who did not consent
DAY = dt.timedelta(days=1)
Spell = tuple[dt.date, dt.date]


@dataclass(frozen=True)
class SiteRecruitment:
    """One site until today. `spells`: when it was open, each to the day before its second date."""

    site: Site
    spells: list[Spell]
    recruits: bool
    by_day: Counter[dt.date]  # inclusions
    outcomes: Counter[str]  # of the screening log
    reasons: Counter[str]  # {code: persons who did not come in}

    @property
    def open_since(self) -> dt.date | None:
        return self.spells[0][0] if self.spells else None

    @property
    def days_open(self) -> int:
        return sum((until - since).days for since, until in self.spells)

    @property
    def screened(self) -> int:
        return self.outcomes.total()

    @property
    def included(self) -> int:
        return self.by_day.total()

    @property
    def last_inclusion(self) -> dt.date | None:
        return max(self.by_day, default=None)

    @property
    def rate(self) -> tuple[float, float, float] | None:
        """Inclusions a month, and the exact 95 % interval; None for a site that never was open."""
        if not self.days_open:
            return None
        low, high = poisson_interval(self.included)
        per_month = DAYS_IN_MONTH / self.days_open
        return self.included * per_month, low * per_month, high * per_month

    @property
    def record(self) -> SiteRecord:
        return SiteRecord(self.included, self.days_open, self.recruits)


def recruitment_by_site(study: Study, sites: list[Site], today: dt.date) -> list[SiteRecruitment]:
    """In the order of the sites."""
    inclusions, moves = _inclusions(sites), _moves(sites)
    outcomes, reasons = _screening(sites)
    return [
        SiteRecruitment(
            site=site,
            spells=open_spells(moves[site.pk], today),
            recruits=can_randomize(study, site),
            by_day=inclusions[site.pk],
            outcomes=outcomes[site.pk],
            reasons=reasons[site.pk],
        )
        for site in sites
    ]


def open_spells(moves: Iterable[tuple[str, dt.date | None]], today: dt.date) -> list[Spell]:
    """When the site was open, from its states in their order with the day of each; today counts as a whole day."""
    found: list[Spell] = []
    opened: dt.date | None = None
    for status, since in [*moves, ("", today + DAY)]:
        if opened and since and since > opened:
            found.append((opened, since))
        opened = since if status == Status.OPEN else None
    return found


def _moves(sites: list[Site]) -> dict[UUID, list[tuple[str, dt.date | None]]]:
    """The states of each site as the trail has them: the row itself knows its present one only."""
    changes = ItemChange.objects.filter(
        tbl="sites_site", row_id__in=[site.pk for site in sites], part="", item__in=["status", "status_since"]
    )
    said: dict[tuple[UUID, UUID], dict[str, Any]] = defaultdict(dict)
    for row, change_set, item, new in changes.order_by("id").values_list("row_id", "change_set", "item", "new"):
        said[row, change_set][item] = new
    moves: dict[UUID, list[tuple[str, dt.date | None]]] = defaultdict(list)
    for (row, _change_set), now in said.items():
        if "status" in now:  # two moves on one day change the state only
            since = dt.date.fromisoformat(now["status_since"]) if "status_since" in now else moves[row][-1][1]
            moves[row].append((now["status"], since))
    return moves


def _inclusions(sites: list[Site]) -> dict[UUID, Counter[dt.date]]:
    """By the day of the randomisation, which for one from the fallback list is not that of its entry."""
    rows = Allocation.objects.filter(site__in=sites).annotate(day=TruncDate(Coalesce("happened_at", "at")))
    found: dict[UUID, Counter[dt.date]] = defaultdict(Counter)
    for site, day, n in rows.values_list("site", "day").annotate(n=Count("pk")):
        found[site][day] = n
    return found


def _screening(sites: list[Site]) -> tuple[dict[UUID, Counter[str]], dict[UUID, Counter[str]]]:
    """By site: the outcomes in the screening log, and why persons did not come in, before the consent or after."""
    lines = ScreeningEntry.objects.filter(site__in=sites).order_by().values_list("site", "outcome", "reason_code")
    outcomes: dict[UUID, Counter[str]] = defaultdict(Counter)
    reasons: dict[UUID, Counter[str]] = defaultdict(Counter)
    for site, outcome, code, n in lines.annotate(n=Count("pk")):
        outcomes[site][outcome] += n
        if outcome not in (ScreeningOutcome.PENDING, ScreeningOutcome.CONSENTED):
            reasons[site][code] += n
    failed = Subject.objects.filter(site__in=sites, status=SubjectStatus.SCREEN_FAILURE).order_by()
    for site, n in failed.values_list("site").annotate(n=Count("pk")):
        reasons[site][AFTER_CONSENT] = n
    return outcomes, reasons


def all_days(rows: Sequence[SiteRecruitment]) -> Counter[dt.date]:
    """Inclusions by day, of all the sites."""
    return sum((row.by_day for row in rows), Counter())


def all_reasons(rows: Sequence[SiteRecruitment]) -> Counter[str]:
    return sum((row.reasons for row in rows), Counter())
