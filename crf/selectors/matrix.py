"""The subject's visits and forms: forms down, visits across, one chip per cell. A constant number of queries."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crf.answers import SubjectAnswers
from crf.day_zero import Clock, clock_of, plan_of
from crf.models import ClosedFor, FormData, FormStatus, Lock, LockKind, QueryStatus, StudyEvent, Verification
from crf.policies import covers, standing_locks
from crf.queries import STANDING
from crf.schedule import Planned, Timing, VisitState, state_of, timing
from crf.selectors.loading import sees_arm
from crf.selectors.locks import CHIPS, strongest
from crf.selectors.plan import form_plan
from crf.selectors.secrets import betrays_arm, event_betrays_arm
from crf.selectors.standing import signed_forms
from crf.selectors.visible import visible_queries
from crf.selectors.words import why_not_done
from pallsoft.templatetags.ui import rolled_up
from sites.permissions import AnyUser
from trials.definition import FormDef, FormRef, StudyEventDef
from trials.subject_rules import is_shown

_MANY = ("repeating", "unscheduled")  # kinds of visits that carry a number, and are there only once stored
_NEVER = (None, None)  # the window of a visit that began before it was planned
ANY_FORM = "~"  # stands in an address for the OID of a form


@dataclass(frozen=True)
class Cell:
    """One form at one visit, as a chip. `text` replaces the chip's own word."""

    form: FormDef
    status: str
    url: str
    label: str
    text: str = ""


@dataclass
class Visit:
    """A column: a visit, stored or still to come, with the forms asked for at it."""

    event: StudyEvent
    definition: StudyEventDef
    label: str
    url: str
    status: str
    state: VisitState
    plan: Planned | None  # by day 0 as it is now; what is done keeps the window of its own time beside it
    day: int | None  # on which it took place, counted from day 0
    why_not_done: str
    cells: dict[str, Cell] = field(default_factory=dict)

    @property
    def timing(self) -> Timing | None:
        """How the day it took place lies to the window, by day 0 as it is now; None for one that has not."""
        if self.event.happened_on is None:
            return None
        window = self.plan or self.event
        return timing(self.event.happened_on, window.window_from, window.window_to)

    @property
    def is_due(self) -> bool:
        """Its window has begun, and nothing is recorded of it."""
        return self.state in (VisitState.DUE, VisitState.OVERDUE)

    @property
    def is_moved(self) -> bool:
        """Done, and day 0 has moved since: its window is another one now (S10)."""
        was = (self.event.window_from, self.event.window_to)
        return bool(self.plan and self.event.is_settled and was not in (_NEVER, self.plan.window))


@dataclass(frozen=True)
class Matrix:
    visits: list[Visit]
    forms: list[FormDef]

    @property
    def columns(self) -> list[Visit]:
        return [visit for visit in self.visits if visit.definition.kind != "log"]

    @property
    def logs(self) -> list[Visit]:
        """What is entered whenever it happens: it has no date, and stands in a list of its own."""
        return [visit for visit in self.visits if visit.definition.kind == "log"]

    @property
    def rows(self) -> list[tuple[FormDef, list[Cell | None]]]:
        """The forms of the visits; a form of a log alone has no row."""
        cells = [(form, [visit.cells.get(form.oid) for visit in self.columns]) for form in self.forms]
        return [row for row in cells if any(row[1])]


def matrix_of(answers: SubjectAnswers, user: AnyUser) -> Matrix:
    """What the person may see of the subject's visits: nothing that would tell the arm to who may not see it."""
    board = _Board(answers, user)
    visits = _unscheduled_by_day(list(board.visits()))
    asked = {oid for visit in visits for oid in visit.cells}
    in_order = dict.fromkeys(ref.form for event in answers.study.events for ref in event.forms)
    return Matrix(visits, [answers.study.form(oid) for oid in in_order if oid in asked])


