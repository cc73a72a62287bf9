"""The casebook of one subject: every form, value and missing code, query and signature, and the trail behind them."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from crf.answers import SubjectAnswers
from crf.entry.document import Document, Rules
from crf.models import FormData, FormStatus, Query, QueryStatus, Signature, StudyEvent, Verification
from crf.paper.history import TrailLine, trail_of
from crf.selectors.definitions import definition_for
from crf.selectors.matrix import Visit, matrix_of
from crf.selectors.secrets import event_betrays_arm, secrets_of
from crf.selectors.strip import strip_for
from crf.selectors.words import answer_words
from pallsoft.accounts.models import User
from pallsoft.templatetags.ui import moment
from sites.models import Consent, ConsentOption, Subject
from sites.selectors import definition_at
from trials.definition import FormDef, ItemDef, StudyDef


@dataclass(frozen=True)
class AnswerLine:
    """`missing`: the answer is a reason for there being none. `verified`: who compared it with the source, and when."""

    oid: str
    label: str
    value: str
    missing: bool
    verified: str = ""


@dataclass(frozen=True)
class Step:
    """One message of a query."""

    kind: str
    text: str
    by: str
    at: datetime


@dataclass(frozen=True)
class Thread:
    """A query with its messages. `place`: the question it is about."""

    place: str
    status: str
    standing: bool
    steps: list[Step]


@dataclass(frozen=True)
class Signed:
    """A signature as it must be read (21 CFR 11.50): who, when with zone, meaning; and whether it stands."""

    name: str
    at: datetime
    zone: str
    meaning: str
    what: str
    void: bool


@dataclass(frozen=True)
class ConsentPart:
    """A signed form and what was said to each of its options: [(label, words)]."""

    version: str
    signed_at: datetime
    options: list[tuple[str, str]]


@dataclass
class FormPart:
    """One saved form."""

    anchor: str
    title: str
    row: FormData
    status: str
    groups: list[tuple[str, list[AnswerLine]]]
    threads: list[Thread] = field(default_factory=list)
    signed: list[Signed] = field(default_factory=list)


@dataclass
class VisitPart:
    """A visit with its saved forms; `absent`: titles of forms that were asked for and are not there."""

    label: str
    event: StudyEvent
    why_not_done: str
    is_log: bool
    forms: list[FormPart]
    absent: list[str]
    loose: list[Thread]  # queries about forms that are not there


@dataclass(frozen=True)
class Casebook:
    subject: Subject
    study: StudyDef
    facts: list[dict[str, Any]]
    consents: list[ConsentPart]
    visits: list[VisitPart]
    threads: list[Thread]
    signed: list[Signed]
    trail: list[TrailLine]
    versions: list[int]
    with_arm: bool

    @property
    def forms(self) -> int:
        return sum(len(visit.forms) for visit in self.visits)


def casebook_of(subject: Subject, user: User, *, with_arm: bool) -> Casebook:
    """What `user` may see of the subject, in the active language and time zone. A fixed number of queries."""
    return _Writer(subject, user, with_arm).casebook()


def printed_form(
    row: FormData, user: User, *, with_arm: bool
) -> tuple[list[tuple[str, list[AnswerLine]]], list[Signed]]:
    """The groups of one saved form with their answers, as its casebook prints them, and the form's own signatures."""
    study, writer = definition_for(row), _Writer(row.subject, user, with_arm)
    groups = list(writer._groups(study, study.form(row.form_oid), row))
    return groups, [signed for signed, form_id in writer.signatures if form_id == row.pk]


