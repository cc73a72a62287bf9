"""What the verification plan asks of the saved forms of a subject, and what of it is done."""

from collections import defaultdict
from collections.abc import Iterable, Set
from dataclasses import dataclass, field
from functools import cache
from uuid import UUID

from crf.answers import SubjectAnswers
from crf.models import FormData, Verification
from crf.selectors.definitions import definition_for
from crf.selectors.seen import answer_of
from pallsoft.audit.models import ChangeSet
from sites.models import Consent, Subject
from trials.definition import FormDef, StudyDef
from trials.evaluate import FormContext, settled
from trials.verification import is_electronic, planned_items

ItemKey = tuple[UUID, str]  # form or consent, item ("" for a consent)
DROPPED_BY_HAND = "crf.drop_verification"


@dataclass(frozen=True)
class FormPlan:
    """`items`: the OIDs that have to be verified: planned, answered, and not given by rule."""

    study: StudyDef
    form: FormDef
    row: FormData
    electronic: bool
    items: frozenset[str]


def form_plan(row: FormData, answers: SubjectAnswers) -> FormPlan:
    """Read by the definition that the form was begun under (PC079)."""
    study = definition_for(row)
    form = study.form(row.form_oid)
    event = row.event

    @cache
    def instance() -> FormContext:
        return settled(study, form.oid, row.data, row.missing_codes, answers.at(event, row.observed_at))

    address = (answers.subject.number, event.event_oid, event.ordinal, row.repeat_key)
    planned = planned_items(study, form, address, instance)
    items = frozenset(item.oid for item in planned if _can_be_verified(row, item.oid))
    return FormPlan(study, form, row, is_electronic(study, form, instance), items)


def _can_be_verified(row: FormData, oid: str) -> bool:
    """Somebody answered it: a code that the rules gave has no source."""
    return bool(answer_of(row, oid)) and "by_rule" not in row.marks.get(oid, {})


@dataclass(frozen=True)
class Progress:
    """`required` by the plan; `verified` of these; `changed`: verified once, and another value since."""

    required: int = 0
    verified: int = 0
    changed: int = 0

    @property
    def missing(self) -> int:
        return self.required - self.verified

    @property
    def share(self) -> int:
        """In whole per cent, never rounded up to 100."""
        return 100 * self.verified // self.required if self.required else 100

    def __add__(self, other: "Progress") -> "Progress":
        return Progress(self.required + other.required, self.verified + other.verified, self.changed + other.changed)


@dataclass
class Marks:
    """The verifications of a subject, the newest of each item. `ends`: the change sets that dropped some."""

    standing: dict[ItemKey, Verification] = field(default_factory=dict)
    dropped: dict[ItemKey, Verification] = field(default_factory=dict)
    ends: dict[UUID, ChangeSet] = field(default_factory=dict)

    @property
    def changed(self) -> dict[ItemKey, Verification]:
        """Marks that a change took away, and that no monitor has set again since."""
        return {
            key: mark
            for key, mark in self.dropped.items()
            if self.end_of(mark).action != DROPPED_BY_HAND and not self._is_set_again(key, mark)
        }

    def changed_in(self, forms: Set[UUID]) -> int:
        """How many of them stand in these forms or in consents: what is removed needs no second look."""
        return sum(key[0] in forms or mark.consent_id is not None for key, mark in self.changed.items())

    def _is_set_again(self, key: ItemKey, mark: Verification) -> bool:
        """A corrected consent is another row: there any later verified consent counts."""
        if mark.form_data_id:
            return key in self.standing
        consents = [one for one in self.standing.values() if one.consent_id]
        return any(one.verified_at > self.end_of(mark).at for one in consents)

    def end_of(self, mark: Verification) -> ChangeSet:
        """The change set that took a dropped mark away."""
        assert mark.dropped_in
        return self.ends[mark.dropped_in]


def marks_of(subjects: Iterable[Subject]) -> dict[UUID, Marks]:
    """{subject id: marks}, in two queries."""
    found: dict[UUID, Marks] = defaultdict(Marks)
    rows = (
        Verification.objects.filter(subject__in=list(subjects))
        .select_related("verified_by", "visit")
        .order_by("verified_at")
    )
    ends = ChangeSet.objects.in_bulk([mark.dropped_in for mark in rows if mark.dropped_in])
    for mark in rows:
        marks = found[mark.subject_id]
        marks.ends = ends
        (marks.dropped if mark.dropped_in else marks.standing)[key_of(mark)] = mark
    return found


def key_of(mark: Verification) -> ItemKey:
    row = mark.form_data_id or mark.consent_id
    assert row
    return row, mark.item_oid


def progress_of(subjects: list[Subject], study: StudyDef) -> dict[UUID, Progress]:
    """{subject id: progress} by the plan; a constant number of queries however many subjects."""
    marks = marks_of(subjects)
    forms: dict[UUID, list[FormData]] = defaultdict(list)
    rows = FormData.objects.filter(subject__in=subjects, removed_in=None).select_related("event", "created_in")
    for row in rows.order_by("repeat_key"):
        forms[row.subject_id].append(row)
    consents: dict[UUID, set[UUID]] = defaultdict(set)
    for consent in Consent.objects.standing().filter(subject__in=subjects):
        consents[consent.subject_id].add(consent.pk)
    found = {}
    for subject in subjects:
        answers = SubjectAnswers(subject, study, forms=forms[subject.pk])
        keys = {(row.pk, oid) for row in forms[subject.pk] for oid in form_plan(row, answers).items}
        if study.verification.consent:
            keys |= {(consent, "") for consent in consents[subject.pk]}
        own = marks[subject.pk]
        changed = own.changed_in({row.pk for row in forms[subject.pk]})
        found[subject.pk] = Progress(len(keys), len(keys & own.standing.keys()), changed)
    return found
