"""Reads the files of a definition: plain YAML in which every scalar is text and every node knows its line.

YAML's own ideas about types are not asked (NO stays "NO", 1.0 stays "1.0"). Anchors, aliases, tags, duplicate keys,
several documents and deep nesting are refused: what people review must be what is loaded, and nothing can blow up.
"""

import stat
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
    StreamStartEvent,
)

MAX_BYTES = 1_000_000
MAX_FILES = 200
MAX_DEPTH = 12
# Signs that cannot be seen, or change how others look (Trojan Source): no place for them in a protocol.
_INVISIBLE = ("Cc", "Cf", "Cs", "Co", "Cn")


@dataclass(frozen=True)
class Problem:
    """Something wrong at a place; a warning does not stop publishing."""

    file: str
    line: int
    message: str
    warning: bool = False

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {'warning: ' if self.warning else ''}{self.message}"


@dataclass(frozen=True)
class Node:
    """A text, a list of nodes or a mapping to nodes, with its place."""

    value: str | list["Node"] | dict[str, "Node"]
    file: str
    line: int

    def plain(self) -> Any:
        """The same without places: str, list and dict."""
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        return self.value

    def _child(self, step: str | int) -> "Node | None":
        if isinstance(step, str):
            return self.mapping().get(step)
        return self.sequence()[step] if step < len(self.sequence()) else None

    def mapping(self) -> Mapping[str, "Node"]:
        return self.value if isinstance(self.value, dict) else {}

    def sequence(self) -> Sequence["Node"]:
        return self.value if isinstance(self.value, list) else ()

    def at(self, path: tuple[str | int, ...]) -> "Node":
        """The node at `path`, or the nearest one on the way to it."""
        node = self
        for step in path:
            child = node._child(step)
            if child is None:
                break
            node = child
        return node


