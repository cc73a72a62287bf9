"""Answers by link are stored in items that exist, with codes that those may take."""

from collections.abc import Iterator
from typing import Any

from trials.consistency.fault import Fault
from trials.definition import ByLink, FormDef, LinkPlan, StudyDef
from trials.reading import Path


def links_fit(study: StudyDef) -> Iterator[Fault]:
    for index, form in enumerate(study.forms):
        if form.by_link is None:
            continue
        path = ("forms", index, "by_link")
        if study.links is None:
            yield Fault(path, "links is missing in the study: which codes are stored with answers by link?")
            continue
        yield from _items(study, form, form.by_link, path)
        yield from _codes(study, form.by_link, study.links, path)
        yield from _first(study, form, form.by_link, path)


def _items(study: StudyDef, form: FormDef, by_link: ByLink, path: Path) -> Iterator[Fault]:
    by_staff = {item.oid for group in form.groups if group.by_staff for item in group.items if not item.derived}
    for key in ("mode", "who", "language", "day", "not_answered"):
        oid = getattr(by_link, key)
        if oid and oid not in by_staff:
            yield Fault((*path, key), f"{oid} is not an item of form {form.oid} that the staff answers")
    if by_link.day and study.has_item(by_link.day) and study.item(by_link.day).kind != "date":
        yield Fault((*path, "day"), f"{by_link.day} is not a date")


def _codes(study: StudyDef, by_link: ByLink, plan: LinkPlan, path: Path) -> Iterator[Fault]:
    stored: list[tuple[str, str, Any]] = [
        ("mode", by_link.mode, (plan.mode,)),
        ("who", by_link.who, plan.who),
        ("language", by_link.language, tuple(plan.languages.values())),
        ("not_answered", by_link.not_answered, (plan.given_up,)),
    ]
    for key, oid, codes in stored:
        if not study.has_item(oid):
            continue
        listed = study.codes_of(study.item(oid))
        for code in codes:
            if listed is None or code not in listed.codes:
                yield Fault((*path, key), f"{oid} cannot take the code {code}, which the study stores by links")


def _first(study: StudyDef, form: FormDef, by_link: ByLink, path: Path) -> Iterator[Fault]:
    if by_link.first is None:
        return
    if by_link.first.fact not in {fact.oid for fact in study.facts}:
        yield Fault((*path, "first", "fact"), f"{by_link.first.fact} is not a fact of this study")
    for code, oid in by_link.first.items.items():
        if oid not in form.item_oids:
            yield Fault((*path, "first", "items", code), f"{oid} is not an item of form {form.oid}")
