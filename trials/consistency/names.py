"""Names are given once and used for what exists."""

from collections.abc import Collection, Iterator
from typing import Any

from trials.consistency.fault import Fault
from trials.definition import (
    Anchor,
    Arm,
    CodeList,
    CommonCheck,
    ConsentOption,
    Contact,
    Criterion,
    EditCheck,
    Eligibility,
    Fact,
    Factor,
    FormDef,
    FormRef,
    Gate,
    ItemDef,
    ItemGroupDef,
    Reminder,
    Setting,
    StudyDef,
    StudyEventDef,
    TimelineLane,
    VerificationRule,
)
from trials.reading import Path, parts

# Each class with its word and the field that names it; unique in the whole study.
_NAMED = {
    Arm: ("arm", "code"),
    ConsentOption: ("consent option", "oid"),
    Criterion: ("criterion", "oid"),
    CommonCheck: ("check", "oid"),
    EditCheck: ("check", "oid"),
    Fact: ("fact", "oid"),
    Factor: ("stratum", "oid"),
    FormDef: ("form", "oid"),
    Gate: ("gate", "oid"),
    ItemDef: ("item", "oid"),
    ItemGroupDef: ("group", "oid"),
    Reminder: ("reminder", "oid"),
    Setting: ("setting", "key"),
    StudyEventDef: ("event", "oid"),
}


def names_are_unique(study: StudyDef) -> Iterator[Fault]:
    seen: dict[tuple[str, str], Path] = {}
    for path, part in parts(study):
        if isinstance(part, CodeList):
            yield from _codes_are_unique(path, part)
        word, key = _NAMED.get(type(part), ("", ""))
        if not key or not (name := getattr(part, key)):
            continue
        first = seen.setdefault((word, name), path)
        if first != path:
            yield Fault((*path, key), f"{word} {name} is there twice", other=(*first, key))


def _codes_are_unique(path: Path, listed: CodeList) -> Iterator[Fault]:
    for index, item in enumerate(listed.items):
        first = listed.codes.index(item.code)
        if item.code and first != index:
            place, other = ((*path, "items", at, "code") for at in (index, first))
            yield Fault(place, f"code {item.code} is there twice", other=other)


def references_exist(study: StudyDef) -> Iterator[Fault]:
    for path, part in parts(study):
        if isinstance(part, ItemDef | Factor | Fact):
            yield from _known(study.has_code_list, path, part, "code_list", "is not a code list of this study")
        elif isinstance(part, Eligibility | FormRef | Anchor | Contact | TimelineLane | VerificationRule):
            yield from _known(study.has_form, path, part, "form", "is not a form of this study")
        if isinstance(part, VerificationRule):
            yield from _known(study.has_item, path, part, "item", "is not an item of this study")
            for index, oid in enumerate(part.at):
                if oid and not study.has_event(oid):
                    yield Fault((*path, "at", index), f"{oid} is not an event of this study")
        if isinstance(part, Anchor):
            yield from _anchor_items(study, path, part)
        elif isinstance(part, Contact):
            yield from _on_form(study, part.form, [((*path, "date"), part.date)])
            yield from _is_a_day(study, path, "date", part.date)
        elif isinstance(part, TimelineLane):
            yield from _on_form(
                study, part.form, [((*path, key), getattr(part, key)) for key in ("date", "until", "says")]
            )
            for key in ("date", "until"):
                yield from _is(study, path, key, getattr(part, key), ("date", "datetime", "partial_date"))
        elif isinstance(part, Criterion):
            yield from _on_form(study, study.eligibility.form, [((*path, "item"), part.item)])
        elif isinstance(part, FormDef):
            for index, check in enumerate(part.checks):
                places = [((*path, "checks", index, "items", at), oid) for at, oid in enumerate(check.items)]
                yield from _on_form(study, part.oid, places)


def _known(exists: Any, path: Path, part: Any, key: str, message: str) -> Iterator[Fault]:
    name = getattr(part, key)
    if name and not exists(name):
        yield Fault((*path, key), f"{name} {message}")


def _on_form(study: StudyDef, form_oid: str, places: Collection[tuple[Path, str | None]]) -> Iterator[Fault]:
    if study.has_form(form_oid):
        for path, oid in places:
            if oid and oid not in study.form(form_oid).item_oids:
                yield Fault(path, f"{oid} is not an item of form {form_oid}")


def _anchor_items(study: StudyDef, path: Path, anchor: Anchor) -> Iterator[Fault]:
    if anchor.form is None:
        for key in ("date", "time", "when"):
            if getattr(anchor, key):
                yield Fault((*path, key), "has no meaning without a form")
        return
    if anchor.date is None:
        yield Fault(path, "date is missing: which item of the form is day 0?")
    yield from _on_form(study, anchor.form, [((*path, key), getattr(anchor, key)) for key in ("date", "time")])
    yield from _is_a_day(study, path, "date", anchor.date)
    yield from _is(study, path, "time", anchor.time, ("time",))


def _is_a_day(study: StudyDef, path: Path, key: str, oid: str | None) -> Iterator[Fault]:
    yield from _is(study, path, key, oid, ("date", "datetime"))


def _is(study: StudyDef, path: Path, key: str, oid: str | None, kinds: Collection[str]) -> Iterator[Fault]:
    if oid and study.has_item(oid) and study.item(oid).kind not in kinds:
        yield Fault((*path, key), f"{oid} is {study.item(oid).kind}, needs to be {' or '.join(kinds)}")