class Refused(Exception):
    """A file cannot be read at all; `line`: where."""

    def __init__(self, message: str, line: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


def load_tree(directory: Path) -> tuple[Node, dict[str, str], list[Problem]]:
    """The whole definition as one tree, the text of each file by name, and what could not be read.

    study.yaml is the root; code_lists.yaml, eligibility.yaml and schedule.yaml hang in it as `code_lists`,
    `eligibility` and `events`, the files of forms/ as the list `forms`, by name.
    """
    problems: list[Problem] = []
    texts: dict[str, str] = {}
    nodes: dict[str, Node] = {}
    for name in _file_names(directory, problems):
        try:
            texts[name] = ""
            texts[name] = text_of(directory / name)
            nodes[name] = parse(texts[name], name)
        except Refused as refused:
            problems.append(Problem(name, refused.line, refused.message))
    return _joined(nodes, problems), texts, problems


def parse(text: str, file: str) -> Node:
    """The one document in `text`. Raises Refused with the line."""
    try:
        return _build(YAML(typ="safe", pure=True).parse(text), file)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise Refused(f"is not YAML: {error.problem}", mark.line + 1 if mark else 1) from None
    except (YAMLError, ValueError, OverflowError) as error:
        raise Refused(f"is not YAML: {str(error).splitlines()[0]}") from None


def _file_names(directory: Path, problems: list[Problem]) -> list[str]:
    """The files of the definition, relative to `directory`; what else lies there is refused."""
    needed = ["study.yaml", "code_lists.yaml", "eligibility.yaml", "schedule.yaml"]
    if directory.is_symlink() or not directory.is_dir():
        problems.append(Problem(str(directory), 1, "is not a directory"))
        return []
    found = sorted(
        str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_symlink() or not path.is_dir()
    )
    forms = [name for name in found if name.startswith("forms/") and name.count("/") == 1 and name.endswith(".yaml")]
    problems += [Problem(name, 1, "is missing") for name in needed if name not in found]
    known = {*needed, *forms, "README.md"}
    problems += [Problem(name, 1, "does not belong to a definition") for name in found if name not in known]
    if len(forms) > MAX_FILES:
        problems.append(Problem("forms", 1, f"holds more than {MAX_FILES} files"))
        return []
    return [name for name in needed if name in found] + forms


def text_of(path: Path) -> str:
    """The text of a file of the trial. Raises Refused for anything but a small, ordinary file of clean UTF-8."""
    status = path.lstat()
    if not stat.S_ISREG(status.st_mode) or path.parent.is_symlink():
        raise Refused("is not an ordinary file")
    if status.st_size > MAX_BYTES:
        raise Refused(f"is larger than {MAX_BYTES} bytes")
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise Refused("is not UTF-8", content[: error.start].count(b"\n") + 1) from None
    for number, line in enumerate(text.split("\n"), 1):
        _clean(line, number)
    return text


def _joined(nodes: Mapping[str, Node], problems: list[Problem]) -> Node:
    root = nodes.get("study.yaml", Node({}, "study.yaml", 1))
    tree = dict(root.mapping())
    for key in ("code_lists", "eligibility", "events", "forms"):
        if stray := tree.pop(key, None):
            problems.append(Problem(stray.file, stray.line, f"{key} has a file of its own"))
    for file, key in (("code_lists.yaml", "code_lists"), ("eligibility.yaml", "eligibility")):
        if file in nodes:
            tree[key] = nodes[file]
    if "schedule.yaml" in nodes:
        tree["events"] = _events(nodes["schedule.yaml"], problems)
    forms = [node for name, node in nodes.items() if name.startswith("forms/")]
    tree["forms"] = Node(list(forms), "forms", 1)
    return Node(tree, root.file, root.line)


def _events(schedule: Node, problems: list[Problem]) -> Node:
    for key, node in schedule.mapping().items():
        if key != "events":
            problems.append(Problem(node.file, node.line, f"{key} is not a known key; known is events"))
    return schedule.mapping().get("events", schedule)


def _build(events: Iterator[Event], file: str) -> Node:
    """From YAML events to nodes, without any resolving of types or aliases."""
    content = (event for event in events if not isinstance(event, StreamStartEvent | StreamEndEvent))
    start = next(content, None)
    if start is None:
        raise Refused("is empty")
    root = _node(content, next(content), file, depth=0)
    next(content)  # the end of the document
    if another := next(content, None):
        raise Refused("holds more than one document", _line(another))
    return root


def _node(events: Iterator[Event], event: Any, file: str, depth: int) -> Node:
    line = _line(event)
    if isinstance(event, AliasEvent) or event.anchor:
        raise Refused("anchors and aliases (& and *) are not allowed", line)
    if event.tag:
        raise Refused(f"tags are not allowed ({event.tag})", line)
    if depth > MAX_DEPTH:
        raise Refused(f"is nested deeper than {MAX_DEPTH} levels", line)
    if isinstance(event, MappingStartEvent):
        return Node(_mapping(events, file, depth + 1), file, line)
    if isinstance(event, SequenceStartEvent):
        return Node([_node(events, one, file, depth + 1) for one in _until(SequenceEndEvent, events)], file, line)
    return Node(_clean(event.value, line), file, line)


def _mapping(events: Iterator[Event], file: str, depth: int) -> dict[str, Node]:
    found: dict[str, Node] = {}
    for event in _until(MappingEndEvent, events):
        key = _node(events, event, file, depth)
        if not isinstance(key.value, str):
            raise Refused("a key has to be a text", key.line)
        if key.value in found:
            raise Refused(f"{key.value} stands here twice", key.line)
        value = _node(events, next(events), file, depth)
        found[key.value] = Node(value.value, file, key.line)
    return found


def _until(end: type[Event], events: Iterator[Event]) -> Iterator[Event]:
    """The first events of the children; each child takes the rest of its own."""
    while not isinstance(event := next(events), end):
        yield event


def _clean(text: str, line: int) -> str:
    for sign in text:
        if unicodedata.category(sign) in _INVISIBLE and sign not in "\n\t":
            raise Refused(f"holds the sign U+{ord(sign):04X}, which cannot be seen", line)
    return text


def _line(event: Event) -> int:
    return int(event.start_mark.line) + 1
