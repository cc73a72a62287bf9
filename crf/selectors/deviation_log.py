"""The log of deviations: what was found, how it was explained, and what the principal investigator says of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from django.db.models import Case, Count, Q, QuerySet, When
from django.http import Http404
from django.urls import reverse
from django.utils.translation import get_language, gettext_lazy

from crf.models import Deviation, DeviationStatus
from crf.selectors.loading import sees_arm
from crf.selectors.matrix import visit_label
from crf.selectors.off_plan import off_plan
from crf.selectors.secrets import secrets_of
from crf.selectors.visible import Definitions, visible_deviations
from sites.clock import local_today
from sites.models import Site, Subject
from sites.permissions import AnyUser, Permission, at_sites, permissions_anywhere, sites_for
from sites.selectors import definition_at, definition_in_use, one_of
from trials.definition import DeviationRule, StudyDef
from trials.models import Study

CHIPS = {
    DeviationStatus.PROPOSED: "overdue",
    DeviationStatus.CONFIRMED: "complete",
    DeviationStatus.REJECTED: "planned",
}
WEIGHTS = {"major": gettext_lazy("Major"), "minor": gettext_lazy("Minor")}


@dataclass(frozen=True)
class DeviationLine:
    """`rule`: its kind, None in a study without a table. `stands`: false when the data no longer show it. `may_judge`:
    whether the person does so at this site.
    """

    deviation: Deviation
    rule: DeviationRule | None
    place: str
    message: str
    found_at: datetime
    url: str
    stands: bool
    may_judge: bool

    @property
    def weight(self) -> str:
        return str(WEIGHTS[self.rule.weight]) if self.rule else ""

    @property
    def chip(self) -> str:
        return CHIPS[DeviationStatus(self.deviation.status)]


@dataclass(frozen=True)
class Kind:
    """A line of the study's table of deviations: what it takes out of which sets, and how many there are."""

    rule: DeviationRule
    sets: list[str]
    found: int
    confirmed: int

    @property
    def weight(self) -> str:
        return str(WEIGHTS[self.rule.weight])