def _unscheduled_by_day(visits: list[Visit]) -> list[Visit]:
    """In the order of the definition, each unscheduled visit after the last that took place or is planned before it."""
    placed = [visit for visit in visits if visit.definition.kind != "unscheduled"]
    extra = [visit for visit in visits if visit.definition.kind == "unscheduled"]
    for visit in sorted(extra, key=_day_of):
        earlier = [at for at, other in enumerate(placed) if _day_of(other) <= _day_of(visit) < date.max]
        placed.insert(earlier[-1] + 1 if earlier else len(placed), visit)
    return placed


def _day_of(visit: Visit) -> date:
    return visit.event.happened_on or visit.event.target_on or date.max


def visit_of(answers: SubjectAnswers, user: AnyUser, event: StudyEvent) -> Visit:
    """One column of the matrix."""
    return _Board(answers, user).visit(event)


def cells_of(answers: SubjectAnswers, user: AnyUser, event: StudyEvent) -> dict[str, Cell]:
    """{form: chip} of one visit."""
    return _Board(answers, user).cells(event)


def visit_label(event: StudyEvent, definition: StudyEventDef) -> str:
    """The name of a visit; a further attempt or a repeat carries its number."""
    numbered = definition.kind in _MANY or event.ordinal > 1
    return f"{definition.label} {event.ordinal}" if numbered else str(definition.label)


def visit_url(event: StudyEvent) -> str:
    return reverse("visit", args=[event.subject.study.oid, event.subject.number, *event.key])


