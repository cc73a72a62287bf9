"""What a subject took at the visit before, offered as unchanged: one key instead of the same rows typed again (S06)."""

import hashlib
from dataclasses import dataclass
from datetime import date

from crf.answers import SubjectAnswers
from crf.entry.document import Document
from crf.models import FormData, StudyEvent
from crf.selectors.matrix import visit_label
from crf.selectors.words import answer_words
from trials.definition import FormDef


@dataclass(frozen=True)
class Unchanged:
    """The entries of the newest earlier visit that has any. `digest`: names exactly what is offered."""

    label: str
    on: date
    rows: list[FormData]
    lines: list[str]

    @property
    def digest(self) -> str:
        return hashlib.sha256("|".join(f"{row.pk}@{row.version}" for row in self.rows).encode()).hexdigest()


def unchanged_offer(answers: SubjectAnswers, event: StudyEvent, form: FormDef) -> Unchanged | None:
    """None where the study does not offer it, where entries stand already, or where there is nothing before."""
    saved = [row for row in answers.forms if row.form_oid == form.oid]
    if not form.offer_unchanged or any(row.event.key == event.key for row in saved):
        return None
    days = {row.event.key: row.event.happened_on for row in saved if row.event.happened_on}
    earlier = {key: day for key, day in days.items() if event.happened_on is None or day <= event.happened_on}
    if not earlier:
        return None
    newest = max(earlier, key=lambda key: (earlier[key], key))
    rows = sorted(
        (row for row in saved if row.event.key == newest), key=lambda row: (len(row.repeat_key), row.repeat_key)
    )
    label = visit_label(rows[0].event, answers.study.event(newest[0]))
    return Unchanged(label, earlier[newest], rows, [_line(answers, form, row) for row in rows])


def _line(answers: SubjectAnswers, form: FormDef, row: FormData) -> str:
    """The first answer says what it is; a number after it is nothing without its question."""
    document = Document(row.data, row.marks)
    items = [item for item in form.items if not item.derived and document.answer(item.oid)]
    words = [answer_words(answers.study, item, document.answer(item.oid), answers.zone) for item in items]
    named = [f"{item.label}: {answer}" for item, answer in zip(items[1:], words[1:], strict=True)]
    return " · ".join([*words[:1], *named])
