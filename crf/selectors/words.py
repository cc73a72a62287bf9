"""Stored answers, and what rules ask for, in the reader's words."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crf.answers import SubjectAnswers
from crf.entry.document import Answer, Document
from crf.entry.parse import shown
from crf.models import ClosedFor, StudyEvent
from sites.models import Sex
from trials.definition import MISSING_CODES, ItemDef, StudyDef
from trials.subject_rules import SubjectContext
from trials.values import UNKNOWN

REFERENCES = {
    "subject.sex": gettext_lazy("Sex"),
    "subject.birth_year": gettext_lazy("Birth year"),
    "subject.adult_at_consent": gettext_lazy("18 years or older on the day of consent"),
    "subject.consent_on": gettext_lazy("Day of consent"),
    "subject.consent_at": gettext_lazy("Time of consent"),
    "fact.randomized_on": gettext_lazy("Day of randomisation"),
    "fact.randomized_at": gettext_lazy("Time of randomisation"),
    "fact.anchor_on": gettext_lazy("Day 0"),
    "fact.anchor_at": gettext_lazy("Time of day 0"),
    "event.happened_on": gettext_lazy("Day of the visit"),
    "now.date": gettext_lazy("Today"),
}
YES_NO = {"Y": gettext_lazy("Yes"), "N": gettext_lazy("No")}


def answer_words(study: StudyDef, item: ItemDef, answer: Answer, zone: ZoneInfo) -> str:
    """An answer as a reader sees it: the label of a code, a date as 01.09.2026, a number with its unit."""
    if answer.missing:
        return str(MISSING_CODES[answer.missing])
    if not answer.value:
        return _("No answer")
    listed = study.codes_of(item)
    if listed:
        return str(listed.label_of(answer.value))
    text = shown(item, answer.value, zone=zone)
    return f"{text} {item.unit}" if item.unit else text


def reference_words(answers: SubjectAnswers, ref: str, event: StudyEvent) -> str:
    """What a rule asked for and what it found: "Pain: 6", "Birth year: 1949". Facts of the arm are never named."""
    prefix, _dot, name = ref.rpartition(".")
    if prefix and prefix.islower():
        return _fact_words(answers, ref, event)
    item = answers.study.item(name)
    row = answers.instance(prefix or "HERE", name, event)
    answer = Document(row.data, row.marks).answer(name) if row else Answer()
    return f"{item.label}: {answer_words(answers.study, item, answer, answers.zone)}"


def why_not_done(event: StudyEvent, study: StudyDef) -> str:
    """In the reader's language where the definition or the system has the words; else as it was typed."""
    if event.closed_for:
        return str(ClosedFor(event.closed_for).label)
    listed = study.why_not_done
    if listed and event.not_done_code in listed.codes:
        return str(listed.label_of(event.not_done_code))
    return event.not_done_reason


def fact_words(answers: SubjectAnswers, value: Any, code_list: str | None = None) -> str:
    """The value of a fact of the definition."""
    if value is UNKNOWN:
        return _("Not known yet")
    if code_list:
        return str(answers.study.code_list(code_list).label_of(str(value)))
    if isinstance(value, datetime):
        return value.astimezone(answers.zone).strftime("%d.%m.%Y %H:%M")
    return f"{value:%d.%m.%Y}" if isinstance(value, date) else str(value)


def _fact_words(answers: SubjectAnswers, ref: str, event: StudyEvent) -> str:
    own = {f"fact.{fact.oid}": fact for fact in answers.study.facts}
    if ref in own:
        value = SubjectContext(answers.study, answers.whole).value(ref)
        return f"{own[ref].label}: {fact_words(answers, value, own[ref].code_list)}"
    if ref not in REFERENCES:
        return _("Known to the system")
    value = answers.at(event).value(ref)
    if ref == "subject.sex":
        return f"{REFERENCES[ref]}: {Sex(str(value)).label}"
    if isinstance(value, str) and value in YES_NO:
        return f"{REFERENCES[ref]}: {YES_NO[value]}"
    return f"{REFERENCES[ref]}: {fact_words(answers, value)}"