class _Writer:
    """What all forms need, read once."""

    def __init__(self, subject: Subject, user: User, with_arm: bool) -> None:
        self.subject, self.user, self.with_arm = subject, user, with_arm
        self.answers = SubjectAnswers(subject, definition_at(subject.site))
        self.zone = ZoneInfo(subject.site.timezone)
        self.by_version = {self.answers.study.version: self.answers}

    def casebook(self) -> Casebook:
        visits = [self._visit(visit) for visit in matrix_of(self.answers, self.user).visits]
        shown = {part.row.pk for visit in visits for part in visit.forms}
        loose = [signed for signed, form in self.signatures if form is None]
        return Casebook(
            subject=self.subject,
            study=self.answers.study,
            facts=strip_for(self.answers, self.user).facts,
            consents=[self._consent(consent) for consent in self._consents()],
            visits=[visit for visit in visits if visit.forms or visit.absent or visit.loose],
            threads=[
                *(thread for visit in visits for part in visit.forms for thread in part.threads),
                *(thread for visit in visits for thread in visit.loose),
            ],
            signed=[*loose, *(signed for signed, form in self.signatures if form in shown)],
            trail=trail_of(self.subject, self.answers.study, self.zone, with_arm=self.with_arm),
            versions=sorted({form.definition_version.number for form in self.answers.forms}),
            with_arm=self.with_arm,
        )

    def _consents(self) -> list[Consent]:
        return list(self.subject.consents.standing().prefetch_related("options").order_by("signed_at"))

    def _consent(self, consent: Consent) -> ConsentPart:
        labels = {option.oid: str(option.label) for option in self.answers.study.consent.options}
        said = sorted(consent.options.all(), key=lambda option: list(labels).index(option.option))
        return ConsentPart(
            consent.version, consent.signed_at, [(labels[one.option], _consent_words(one)) for one in said]
        )

    @cached_property
    def rows(self) -> dict[tuple[tuple[str, int], str], list[FormData]]:
        found = defaultdict(list)
        for form in self.answers.forms:
            found[form.event.key, form.form_oid].append(form)
        return found

    @cached_property
    def verified(self) -> dict[tuple[UUID, str], Verification]:
        rows = Verification.objects.filter(subject=self.subject, dropped_in=None).select_related("verified_by")
        return {(row.form_data_id, row.item_oid): row for row in rows if row.form_data_id}

    @cached_property
    def queries(self) -> dict[tuple[Any, str, str], list[Query]]:
        """By visit, form and repeat: a query may be about a form that is not there."""
        found = defaultdict(list)
        rows = Query.objects.filter(subject=self.subject).prefetch_related("messages__created_in").order_by("opened_at")
        for query in rows if self.with_arm else rows.exclude(secrets_of(self.answers.subject.study).queries):
            found[query.event_id, query.form_oid, query.repeat_key].append(query)
        return found

    @cached_property
    def signatures(self) -> list[tuple[Signed, UUID | None]]:
        rows = Signature.objects.filter(subject=self.subject).select_related("event", "form_data").order_by("signed_at")
        return [(self._signed(row), row.form_data_id) for row in rows if not (row.event and self._hides(row.event))]

    def _hides(self, event: StudyEvent) -> bool:
        study = self.answers.study
        known = study.has_event(event.event_oid)
        return not self.with_arm and known and event_betrays_arm(study, study.event(event.event_oid))

    def _visit(self, visit: Visit) -> VisitPart:
        parts, absent, loose = [], [], []
        for oid, cell in visit.cells.items():
            rows = self.rows.get((visit.event.key, oid), [])
            parts += [self._form(row, visit, len(rows) > 1 or cell.form.repeating) for row in rows]
            if not rows and cell.status != "planned":
                absent.append(str(cell.form.title))
            for (event_id, form_oid, _repeat), queries in self.queries.items():
                if not rows and (event_id, form_oid) == (visit.event.pk, oid):
                    loose += [
                        self._thread(query, cell.form, visit) for query in queries if self._shows(cell.form, query)
                    ]
        is_log = visit.definition.kind == "log"
        return VisitPart(visit.label, visit.event, visit.why_not_done, is_log, parts, absent, loose)

    def _form(self, row: FormData, visit: Visit, numbered: bool) -> FormPart:
        study = definition_for(row)
        form = study.form(row.form_oid)
        queries = self.queries.get((row.event_id, row.form_oid, row.repeat_key), [])
        return FormPart(
            anchor=f"f-{row.pk}",
            title=f"{form.title} {row.repeat_key}" if numbered else str(form.title),
            row=row,
            status=str(FormStatus(row.status).label),
            groups=list(self._groups(study, form, row)),
            threads=[self._thread(query, form, visit) for query in queries if self._shows(form, query)],
            signed=[signed for signed, form_id in self.signatures if form_id == row.pk],
        )

    def _groups(self, study: StudyDef, form: FormDef, row: FormData) -> Iterator[tuple[str, list[AnswerLine]]]:
        """What is asked under the rules as they stand; what skip logic has set aside is not printed."""
        document = Document(row.data, row.marks)
        outside = self._answers_under(study).at(row.event, row.observed_at)
        asked = Rules(study, form, outside).settle(document, {}, {}).outcome.items
        for group in form.groups:
            items = [
                item
                for item in group.items
                if (item.oid in asked or document.answer(item.oid)) and (self.with_arm or not item.reveals_arm)
            ]
            if items:
                yield str(group.label or ""), [self._line(study, item, document, row) for item in items]

    def _answers_under(self, study: StudyDef) -> SubjectAnswers:
        if study.version not in self.by_version:
            self.by_version[study.version] = SubjectAnswers(
                self.subject, study, events=self.answers.events, forms=self.answers.forms
            )
        return self.by_version[study.version]

    def _line(self, study: StudyDef, item: ItemDef, document: Document, row: FormData) -> AnswerLine:
        answer, mark = document.answer(item.oid), self.verified.get((row.pk, item.oid))
        return AnswerLine(
            oid=item.oid,
            label=str(item.label),
            value=answer_words(study, item, answer, self.zone),
            missing=not answer.value,
            verified=mark.verified_by.full_name if mark else "",
        )

    def _thread(self, query: Query, form: FormDef, visit: Visit) -> Thread:
        item = next((item for item in form.items if item.oid == query.item_oid), None)
        steps = [
            Step(message.get_kind_display(), message.words, message.created_in.actor_name, message.at)
            for message in query.messages.all()
        ]
        return Thread(
            place=f"{visit.label}, {form.title}: {item.label if item else query.item_oid}",
            status=query.get_status_display(),
            standing=query.status in {QueryStatus.OPEN, QueryStatus.ANSWERED},
            steps=steps,
        )

    def _shows(self, form: FormDef, query: Query) -> bool:
        return self.with_arm or query.item_oid not in {item.oid for item in form.items if item.reveals_arm}

    def _signed(self, row: Signature) -> Signed:
        study = self.answers.study
        if row.form_data:
            what = str(study.form(row.form_data.form_oid).title) if study.has_form(row.form_data.form_oid) else ""
        elif row.event:
            what = str(study.event(row.event.event_oid).label)
        else:
            what = _("The whole casebook")
        zone = ZoneInfo(row.timezone)
        return Signed(
            name=row.printed_name,
            at=row.signed_at.astimezone(zone),
            zone=f"{row.timezone}, {row.signed_at.astimezone(zone):UTC%z}",
            meaning=row.get_meaning_display(),
            what=what,
            void=row.voided_in is not None,
        )


def _consent_words(option: ConsentOption) -> str:
    if option.withdrawn_at:
        return _("Yes, withdrawn %(moment)s") % {"moment": moment(option.withdrawn_at)}
    return _("Yes") if option.granted else _("No")