class DeviationLog:
    """What of a study the person sees, with the filters of the address: `site`, `status`, `weight`, `rule`; "" and what
    is not known do not narrow.
    """

    def __init__(self, user: AnyUser, study: Study, asked: Mapping[str, str]) -> None:
        self.user, self.study = user, study
        self._definitions = Definitions(study)
        self._found_off_plan: dict[tuple[UUID, str], set[UUID]] = {}
        self.site = one_of(asked.get("site"), [one.code for one in self.sites])
        self.status = one_of(asked.get("status"), DeviationStatus.values)
        self.weight = one_of(asked.get("weight"), WEIGHTS)
        self.rule = one_of(asked.get("rule"), self.rules)

    @property
    def rules(self) -> dict[str, DeviationRule]:
        return self._definitions.deviation_rules

    @property
    def all_default(self) -> bool:
        """Is the whole table ours, so that it needs to be said once only?"""
        return all(rule.source == "default" for rule in self.rules.values())

    @property
    def weights(self) -> list[tuple[str, str]]:
        return [(code, str(word)) for code, word in WEIGHTS.items()]

    @cached_property
    def sites(self) -> list[Site]:
        return list(sites_for(self.user, self.study, Permission.VIEW_SUBJECT).order_by("city"))

    @cached_property
    def of_sites(self) -> QuerySet[Deviation]:
        """Those of the chosen site, kind and weight, whatever their status."""
        found = visible_deviations(self.user, self.study)
        if self.site:
            found = found.filter(subject__site__code=self.site)
        if self.rule:
            found = found.filter(rule_oid=self.rule)
        return weighing(found, self.rules, self.weight)

    @property
    def kinds(self) -> list[Kind]:
        """The table of the study in use, with what was found of each at the chosen site."""
        at_site = visible_deviations(self.user, self.study)
        at_site = at_site.filter(subject__site__code=self.site) if self.site else at_site
        confirmed = Count("pk", filter=Q(status=DeviationStatus.CONFIRMED))
        rows = at_site.order_by().values_list("rule_oid").annotate(found=Count("pk"), confirmed=confirmed)
        counted = {oid: numbers for oid, *numbers in rows}
        sets = {one.oid: str(one.label) for study in self._definitions.all if study.flow for one in study.flow.sets}
        return [
            Kind(rule, [sets[oid] for oid in rule.excludes], *counted.get(rule.oid, (0, 0)))
            for rule in self.rules.values()
        ]

    @property
    def counts(self) -> list[tuple[str, str, int]]:
        """(status, its word, how many); "" is all."""
        counted = dict(self.of_sites.order_by().values_list("status").annotate(Count("pk")))
        return [(one.value, str(one.label), counted.get(one.value, 0)) for one in DeviationStatus]

    @property
    def total(self) -> int:
        return self.of_sites.count()

    @property
    def found(self) -> QuerySet[Deviation]:
        """Those that the filters ask for: what nobody has judged first, then the newest."""
        chosen = self.of_sites.filter(status=self.status) if self.status else self.of_sites
        related = ("subject__site", "subject__study", "event", "form_data", "created_in")
        waits_first = Case(When(status=DeviationStatus.PROPOSED, then=0), default=1)
        return chosen.select_related(*related).order_by(waits_first, "-created_in__at", "pk")

    @property
    def may_record(self) -> bool:
        return Permission.RECORD_DEVIATION in permissions_anywhere(self.user, self.study)

    def lines(self, rows: Iterable[Deviation]) -> list[DeviationLine]:
        """In the active language."""
        return [self._line(row) for row in rows]

    def one(self, pk: UUID) -> Deviation:
        """Raises Http404 for one that the person does not see."""
        row = self.found.filter(pk=pk).first() or visible_deviations(self.user, self.study).filter(pk=pk).first()
        if row is None:
            raise Http404
        return row

    def _line(self, row: Deviation) -> DeviationLine:
        language = get_language() or ""
        place, url = self._place(row)
        return DeviationLine(
            row,
            self.rules.get(row.rule_oid),
            place,
            row.message["nb" if language.startswith("nb") else "en"],
            row.created_in.at,
            url,
            self._stands(row),
            self._judges_all or row.subject.site_id in self._judged_at,
        )

    def _place(self, row: Deviation) -> tuple[str, str]:
        """Where it is in words, and the page that shows it."""
        subject = [self.study.oid, row.subject.number]
        if row.event is None:
            return "", reverse("subject", args=subject)
        definition = self._definition_of(row)
        visit = visit_label(row.event, definition.event(row.event.event_oid))
        if row.form_data is None:
            return visit, reverse("visit", args=[*subject, *row.event.key])
        form = row.form_data.form_oid
        address = [*subject, *row.event.key, form, row.form_data.repeat_key]
        return f"{visit} · {definition.form(form).title}", reverse("form", args=address)

    def _stands(self, row: Deviation) -> bool:
        if row.form_data is not None:
            told = (key for mark in row.form_data.marks.values() for key in mark.get("checks", {}))
            return any(key.partition("@")[0] == row.check_oid for key in told)
        return row.event_id is None or row.event_id in self._off_plan(row.subject.site, row.rule_oid)

    def _off_plan(self, site: Site, rule_oid: str) -> set[UUID]:
        """The visits that the plan would propose today; found once for all lines of the site."""
        if (site.pk, rule_oid) not in self._found_off_plan:
            self._found_off_plan[site.pk, rule_oid] = _visits_off_plan(site, rule_oid)
        return self._found_off_plan[site.pk, rule_oid]

    def _definition_of(self, row: Deviation) -> StudyDef:
        """The newest that has the place: a part that is retired keeps the words that it had."""
        event, form = row.event, row.form_data
        assert event is not None  # of those without a visit nobody asks
        return next(
            one
            for one in self._definitions.all
            if one.has_event(event.event_oid) and (form is None or one.has_form(form.form_oid))
        )

    @cached_property
    def _judges(self) -> dict[str, Any]:
        return at_sites(self.user, self.study, Permission.JUDGE_DEVIATION)

    @property
    def _judges_all(self) -> bool:
        return self._judges == {}

    @property
    def _judged_at(self) -> set[UUID]:
        found: set[UUID] = self._judges.get("site__in", set())
        return found


def _visits_off_plan(site: Site, rule_oid: str) -> set[UUID]:
    definition = definition_in_use(site)
    if definition is None:
        return set()
    rules = [rule for rule in definition.deviations if rule.oid == rule_oid]
    today = local_today(site.timezone)
    return {pk for rule in rules for pk in off_plan(site, definition, rule, today).values_list("pk", flat=True)}


def kinds_for(user: AnyUser, subject: Subject) -> list[DeviationRule]:
    """The kinds that the person may enter: not one that can tell the arm when it would be hidden from them at once."""
    secret = frozenset() if sees_arm(user, subject) else secrets_of(subject.study).rules
    return [rule for rule in definition_at(subject.site).deviations if rule.oid not in secret]


def weighing(deviations: QuerySet[Deviation], rules: Mapping[str, DeviationRule], weight: str) -> QuerySet[Deviation]:
    """Those of a weight, "" for all. What no table knows counts as major: nobody has said that it is minor."""
    minor = [rule.oid for rule in rules.values() if rule.weight == "minor"]
    if weight == "minor":
        return deviations.filter(rule_oid__in=minor)
    return deviations.exclude(rule_oid__in=minor) if weight else deviations
