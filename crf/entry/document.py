"""A form as a document: what was answered, settled by the rules of the definition into `data` and `marks`.

Pure: no database. `data` holds relevant answers only; what skip logic hides waits in the marks (`set_aside`) and comes
back when the question does.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from trials.definition import FormDef, ItemDef, StudyDef
from trials.evaluate import Outcome, evaluate
from trials.expressions import Context
from trials.scope import compiled

Marks = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Answer:
    """What a person says to one item: a canonical text, or why it is missing, or nothing.

    `entered`: the text as typed, where it is not the canonical one.
    """

    value: str = ""
    missing: str = ""
    entered: str = field(default="", compare=False)

    def __bool__(self) -> bool:
        return bool(self.value or self.missing)


NOTHING = Answer()


@dataclass(frozen=True)
class Document:
    """`data` and `marks` of a crf.FormData (data_model rule 2)."""

    data: Mapping[str, str] = field(default_factory=dict)
    marks: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def answer(self, oid: str) -> Answer:
        """The answer that counts."""
        mark = self.marks.get(oid, {})
        return Answer(self.data.get(oid, ""), mark.get("missing", ""), mark.get("entered", ""))

    def given(self, oid: str) -> Answer:
        """The answer that a person gave, whether it counts now or is set aside; never one by rule."""
        mark = self.marks.get(oid, {})
        aside = Answer(mark.get("set_aside", ""), mark.get("set_aside_missing", ""), mark.get("entered", ""))
        return aside or (NOTHING if "by_rule" in mark else self.answer(oid))


@dataclass(frozen=True)
class Fired:
    """A soft check that found something, and why it is right all the same ("" = not yet asked)."""

    oid: str
    key: str  # "EC_12@3": the check and the version it was published in
    why: str


@dataclass(frozen=True)
class Settled:
    """A document after the rules, and what they said."""

    document: Document
    outcome: Outcome
    fired: list[Fired]
    complete: bool


@dataclass(frozen=True)
class Change:
    """One answer before and after. `by_rule`: computed or implied, not typed."""

    item: ItemDef
    old: Answer
    new: Answer
    by_rule: bool


class Rules:
    """The rules of one form at one place."""

    def __init__(self, study: StudyDef, form: FormDef, outside: Context) -> None:
        self.study, self.form, self.outside = study, form, outside

    def settle(self, before: Document, given: Mapping[str, Answer], why: Mapping[str, str]) -> Settled:
        """`before` with the answers in `given` (items not named stay), as the rules leave it.

        `why`: {check OID: the person's explanation}.
        """
        answers = {
            item.oid: _answer(item, before.given(item.oid), given) for item in self.form.items if not item.derived
        }
        outcome = evaluate(
            self.study,
            self.form.oid,
            {oid: answer.value for oid, answer in answers.items() if answer.value},
            {oid: answer.missing for oid, answer in answers.items() if answer.missing},
            self.outside,
        )
        document = self._document(before, answers, outcome)
        fired = self._fired(before, document, outcome, why)
        return Settled(
            _with_checks(self.form, document, outcome, fired), outcome, fired, self._complete(document, outcome)
        )

    def changes(self, before: Document, after: Document) -> list[Change]:
        """The answers that differ, in the order of the form."""
        return [
            Change(item, old, new, bool(item.derived) or _is_by_rule(item, before, after))
            for item in self.form.items
            if (old := before.answer(item.oid)) != (new := after.answer(item.oid))
        ]

    def hard_violations(self, outcome: Outcome) -> dict[str, list[str]]:
        """{item OID: sentences} of what cannot be true."""
        found: dict[str, list[str]] = {}
        for check in self.form.checks:
            if check.severity == "hard" and outcome.checks[check.oid] is True:
                found.setdefault(_stands_at(check.items, outcome), []).append(str(check.message))
        return found

    def _document(self, before: Document, answers: Mapping[str, Answer], outcome: Outcome) -> Document:
        data: dict[str, str] = {}
        marks: Marks = {}
        for item in self.form.items:
            if item.derived:
                value = (before.data if item.retired else outcome.derived).get(item.oid, "")
                mark = {}
            elif item.oid in outcome.items:
                value = answers[item.oid].value
                mark = _mark_of(answers[item.oid])
            else:
                value, mark = "", _mark_aside(answers[item.oid])
            if item.oid in outcome.by_rule:
                mark |= {"missing": outcome.by_rule[item.oid], "by_rule": "yes"}
            data |= {item.oid: value} if value else {}
            marks |= {item.oid: mark} if mark else {}
        return Document(data, marks)

    def _fired(self, before: Document, after: Document, outcome: Outcome, why: Mapping[str, str]) -> list[Fired]:
        told = {key: text for mark in before.marks.values() for key, text in mark.get("checks", {}).items()}
        touched = {change.item.oid for change in self.changes(before, after)}
        fired = []
        for check in self.form.checks:
            if check.severity == "hard" or outcome.checks[check.oid] is not True:
                continue
            key = f"{check.oid}@{self.study.version}"
            names = compiled(self.study, check.violated_if, self.form.oid).names
            kept = told.get(key, "") if touched.isdisjoint(names) else ""
            fired.append(Fired(check.oid, key, why.get(check.oid, "").strip() or kept))
        return fired

    def _complete(self, document: Document, outcome: Outcome) -> bool:
        """Every relevant required item has a value or a reason why not."""
        return all(document.answer(item.oid) for item in self.form.items if item.required and item.oid in outcome.items)


def _answer(item: ItemDef, before: Answer, given: Mapping[str, Answer]) -> Answer:
    """What was given now, else what stood there; a retired question takes no new answer, only a correction."""
    return before if item.retired and not before else given.get(item.oid, before)


def _mark_of(answer: Answer) -> dict[str, Any]:
    if answer.missing:
        return {"missing": answer.missing}
    return {"entered": answer.entered} if answer.entered and answer.entered != answer.value else {}


def _mark_aside(answer: Answer) -> dict[str, Any]:
    aside = {"set_aside": answer.value, "set_aside_missing": answer.missing, "entered": answer.entered}
    return {key: text for key, text in aside.items() if text}


def _with_checks(form: FormDef, document: Document, outcome: Outcome, fired: list[Fired]) -> Document:
    """The explanations beside the item that each check stands at (AUD-13)."""
    marks: Marks = {oid: dict(mark) for oid, mark in document.marks.items()}
    standing = {check.oid: _stands_at(check.items, outcome) for check in form.checks}
    for check in fired:
        marks.setdefault(standing[check.oid], {}).setdefault("checks", {})[check.key] = check.why
    return Document(document.data, marks)


def _stands_at(items: tuple[str, ...], outcome: Outcome) -> str:
    """The item beside which a check is shown: the first of its items that is asked."""
    return next((oid for oid in items if oid in outcome.items), items[0])


def _is_by_rule(item: ItemDef, before: Document, after: Document) -> bool:
    """Did only the code of a hidden question come or go?"""
    by_rule = ["by_rule" in document.marks.get(item.oid, {}) for document in (before, after)]
    plain = [document.answer(item.oid) for document, ruled in zip((before, after), by_rule, strict=True) if not ruled]
    return any(by_rule) and not any(plain)
