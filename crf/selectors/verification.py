"""The monitor's page of a subject: every answer with its source, as it stands, and what was verified of it before."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _

from crf.answers import SubjectAnswers
from crf.entry.document import Answer
from crf.models import FormData, Query, QueryStatus, SourceType, StudyEvent, Verification
from crf.selectors.loading import sees_arm
from crf.selectors.matrix import visit_label
from crf.selectors.plan import FormPlan, ItemKey, Marks, Progress, form_plan, marks_of
from crf.selectors.secrets import betrays_arm
from crf.selectors.seen import answer_of, consent_digests, item_digest
from crf.selectors.words import answer_words
from pallsoft.audit.selectors import TrailRow, last_changes_of, replaced_in
from sites.models import Consent
from sites.permissions import AnyUser
from sites.selectors import consents_of
from trials.definition import ItemDef
from trials.verification import source_type_of

TO_DO, PLANNED, EVERYTHING = "todo", "plan", "all"
STANDING_QUERIES = {QueryStatus.OPEN: "query", QueryStatus.ANSWERED: "answered"}


@dataclass(frozen=True)
class Line:
    """One answer. `name`: of its checkbox; `seen`: the digest that the checkbox carries; `mark`: the standing one."""

    name: str
    label: str
    value: str
    seen: str
    source: str
    entered_by: str
    entered_at: datetime | None
    url: str
    planned: bool
    queries: dict[str, int]
    detail: str = ""
    mark: Verification | None = None
    before: str = ""  # the value as it was verified, when another stands now
    changed_by: str = ""
    changed_at: datetime | None = None

    @property
    def is_changed(self) -> bool:
        return self.changed_at is not None

    @property
    def waits(self) -> bool:
        return self.mark is None and (self.planned or self.is_changed)


@dataclass
class Block:
    """A form, or the signed consents. `electronic`: typed here first, so there is nothing to compare with."""

    oid: str
    title: str
    visit: str
    url: str
    electronic: bool = False
    lines: list[Line] = field(default_factory=list)


@dataclass(frozen=True)
class VerificationPage:
    blocks: list[Block]
    progress: Progress
    removed: list[Line]  # verified, in forms that were removed since

    @property
    def lines(self) -> Iterator[Line]:
        return (line for block in self.blocks for line in block.lines)


def verification_page(answers: SubjectAnswers, user: AnyUser, show: str) -> VerificationPage:
    """`show`: what waits (the plan, and what has changed since), the whole plan, or every answer."""
    board = _Board(answers, user)
    blocks = [*board.consent_blocks(), *board.form_blocks()]
    lines = [line for block in blocks for line in block.lines]
    progress = Progress(
        sum(line.planned for line in lines),
        sum(line.planned and line.mark is not None for line in lines),
        sum(line.is_changed and line.mark is None for line in lines),
    )
    for block in blocks:
        block.lines = [line for line in block.lines if _is_shown(line, show)]
    kept = [block for block in blocks if block.lines or (block.electronic and show == EVERYTHING)]
    return VerificationPage(kept, progress, list(board.removed()))


def _is_shown(line: Line, show: str) -> bool:
    if show == TO_DO:
        return line.waits
    return show == EVERYTHING or line.planned or line.mark is not None or line.is_changed


class _Board:
    """What all lines need, read once."""

    def __init__(self, answers: SubjectAnswers, user: AnyUser) -> None:
        self.answers, self.subject = answers, answers.subject
        self.with_arm = sees_arm(user, self.subject)
        self.marks: Marks = marks_of([self.subject])[self.subject.pk]
        self.queries = _queries(answers)
        self.entered = last_changes_of(table="crf_formdata", row_ids=[row.pk for row in answers.forms])
        self.replaced = self._replaced()

    def _replaced(self) -> dict[ItemKey, Answer]:
        """The value that a mark stood for, by the change that took it away."""
        before: dict[tuple[UUID, UUID, str], TrailRow] = {}
        for change_set, row in replaced_in(table="crf_formdata", change_sets=list(self.marks.ends)):
            if row.part == "data" or (isinstance(row.old, dict) and "missing" in row.old):
                before[(change_set, row.row_id, row.item)] = row
        found = {}
        for (row_id, oid), mark in self.marks.changed.items():
            change = before.get((self.marks.end_of(mark).pk, row_id, oid))
            if change and change.part == "data":
                found[(row_id, oid)] = Answer(change.old or "")
            elif change:
                found[(row_id, oid)] = Answer("", change.old["missing"])
        return found

    def consent_blocks(self) -> Iterator[Block]:
        consents = consents_of(self.subject)
        url = reverse("consent", args=[self.subject.study.oid, self.subject.number])
        block = Block("consent", _("Consent"), "", url)
        digests = consent_digests(self.subject.pk) if consents else {}
        for consent, options in consents:
            if not consent.is_superseded:
                block.lines.append(self._consent_line(consent, options, digests[consent.pk], url))
        if block.lines:
            yield block

    def _consent_line(self, consent: Consent, options: Iterable[Any], seen: str, url: str) -> Line:
        granted = [str(option.label) for option in options if option.option.granted]
        day = consent.signed_at.astimezone(self.answers.zone)
        told = {"name": consent.informed_by.full_name, "options": "; ".join(granted)}
        dropped = self.marks.changed.get((consent.corrects_id, "")) if consent.corrects_id else None
        dropped = self.marks.changed.get((consent.pk, "")) or dropped
        end = self.marks.end_of(dropped) if dropped else None
        return Line(
            name=f"consent.{consent.pk}",
            label=_("Signed consent, version %(version)s") % {"version": consent.version},
            value=f"{day:%d.%m.%Y %H:%M}",
            detail=_("Informed by %(name)s. Yes to: %(options)s") % told,
            seen=seen,
            source=str(SourceType.CONSENT_FORM.label),
            entered_by=consent.created_in.actor_name,
            entered_at=consent.created_in.at,
            url=url,
            planned=self.answers.study.verification.consent,
            queries={},
            mark=self.marks.standing.get((consent.pk, "")),
            changed_by=end.actor_name if end else "",
            changed_at=end.at if end else None,
        )

    def form_blocks(self) -> Iterator[Block]:
        order = {event.oid: place for place, event in enumerate(self.answers.study.events)}
        forms = {ref.form: n for event in self.answers.study.events for n, ref in enumerate(event.forms)}

        def position(row: FormData) -> tuple[Any, ...]:
            return (
                order.get(row.event.event_oid, 0), row.event.ordinal, forms.get(row.form_oid, 0),
                len(row.repeat_key), row.repeat_key,
            )  # fmt: skip

        for row in sorted(self.answers.forms, key=position):
            plan = form_plan(row, self.answers)
            if self.with_arm or not betrays_arm(plan.study, plan.form):
                yield self._form_block(plan)

    def _form_block(self, plan: FormPlan) -> Block:
        row, event = plan.row, plan.row.event
        visit = visit_label(event, plan.study.event(event.event_oid))
        title = f"{plan.form.title} {row.repeat_key}" if plan.form.repeating else str(plan.form.title)
        block = Block(str(row.pk), title, visit, self._url(event, row), plan.electronic)
        for item in plan.form.items:
            if item.derived or (item.reveals_arm and not self.with_arm):
                continue
            key = (row.pk, item.oid)
            has_answer = answer_of(row, item.oid) and "by_rule" not in row.marks.get(item.oid, {})
            if (has_answer and not plan.electronic) or key in self.marks.changed or key in self.marks.standing:
                block.lines.append(self._line(plan, item, key, block.url))
        return block

    def _line(self, plan: FormPlan, item: ItemDef, key: ItemKey, url: str) -> Line:
        row = plan.row
        answer = answer_of(row, item.oid)
        changed = self.entered.get(key)
        dropped = self.marks.changed.get(key)
        end = self.marks.end_of(dropped) if dropped else None
        before = self.replaced.get(key)
        return Line(
            name=f"{row.pk}.{item.oid}",
            label=str(item.label),
            value=answer_words(plan.study, item, answer, self.answers.zone),
            seen=item_digest(row, item.oid, answer),
            source=str(SourceType(source_type_of(plan.form, item)).label),
            entered_by=changed.actor_name if changed else row.first_saved_by,
            entered_at=changed.at if changed else row.first_saved_at,
            url=f"{url}#item-{item.oid}",
            planned=item.oid in plan.items,
            queries=self.queries.get((row.event_id, row.form_oid, row.repeat_key, item.oid), {}),
            mark=self.marks.standing.get(key),
            before=answer_words(plan.study, item, before, self.answers.zone) if before else "",
            changed_by=end.actor_name if end else "",
            changed_at=end.at if end else None,
        )

    def removed(self) -> Iterator[Line]:
        """What was verified in a form that stands no longer: nothing to do, but the monitor has to know."""
        alive = {row.pk for row in self.answers.forms}
        gone = {key: mark for key, mark in self.marks.changed.items() if mark.form_data_id and key[0] not in alive}
        rows = FormData.objects.in_bulk({key[0] for key in gone})
        for (row_id, oid), mark in gone.items():
            row, end = rows[row_id], self.marks.end_of(mark)
            item = self.answers.study.item(oid) if self.answers.study.has_item(oid) else None
            if item is None or (item.reveals_arm and not self.with_arm):
                continue
            yield Line(
                name="", label=str(item.label), value=_("The form was removed"), seen="", source="", entered_by="",
                entered_at=None, url="", planned=False, queries={}, changed_by=end.actor_name, changed_at=end.at,
                before=answer_words(self.answers.study, item, answer_of(row, oid), self.answers.zone),
            )  # fmt: skip

    def _url(self, event: StudyEvent, row: FormData) -> str:
        address = [self.subject.study.oid, self.subject.number, *event.key, row.form_oid, row.repeat_key]
        return reverse("form", args=address)


def _queries(answers: SubjectAnswers) -> dict[tuple[UUID, str, str, str], dict[str, int]]:
    """{(visit, form, repeat, item): {chip: how many}} of the standing queries."""
    rows = Query.objects.filter(subject=answers.subject, status__in=STANDING_QUERIES).values_list(
        "event_id", "form_oid", "repeat_key", "item_oid", "status"
    )
    found: dict[tuple[UUID, str, str, str], Counter[str]] = defaultdict(Counter)
    for event, form, repeat, item, status in rows:
        found[(event, form, repeat, item)][STANDING_QUERIES[QueryStatus(status)]] += 1
    return {place: dict(counts) for place, counts in found.items()}
