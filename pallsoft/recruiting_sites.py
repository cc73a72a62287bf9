"""Recruitment of each site: since when it is open, whom it considered and included, how fast, and why not.

Totals only: nothing here is by arm, and no subject is named. Three queries, however many sites there are; what they
read is counted as it happens (randomization.models.Tally), so it does not grow with the subjects.
"""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection

from pallsoft.audit.models import ItemChange
from pallsoft.forecast import DAYS_IN_MONTH, SiteRecord, poisson_interval
from sites.models import ScreeningOutcome, Site
from sites.policies import can_randomize
from trials.models import Status, Study

AFTER_CONSENT = "after_consent"  # a screen failure; the codes of the screening log are for those who did not consent
DAY = dt.timedelta(days=1)
Spell = tuple[dt.date, dt.date]
# A row for each site and kind: thousands of days come faster as arrays than as rows.
BY_DAY = """
    SELECT site_id, kind, array_agg(day), array_agg(n) FROM randomization_tally
    WHERE site_id = ANY (%s::uuid[]) AND kind <> 'screened' AND n > 0 GROUP BY 1, 2"""
BY_REASON = """
    SELECT site_id, code, sum(n)::integer FROM randomization_tally
    WHERE site_id = ANY (%s::uuid[]) AND kind = 'screened' AND n > 0 GROUP BY 1, 2"""


@dataclass(frozen=True)
class SiteRecruitment:
    """One site until today. `spells`: when it was open, each to the day before its second date."""

    site: Site
    spells: list[Spell]
    recruits: bool
    by_day: Counter[dt.date]  # inclusions
    consented: Counter[dt.date]  # first consents, by the first day of the month
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
    tallies, moves = _tallies(sites), _moves(sites)
    return [
        SiteRecruitment(
            site=site,
            spells=open_spells(moves[site.pk], today),
            recruits=can_randomize(study, site),
            by_day=tallies[site.pk]["included"],
            consented=tallies[site.pk]["consented"],
            outcomes=_outcomes(tallies[site.pk]["screened"]),
            reasons=_reasons(tallies[site.pk]["screened"], tallies[site.pk]["failed"].total()),
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


def _tallies(sites: list[Site]) -> dict[UUID, dict[str, Counter[Any]]]:
    """{site: {kind: how many by day, or of the screening log by outcome and reason}}."""
    found: dict[UUID, dict[str, Counter[Any]]] = defaultdict(lambda: defaultdict(Counter))
    given = [[site.pk for site in sites]]
    with connection.cursor() as cursor:
        cursor.execute(BY_DAY, given)
        for site, kind, days, numbers in cursor.fetchall():
            found[site][kind] = Counter(dict(zip(days, numbers, strict=True)))
        cursor.execute(BY_REASON, given)
        for site, code, n in cursor.fetchall():
            found[site]["screened"][code] = n
    return found


def _outcomes(screened: Counter[str]) -> Counter[str]:
    outcomes: Counter[str] = Counter()
    for code, n in screened.items():
        outcomes[code.partition("|")[0]] += n
    return outcomes


def _reasons(screened: Counter[str], failed: int) -> Counter[str]:
    """Why persons did not come in, before the consent or after."""
    reasons = Counter({AFTER_CONSENT: failed} if failed else {})
    for code, n in screened.items():
        outcome, _bar, reason = code.partition("|")
        if outcome not in (ScreeningOutcome.PENDING, ScreeningOutcome.CONSENTED):
            reasons[reason] += n
    return reasons


def all_days(rows: Sequence[SiteRecruitment]) -> Counter[dt.date]:
    """Inclusions by day, of all the sites."""
    return sum((row.by_day for row in rows), Counter())


def all_reasons(rows: Sequence[SiteRecruitment]) -> Counter[str]:
    return sum((row.reasons for row in rows), Counter())
