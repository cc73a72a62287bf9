"""Checks the files of a definition and says everything that is wrong, each with file and line."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trials.consistency import Fault, faults
from trials.consistency.secrecy import secrets
from trials.definition import DefinitionError, StudyDef, read
from trials.loader import Node, Problem, load_tree


@dataclass(frozen=True)
class Loaded:
    """A definition without errors: the canonical document, its meaning, and the files {name: text} it came from."""

    document: Mapping[str, Any]
    study: StudyDef
    files: Mapping[str, str]

    @property
    def sha256(self) -> str:
        return hashlib.sha256(canonical_json(self.document).encode()).hexdigest()


def canonical_json(document: Mapping[str, Any]) -> str:
    """The one way to write a document: keys sorted, no white space, UTF-8 as it is; every scalar is a string."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def check(directory: Path) -> tuple[Loaded | None, list[Problem]]:
    """The definition in `directory`, None when there is any error, and all problems by file and line."""
    tree, files, problems = load_tree(directory)
    document = tree.plain()
    study, structure = read(document)
    unreadable = files.keys() & {problem.file for problem in problems}
    missing_parts = [_placed(tree, Fault(path, message)) for path, message in structure]
    problems += [problem for problem in missing_parts if problem.file not in unreadable]
    problems += secrets(tree)
    problems += _misnamed(tree)
    if not unreadable:  # else half of what is named would be missed
        problems += [_placed(tree, fault) for fault in faults(study)]
    in_order = sorted(set(problems), key=lambda problem: (problem.file, problem.line, problem.message))
    return (Loaded(document, study, files) if all(one.warning for one in in_order) else None), in_order


def check_document(document: Mapping[str, Any], files: Mapping[str, str]) -> Loaded:
    """A definition that did not come from files as they lie. Raises DefinitionError with everything that is wrong."""
    study, structure = read(document)
    wrong = structure or [(fault.path, fault.message) for fault in faults(study) if not fault.warning]
    if wrong:
        raise DefinitionError(wrong)
    return Loaded(document, study, files)


def _placed(tree: Node, fault: Fault) -> Problem:
    node = tree.at(fault.path)
    message = fault.message
    if fault.other is not None:
        other = tree.at(fault.other)
        message += f", first in {other.file}:{other.line}"
    return Problem(node.file, node.line, message, fault.warning)


def _misnamed(tree: Node) -> Iterator[Problem]:
    for form in tree.at(("forms",)).sequence():
        oid = form.at(("oid",))
        if isinstance(oid.value, str) and form.file != f"forms/{oid.value}.yaml":
            yield Problem(oid.file, oid.line, f"form {oid.value} has to be in forms/{oid.value}.yaml")