class _Board:
    """What all cells need, read once."""

    def __init__(self, answers: SubjectAnswers, user: AnyUser) -> None:
        self.answers, self.study, self.subject = answers, answers.study, answers.subject
        self.with_arm = sees_arm(user, answers.subject)
        self.user = user

    @cached_property
    def clock(self) -> Clock | None:
        return clock_of(self.answers)

    @cached_property
    def plan(self) -> dict[tuple[str, int], Planned]:
        return {one.key: one for one in plan_of(self.answers, self.clock)} if self.clock else {}

    @cached_property
    def locks(self) -> list[Lock]:
        return standing_locks(self.subject.study_id)

    @cached_property
    def verified(self) -> dict[UUID, set[str]]:
        found: dict[UUID, set[str]] = defaultdict(set)
        if not self.answers.around.verifications:
            return found
        marks = Verification.objects.filter(subject=self.subject, form_data__isnull=False, dropped_in=None)
        for form, item in marks.values_list("form_data_id", "item_oid"):
            found[form].add(item)
        return found

    @cached_property
    def signed(self) -> set[UUID]:
        return signed_forms(self.subject) if self.answers.around.signatures else set()

    @cached_property
    def queries(self) -> dict[tuple[object, str], list[str]]:
        """{(visit, form): chip status of each standing query}."""
        found: dict[tuple[object, str], list[str]] = defaultdict(list)
        if not self.answers.around.queries:
            return found
        standing = visible_queries(self.user, self.subject.study)
        standing = standing.filter(subject=self.subject, status__in=STANDING)
        for event, form_oid, status in standing.values_list("event", "form_oid", "status"):
            found[event, form_oid].append("query" if status == QueryStatus.OPEN else "answered")
        return found

    @cached_property
    def rows(self) -> dict[tuple[str, int], dict[str, list[FormData]]]:
        rows: dict[tuple[str, int], dict[str, list[FormData]]] = defaultdict(lambda: defaultdict(list))
        for form in self.answers.forms:
            rows[form.event.key][form.form_oid].append(form)
        return rows

    def visits(self) -> Iterator[Visit]:
        stored = defaultdict(list)
        for event in sorted(self.answers.events, key=lambda event: event.ordinal):
            event.subject = self.subject
            stored[event.event_oid].append(event)
        for definition in self.study.events:
            for event in stored[definition.oid] or self._virtual(definition):
                if self._is_shown(event, definition):
                    yield self.visit(event)

    def visit(self, event: StudyEvent) -> Visit:
        definition = self.study.event(event.event_oid)
        cells = self.cells(event)
        status = rolled_up(cell.status for cell in cells.values())
        day = (event.happened_on - self.clock.day).days if event.happened_on and self.clock else None
        label, url = visit_label(event, definition), visit_url(event)
        state = state_of(event, self.answers.today_at_site)
        plan, why = self.plan.get(event.key), why_not_done(event, self.study)
        return Visit(event, definition, label, url, status, state, plan, day, why, cells)

    def cells(self, event: StudyEvent) -> dict[str, Cell]:
        return {cell.form.oid: cell for cell in self._cells(event, self.study.event(event.event_oid))}

    def _virtual(self, definition: StudyEventDef) -> list[StudyEvent]:
        if definition.kind in _MANY:
            return []
        return [StudyEvent(study=self.subject.study, subject=self.subject, event_oid=definition.oid)]

    def _is_shown(self, event: StudyEvent, definition: StudyEventDef) -> bool:
        if not definition.forms or (event_betrays_arm(self.study, definition) and not self.with_arm):
            return False
        return event.key in self.rows or is_shown(self.study, definition, self.answers.at(event))

    def _cells(self, event: StudyEvent, definition: StudyEventDef) -> Iterator[Cell]:
        urls = self._urls(event)
        for ref in definition.forms:
            form = self.study.form(ref.form)
            rows = self.rows[event.key][form.oid] if event.key in self.rows else []
            if betrays_arm(self.study, form) and not self.with_arm:
                continue
            if rows or is_shown(self.study, ref, self.answers.at(event)):
                url = urls[form.repeating].replace(ANY_FORM, form.oid)
                yield self._cell(event, ref, form, rows, url)

    def _cell(self, event: StudyEvent, ref: FormRef, form: FormDef, rows: list[FormData], url: str) -> Cell:
        own = [self._row_status(row) for row in rows] or [self._empty_status(event, ref)]
        asked = self.queries.get((event.pk, form.oid), [])
        status = rolled_up(own + asked)
        label = f"{form.title}, {visit_label(event, self.study.event(event.event_oid))}"
        text = _asked_words(asked) if status == "query" else self._text(event, ref, form, rows)
        return Cell(form, status, url, label, text)

    def _row_status(self, row: FormData) -> str:
        if closed := self._closed(row.event, row.form_oid):
            return closed
        if row.status == FormStatus.INCOMPLETE:
            return "in_progress"
        if row.pk in self.signed:
            return "signed"
        return "verified" if self._is_verified(row) else "complete"

    def _closed(self, event: StudyEvent, form_oid: str) -> str:
        """The chip of a lock or freeze over a form, also over one that is not there yet (PC073, PC080)."""
        over = strongest(lock for lock in self.locks if covers(lock, event, form_oid, self.subject.site_id))
        return CHIPS[LockKind(over.kind)] if over else ""

    def _is_verified(self, row: FormData) -> bool:
        """Everything that the plan asks of the form is verified, and that is something."""
        return bool(self.verified[row.pk]) and form_plan(row, self.answers).items <= self.verified[row.pk]

    def _empty_status(self, event: StudyEvent, ref: FormRef) -> str:
        if closed := self._closed(event, ref.form):
            return closed
        if not ref.required or event.not_done_reason:
            return "planned"
        late = timing(self.answers.today_at_site, event.window_from, event.window_to) is Timing.LATE
        return "overdue" if late else "planned"

    def _text(self, event: StudyEvent, ref: FormRef, form: FormDef, rows: list[FormData]) -> str:
        if rows:
            return ngettext("%(n)s entry", "%(n)s entries", len(rows)) % {"n": len(rows)} if form.repeating else ""
        if event.not_done_reason:
            return str(ClosedFor(event.closed_for).label) if event.closed_for else _("Not done")
        return "" if ref.required or self._closed(event, form.oid) else _("When needed")

    def _urls(self, event: StudyEvent) -> dict[bool, str]:
        """{repeating: address of the forms of a visit, of ANY_FORM}: made twice, not for each form."""
        address = [self.subject.study.oid, self.subject.number, *event.key, ANY_FORM]
        return {True: reverse("form-list", args=address), False: reverse("form", args=[*address, "1"])}


def _asked_words(asked: list[str]) -> str:
    number = asked.count("query")
    return ngettext("%(n)s query", "%(n)s queries", number) % {"n": number}
