"""What is still open before something is locked: counted for one path, with the way to each place.

How many fractions there are, and whether a visit of one arm is planned, tells the arm. Who may not see it is told
nothing of these, not even a number (D8).
"""

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crf.answers import SubjectAnswers
from crf.models import (
    Deviation,
    DeviationStatus,
    FormData,
    FormStatus,
    Query,
    QueryStatus,
    StudyEvent,
)
from crf.schedule import VisitState, state_of
from crf.selectors.due import waiting_visits
from crf.selectors.loading import secrets_for
from crf.selectors.locks import Target
from crf.selectors.matrix import visit_label, visit_url
from crf.selectors.plan import form_plan, marks_of
from crf.selectors.secrets import Secret
from crf.selectors.standing import covering
from sites.clock import local_today
from sites.models import Consent, Subject
from sites.permissions import AnyUser
from sites.selectors import definition_at
from trials.definition import StudyDef

LABELS = {
    "incomplete": gettext_lazy("Incomplete forms"),
    "overdue": gettext_lazy("Overdue visits"),
    "query": gettext_lazy("Standing queries"),
    "unverified": gettext_lazy("Planned verifications not done"),
    "unsigned": gettext_lazy("Forms without a signature"),
    "deviation": gettext_lazy("Deviations that nobody has judged"),
}
Link = tuple[str, str]  # words, address


@dataclass(frozen=True)
class OpenPoint:
    """`where`: [{label, url, count}], subject by subject for a site or the study, place by place below."""

    label: str
    count: int
    where: list[dict[str, Any]]


def open_points(target: Target, user: AnyUser) -> list[OpenPoint]:
    """What the person may know of every kind, also where nothing is open; a constant number of queries per site."""
    by_site: dict[UUID, list[Subject]] = defaultdict(list)
    for subject in _subjects_of(target):
        by_site[subject.site_id].append(subject)
    found: dict[str, Counter[Link]] = defaultdict(Counter)
    for subjects in by_site.values():
        _SiteCount(target, subjects, user, found).run()
    return [_point(str(label), found[kind]) for kind, label in LABELS.items()]


def _point(label: str, links: Counter[Link]) -> OpenPoint:
    where = [{"label": words, "url": url, "count": count} for (words, url), count in links.items() if count]
    return OpenPoint(label, links.total(), where)


def _subjects_of(target: Target) -> list[Subject]:
    if target.subject:
        return [target.subject]
    subjects = target.study.subjects.select_related("site").order_by("number")
    found = list(subjects.filter(site=target.site) if target.site else subjects)
    for subject in found:
        subject.study = subject.site.study = target.study
    return found


