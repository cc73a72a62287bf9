"""Serious events held against deaths and grave grades: what does not fit together, as sentences (S16).

No arm is told, and nothing is decided here: each sentence leads to where a person looks.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _

from crf.models import FormData
from crf.safety.clock import aware_at, is_serious
from crf.safety.standing import reported_at
from pallsoft.accounts.models import User
from sites.models import Death, DeathCause, Site, Subject
from sites.permissions import Permission, sites_for
from sites.selectors import definition_in_use
from trials.definition import SafetyPlan, StudyDef
from trials.models import Study
from trials.values import typed


@dataclass(frozen=True)
class SeriousEvent:
    """One line of the list: when the site was aware, when it was entered, when it was reported (None: not yet).

    `waits`: what the sponsor has not done yet, "" for nothing.
    """

    subject: Subject
    url: str
    reports_url: str
    paper_url: str
    aware_at: datetime
    entered_at: datetime
    reported_at: datetime | None
    waits: str


@dataclass(frozen=True)
class Mismatch:
    sentence: str
    url: str


@dataclass(frozen=True)
class Reconciliation:
    events: list[SeriousEvent]
    mismatches: list[Mismatch]


def reconciliation(user: User, study: Study) -> Reconciliation:
    """Of the sites where the person raises queries; three queries a site."""
    found = Reconciliation([], [])
    for site in sites_for(user, study, Permission.RAISE_QUERY).select_related("study"):
        definition = definition_in_use(site)
        if definition and definition.safety:
            _Site(site, definition, definition.safety).add_to(found)
    return found


class _Site:
    def __init__(self, site: Site, definition: StudyDef, plan: SafetyPlan) -> None:
        self.definition, self.plan = definition, plan
        rows = FormData.objects.filter(subject__site=site, form_oid=plan.form, removed_in=None)
        self.rows = list(rows.select_related("subject__study", "event", "created_in").order_by("created_in__at"))
        self.reported = {one.row.pk: one for one in reported_at(site)}
        deaths = Death.objects.standing().filter(subject__site=site).select_related("subject__study")
        self.deaths: dict[UUID, Death] = {death.subject_id: death for death in deaths}

    def add_to(self, found: Reconciliation) -> None:
        found.events.extend(self._event(row) for row in self.rows if is_serious(row, self.plan))
        found.mismatches.extend(self._mismatches())

    def _event(self, row: FormData) -> SeriousEvent:
        told = row.data.get(self.plan.reported, "")
        reported = typed(self.definition.item(self.plan.reported), told) if told else None
        at = reported if isinstance(reported, datetime) else None
        return SeriousEvent(
            subject=row.subject,
            url=_url(row),
            reports_url=_url(row, "event-reports"),
            paper_url=_url(row, "serious-event-paper"),
            aware_at=aware_at(row, self.definition, self.plan),
            entered_at=row.created_in.at,
            reported_at=at,
            waits=self._waits(row),
        )

    def _waits(self, row: FormData) -> str:
        standing = self.reported.get(row.pk)
        if standing is None:
            return ""
        if standing.unread:
            return _("To read")
        return _("To assess") if self.plan.assessment and not standing.assessed else ""

    def _mismatches(self) -> Iterator[Mismatch]:
        fatal: dict[UUID, list[FormData]] = defaultdict(list)
        for row in self.rows:
            number = {"number": row.subject.number}
            if self._is_fatal(row):
                fatal[row.subject_id].append(row)
                if row.subject_id not in self.deaths:
                    yield Mismatch(_("%(number)s: a fatal event, but no death is recorded.") % number, _url(row))
            if row.data.get(self.plan.grade) in self.plan.grave and not is_serious(row, self.plan):
                told = number | {"grade": row.data[self.plan.grade]}
                yield Mismatch(_("%(number)s: an event of grade %(grade)s is not serious.") % told, _url(row))
        for subject_id, death in self.deaths.items():
            if death.cause != DeathCause.CANCER and not fatal[subject_id]:
                told = {"number": death.subject.number, "cause": death.get_cause_display()}
                sentence = _("%(number)s died (%(cause)s), but no fatal event is entered.") % told
                url = reverse("participation", args=[death.subject.study.oid, death.subject.number])
                yield Mismatch(sentence, url)

    def _is_fatal(self, row: FormData) -> bool:
        return bool(row.data.get(self.plan.outcome) == self.plan.fatal)


def _url(row: FormData, name: str = "form") -> str:
    place = [row.subject.study.oid, row.subject.number, *row.event.key, row.form_oid, row.repeat_key]
    return reverse(name, args=place)
