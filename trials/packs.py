"""Instrument packs: the licensed wording of questionnaires, in files that the trial brings and the product never holds.

A pack words one form of a definition. Only words change: a question, its code and its place stay what they are, so data
that were entered before mean the same.
"""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trials.definition.texts import Text
from trials.definition.wording import PackContent
from trials.loader import Node, Problem, Refused, parse, text_of
from trials.reading import At, record

FOLDER = "packs/"  # where a pack lies among the files of a version
Document = dict[str, Any]


@dataclass(frozen=True)
class Pack:
    """A pack that can be read; whether it fits a definition, `faults_of` says."""

    node: Node
    text: str
    content: PackContent

    @property
    def name(self) -> str:
        """Among the files of a version."""
        return f"{FOLDER}{self.content.form}.yaml"

    @property
    def title(self) -> str:
        return f"{self.content.instrument} {self.content.version}"


def read_pack(path: Path) -> tuple[Pack | None, list[Problem]]:
    """The pack in a file, None when it cannot be read, and what is wrong with it by line."""
    try:
        return pack_of(text_of(path), path.name)
    except Refused as refused:
        return None, [Problem(path.name, refused.line, refused.message)]
    except OSError as error:
        return None, [Problem(path.name, 1, f"cannot be read: {error.strerror}")]


def pack_of(text: str, file: str) -> tuple[Pack | None, list[Problem]]:
    """The same of its text. Raises Refused for what is not YAML."""
    node = parse(text, file)
    at = At([])
    content = record(PackContent)(node.plain(), at)
    problems = [_placed(node, path, message) for path, message in at.problems]
    return (None if problems else Pack(node, text, content)), problems


def faults_of(pack: Pack, document: Mapping[str, Any]) -> list[Problem]:
    """Why the pack does not fit this definition; nothing when it does."""
    return [_placed(pack.node, path, message) for path, message in _faults(pack.content, document)]


def worded(document: Mapping[str, Any], pack: Pack) -> Document:
    """The definition in the words of the pack, which fits."""
    new, content = deepcopy(dict(document)), pack.node.mapping()
    form = _form(new, pack.content.form)
    form["by_link"].pop("placeholder", None)
    form.pop("instructions", None)
    form |= {key: content[key].plain() for key in ("title", "instructions") if key in content}
    about = ("instrument", "version", "licence", "notice")
    form["wording"] = {key: content[key].plain() for key in about if key in content}
    for group in form["groups"]:
        if group["oid"] in pack.content.groups:
            group["label"] = content["groups"].mapping()[group["oid"]].plain()
        for item in group["items"]:
            if item["oid"] in pack.content.items:
                item |= content["items"].mapping()[item["oid"]].plain()
    for oid, words in pack.content.answers.items():
        for one in new["code_lists"][oid]["items"]:
            if one["code"] in words:
                one["label"] = content["answers"].mapping()[oid].mapping()[one["code"]].plain()
    return new


def _faults(pack: PackContent, document: Mapping[str, Any]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if pack.study != document["oid"]:
        yield ("study",), f"the licence is for {pack.study}, and this is {document['oid']}"
        return
    form = _form(document, pack.form)
    if form is None or not (form.get("by_link", {}).get("placeholder") == "true" or "wording" in form):
        yield ("form",), f"{pack.form} is not a form of this study that waits for its wording"
        return
    asked = {item["oid"]: item for item in _asked(form)}
    for oid in asked.keys() - pack.items.keys():
        yield ("items",), f"{oid} has no words; the patient is asked it"
    for oid in pack.items.keys() - asked.keys():
        yield ("items", oid), f"{oid} is not a question to the patient in form {pack.form}"
    for oid in (oid for oid in asked.keys() & pack.items.keys() if pack.items[oid].anchors):
        if asked[oid]["kind"] != "nrs":
            yield ("items", oid, "anchors"), f"{oid} is no numeric rating scale, so it has no anchors"
    for oid in pack.groups.keys() - {group["oid"] for group in form["groups"]}:
        yield ("groups", oid), f"{oid} is not a section of form {pack.form}"
    used = {item["code_list"] for item in asked.values() if "code_list" in item}
    for oid, words in pack.answers.items():
        yield from _faults_of_answers(document, pack, oid, words, used)


def _faults_of_answers(
    document: Mapping[str, Any], pack: PackContent, oid: str, words: Mapping[str, Text], used: set[str]
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if oid not in used or oid not in document["code_lists"]:
        yield ("answers", oid), f"{oid} is not a code list of a question to the patient in form {pack.form}"
        return
    labels = {one["code"]: one["label"] for one in document["code_lists"][oid]["items"]}
    for code in labels.keys() - words.keys():
        yield ("answers", oid), f"code {code} has no words"
    for code in words.keys() - labels.keys():
        yield ("answers", oid, code), f"{oid} has no code {code}"
    for other in document["forms"]:
        if other["oid"] != pack.form and "wording" in other and oid in _lists_of(other):
            for code in labels.keys() & words.keys():
                if labels[code] != {"nb": words[code].nb, "en": words[code].en}:
                    yield ("answers", oid, code), f"form {other['oid']} says it in other words, and shares the list"


def _lists_of(form: Mapping[str, Any]) -> set[str]:
    return {item["code_list"] for item in _asked(form) if "code_list" in item}


def _asked(form: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """What the patient is asked."""
    for group in form["groups"]:
        for item in group["items"]:
            if group.get("by_staff") != "true" and "derived" not in item and item.get("retired") != "true":
                yield item


def _form(document: Mapping[str, Any], oid: str) -> Any:
    return next((form for form in document["forms"] if form["oid"] == oid), None)


def _placed(node: Node, path: tuple[str | int, ...], message: str) -> Problem:
    place = node.at(path)
    return Problem(place.file, place.line, message)