class _SiteCount:
    """The subjects of one site, who share a definition."""

    def __init__(self, target: Target, subjects: list[Subject], user: AnyUser, found: dict[str, Counter[Link]]) -> None:
        self.target, self.found = target, found
        self.subjects = {subject.pk: subject for subject in subjects}
        site = subjects[0].site
        self.study: StudyDef = definition_at(site)
        self.secret: Secret = secrets_for(user, subjects[0])

    def run(self) -> None:
        self._forms()
        self._consents()
        visit = self._visit("event__")
        queries = Query.objects.filter(visit, ~self.secret.queries, status__in=[QueryStatus.OPEN, QueryStatus.ANSWERED])
        self._rows("query", self._of_form(queries, "form_oid"))
        deviations = Deviation.objects.filter(visit, ~self.secret.deviations, status=DeviationStatus.PROPOSED)
        deviations = deviations.select_related("form_data")
        self._rows("deviation", self._of_form(deviations, "form_data__form_oid"))
        self._overdue()

    def _forms(self) -> None:
        signed, marks = self._signed(), marks_of(self.subjects.values())
        rows = FormData.objects.filter(self._visit("event__"), ~self.secret.places(), removed_in=None)
        forms: dict[UUID, list[FormData]] = defaultdict(list)
        for row in (
            rows.filter(subject__in=self.subjects).select_related("event").order_by("event__window_from", "repeat_key")
        ):
            forms[row.subject_id].append(row)
        for subject in self.subjects.values():
            answers = SubjectAnswers(subject, self.study)
            for row in forms[subject.pk]:
                if self.target.form and row.form_oid != self.target.form.oid:
                    continue
                planned = {(row.pk, oid) for oid in form_plan(row, answers).items - self.secret.items}
                link = self._form_link(subject, row.event, row.form_oid, row.repeat_key)
                self.found["incomplete"][link] += row.status == FormStatus.INCOMPLETE
                self.found["unsigned"][link] += row.pk not in signed
                self.found["unverified"][link] += len(planned - marks[subject.pk].standing.keys())

    def _consents(self) -> None:
        if self.target.event or not self.study.verification.consent:
            return
        marks = marks_of(self.subjects.values())
        for consent in Consent.objects.standing().filter(subject__in=self.subjects):
            subject = self.subjects[consent.subject_id]
            link = self._link(subject, _("Consent"), reverse("consent", args=[subject.study.oid, subject.number]))
            self.found["unverified"][link] += (consent.pk, "") not in marks[subject.pk].standing

    def _rows(self, kind: str, rows: QuerySet[Any]) -> None:
        for row in rows.filter(subject__in=self.subjects).select_related("event"):
            form = row if kind == "query" else row.form_data
            subject = self.subjects[row.subject_id]
            if form:
                link = self._form_link(subject, row.event, form.form_oid, form.repeat_key)
            else:
                link = self._visit_link(subject, row.event)
            self.found[kind][link] += 1

    def _overdue(self) -> None:
        if self.target.form:
            return
        today = local_today(next(iter(self.subjects.values())).site.timezone)
        waiting = waiting_visits(today).filter(self._visit(), subject__in=self.subjects)
        waiting = waiting.exclude(event_oid__in=self.secret.events)
        for event in (event for event in waiting if state_of(event, today) is VisitState.OVERDUE):
            subject = self.subjects[event.subject_id]
            self.found["overdue"][self._visit_link(subject, event)] += 1

    def _signed(self) -> set[UUID]:
        forms = FormData.objects.filter(covering(), subject__in=self.subjects, removed_in=None)
        return set(forms.values_list("pk", flat=True))

    def _visit(self, prefix: str = "") -> Q:
        event = self.target.event
        named = {f"{prefix}event_oid": event.event_oid, f"{prefix}ordinal": event.ordinal} if event else {}
        return Q(**named)

    def _of_form(self, rows: QuerySet[Any], field: str) -> QuerySet[Any]:
        return rows.filter(**{field: self.target.form.oid}) if self.target.form else rows

    def _form_link(self, subject: Subject, event: StudyEvent, form_oid: str, repeat_key: str) -> Link:
        if self.target.subject is None:
            return self._link(subject, "", "")
        form = self.study.form(form_oid)
        title = f"{form.title} {repeat_key}" if form.repeating else str(form.title)
        label = f"{title}, {visit_label(event, self.study.event(event.event_oid))}"
        address = [subject.study.oid, subject.number, *event.key, form_oid, repeat_key]
        return self._link(subject, label, reverse("form", args=address))

    def _visit_link(self, subject: Subject, event: StudyEvent | None) -> Link:
        """Of the subject itself without one."""
        if event is None:
            address = reverse("subject", args=[subject.study.oid, subject.number])
            return self._link(subject, _("The participant as a whole"), address)
        event.subject = subject
        return self._link(subject, visit_label(event, self.study.event(event.event_oid)), visit_url(event))

    def _link(self, subject: Subject, words: str, url: str) -> Link:
        """For a site and the study the way down to the subject, where each place is named."""
        if self.target.subject:
            return words, url
        return subject.number, Target(self.target.study, subject.site, subject).url
