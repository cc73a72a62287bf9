"""The log of deviations: what was found, how it was explained, and what the principal investigator says of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from django.db.models import Case, Count, QuerySet, When
from django.http import Http404
from django.urls import reverse
from django.utils.translation import get_language

from crf.models import Deviation, DeviationStatus
from crf.selectors.matrix import visit_label
from crf.selectors.visible import Definitions, visible_deviations
from sites.models import Site
from sites.permissions import AnyUser, Permission, at_sites, sites_for
from trials.definition import StudyDef
from trials.models import Study

CHIPS = {
    DeviationStatus.PROPOSED: "overdue",
    DeviationStatus.CONFIRMED: "complete",
    DeviationStatus.REJECTED: "planned",
}


@dataclass(frozen=True)
class DeviationLine:
    """`may_judge`: whether the person does so at this site."""

    deviation: Deviation
    visit: str
    form: str
    message: str
    found_at: datetime
    url: str
    may_judge: bool

    @property
    def chip(self) -> str:
        return CHIPS[DeviationStatus(self.deviation.status)]


class DeviationLog:
    """What of a study the person sees, with the filters of the address. `status` "": all of them."""

    def __init__(self, user: AnyUser, study: Study, site: str, status: str) -> None:
        self.user, self.study = user, study
        self.site = site if site in {one.code for one in self.sites} else ""
        self.status = status if status in DeviationStatus.values else ""
        self._definitions = Definitions(study)

    @cached_property
    def sites(self) -> list[Site]:
        return list(sites_for(self.user, self.study, Permission.VIEW_SUBJECT).order_by("city"))

    @cached_property
    def of_sites(self) -> QuerySet[Deviation]:
        """Those of the chosen site, whatever their status."""
        found = visible_deviations(self.user, self.study)
        return found.filter(subject__site__code=self.site) if self.site else found

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
        definition, language = self._definition_of(row), get_language() or ""
        place = [self.study.oid, row.subject.number, *row.event.key, row.form_data.form_oid, row.form_data.repeat_key]
        return DeviationLine(
            row,
            visit_label(row.event, definition.event(row.event.event_oid)),
            str(definition.form(row.form_data.form_oid).title),
            row.message["nb" if language.startswith("nb") else "en"],
            row.created_in.at,
            reverse("form", args=place),
            self._judges_all or row.subject.site_id in self._judged_at,
        )

    def _definition_of(self, row: Deviation) -> StudyDef:
        """The newest that has the form: a part that is retired keeps the words that it had."""
        form = row.form_data.form_oid
        return next(one for one in self._definitions.all if one.has_form(form) and one.has_event(row.event.event_oid))

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
