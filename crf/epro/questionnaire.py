"""The questions that a participant is asked at a visit, in order, and which are answered."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from crf.answers import SubjectAnswers
from crf.entry.document import Answer, Document, Rules
from crf.models import FormData, StudyEvent
from crf.selectors.definitions import definition_for
from trials.definition import FormDef, ItemDef, LinkPlan, StudyDef
from trials.models import Mode
from trials.subject_rules import facts_of, is_shown


@dataclass(frozen=True)
class Question:
    """One item that counts now. `answer`: what was given so far; a required one is open while it is empty."""

    study: StudyDef
    form: FormDef
    item: ItemDef
    answer: Answer

    @property
    def is_open(self) -> bool:
        return self.item.required and not self.answer


class Questionnaire:
    """All questions of a visit that are answered by link, the target symptom's first."""

    def __init__(self, answers: SubjectAnswers, event: StudyEvent) -> None:
        self.answers, self.event = answers, event

    @property
    def plan(self) -> LinkPlan:
        assert self.answers.study.links is not None  # a form by link needs it (trials/consistency/links.py)
        return self.answers.study.links

    @cached_property
    def forms(self) -> list[FormDef]:
        return link_forms(self.answers, self.event)

    @cached_property
    def questions(self) -> list[Question]:
        first = self._first()
        found = [question for form in self.forms for question in self._of(form)]
        return sorted(found, key=lambda question: question.item.oid != first)  # stable: the others stay in order

    @property
    def open_at(self) -> int:
        """The number, from 1, of the first question that is open; one past the last when none is."""
        numbers = (n for n, question in enumerate(self.questions, start=1) if question.is_open)
        return next(numbers, len(self.questions) + 1)

    def rules_of(self, form: FormDef) -> Rules:
        row = row_of(self.answers, self.event, form.oid)
        study = definition_for(row) if row else self.answers.study
        return Rules(study, study.form(form.oid), self.answers.at(self.event))

    def _of(self, form: FormDef) -> Iterator[Question]:
        row = row_of(self.answers, self.event, form.oid)
        document = Document(row.data, row.marks) if row else Document()
        rules = self.rules_of(form)
        asked = rules.settle(document, {}, {}).outcome.items
        for group in rules.form.groups:
            for item in group.items:
                if item.oid in asked and not (group.by_staff or item.derived or item.retired):
                    yield Question(rules.study, rules.form, item, document.answer(item.oid))

    def _first(self) -> str:
        """The item of the question that comes before all others, "" for none."""
        for form in self.forms:
            if form.by_link and form.by_link.first:
                told = facts_of(self.answers.study, self.answers.whole)
                return form.by_link.first.items.get(str(told.get(form.by_link.first.fact, "")), "")
        return ""


def link_forms(answers: SubjectAnswers, event: StudyEvent) -> list[FormDef]:
    """The forms of the visit that the participant answers by link: asked for, and not entered by the staff.

    A form whose wording is a placeholder is asked in a study in test mode only (licence, study/instruments).
    """
    study, here = answers.study, answers.at(event)
    is_live = answers.subject.study.mode == Mode.LIVE
    return [
        form
        for ref in study.event(event.event_oid).forms
        if (form := study.form(ref.form)).by_link
        and not (form.lacks_wording and is_live)
        and is_shown(study, ref, here)
        and _is_left_to_the_participant(answers, event, form)
    ]


def row_of(answers: SubjectAnswers, event: StudyEvent, form_oid: str) -> FormData | None:
    return next((row for row in answers.forms if row.event.key == event.key and row.form_oid == form_oid), None)


def _is_left_to_the_participant(answers: SubjectAnswers, event: StudyEvent, form: FormDef) -> bool:
    row = row_of(answers, event, form.oid)
    if row is None or form.by_link is None or answers.study.links is None:
        return row is None
    return bool(row.data.get(form.by_link.mode) == answers.study.links.mode)
