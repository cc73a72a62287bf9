"""Reads a document of texts, lists and mappings into frozen dataclasses, and says all that is wrong with it.

A dataclass declares how each of its fields is read:

    @dataclass(frozen=True, kw_only=True)
    class Arm:
        code: str = needs(OID)
        ratio: int = may(whole(least=1), 1)

A reader takes (raw, at) and always returns a usable value; what it did not like it tells `at`. So one pass finds every
fault, and the dataclasses are the only description of the format.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

from trials.values import typed

Path = tuple[str | int, ...]
Reader = Callable[[Any, "At"], Any]

SOURCES = ("protocol", "registry", "default")
MAX_WORDS = 5000


@dataclass(frozen=True)
class At:
    """A place in the document; `source` is inherited from what encloses it, `problems` is shared by all places."""

    problems: list[tuple[Path, str]]
    path: Path = ()
    source: str = "protocol"

    def down(self, step: str | int) -> "At":
        return At(self.problems, (*self.path, step), self.source)

    def refuse(self, message: str) -> None:
        self.problems.append((self.path, message))

    def muted(self) -> "At":
        return At([], self.path, self.source)


def needs(read: Reader, key: str = "") -> Any:
    """A field that must be there; `key`: its name in the document when that is not a Python name."""
    return field(metadata={"read": read, "key": key})


def may(read: Reader, default: Any = None, key: str = "") -> Any:
    """A field that may be left out."""
    if default == {}:
        return field(default_factory=dict, metadata={"read": read, "key": key})
    return field(default=default, metadata={"read": read, "key": key})


def key_of(item: Field[Any]) -> str:
    return item.metadata["key"] or item.name


def record(cls: type) -> Reader:
    """Reads a mapping into `cls`. A class may add checks of its own in `finish(values, raw, at) -> values`."""

    def read(raw: Any, at: At) -> Any:
        known = {key_of(item): item for item in fields(cls)}
        if not isinstance(raw, Mapping):
            at.refuse(f"needs to be a mapping with the keys {', '.join(known)}")
            raw, at = {}, at.muted()
        at = _with_source(raw, at)
        for key in raw.keys() - known.keys():
            at.down(key).refuse(f"{key} is not a known key{_suggestion(key, known)}")
        values = {item.name: _field_value(item, raw, at) for item in known.values()}
        return cls(**(cls.finish(values, raw, at) if hasattr(cls, "finish") else values))

    return read


def parts(part: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every record inside `part`, itself first, with its path in the document."""
    yield path, part
    for item in fields(part):
        value, below = getattr(part, item.name), (*path, key_of(item))
        read = item.metadata["read"]
        if is_dataclass(value):
            yield from parts(value, below)
        for index, one in enumerate(value if isinstance(value, tuple) else ()):
            if is_dataclass(one):
                yield from parts(one, (*below, getattr(one, read.key) if isinstance(read, _Keyed) else index))


def rules(part: Any) -> Iterator[tuple[str, str]]:
    """The expressions that a record holds: (key in the document, source)."""
    for item in fields(part):
        if item.metadata["read"] is RULE and (text := getattr(part, item.name)):
            yield key_of(item), text


def _with_source(raw: Mapping[str, Any], at: At) -> At:
    given = raw.get("source")
    return At(at.problems, at.path, given) if given in SOURCES else at


def _field_value(item: Field[Any], raw: Mapping[str, Any], at: At) -> Any:
    key = key_of(item)
    if key in raw:
        return item.metadata["read"](raw[key], at.down(key))
    if item.metadata["read"] is SOURCE:
        return at.source
    if item.default is not MISSING:
        return item.default
    if item.default_factory is not MISSING:
        return item.default_factory()
    at.refuse(f"{key} is missing")
    return item.metadata["read"](None, at.muted())


def _suggestion(key: str, known: Mapping[str, Any]) -> str:
    close = get_close_matches(key, known, 1)
    return f": did you mean {close[0]}?" if close else f"; known are {', '.join(known)}"


def _words(raw: Any, at: At) -> str:
    """Any text, but not none."""
    if not isinstance(raw, str):
        at.refuse("needs to be a text")
        return ""
    if not raw.strip() or len(raw) > MAX_WORDS:
        at.refuse(f"needs a text of 1 to {MAX_WORDS} characters")
    return raw


def _rule(raw: Any, at: At) -> str:
    """The source of an expression; what it means is checked where all names are known."""
    return _words(raw, at)


def matching(pattern: str, what: str) -> Reader:
    matches = re.compile(pattern, re.ASCII).fullmatch

    def read(raw: Any, at: At) -> str:
        if isinstance(raw, str) and matches(raw):
            return raw
        at.refuse(f"{_shown(raw)} is not {what}")
        return ""

    return read


def choice(*options: str) -> Reader:
    def read(raw: Any, at: At) -> str:
        if isinstance(raw, str) and raw in options:
            return raw
        at.refuse(f"{_shown(raw)} is not one of {', '.join(options)}")
        return options[0]

    return read


def _flag(raw: Any, at: At) -> bool:
    return bool(choice("false", "true")(raw, at) == "true")


SOURCE: Reader = choice(*SOURCES)  # left out, it is inherited
WORDS: Reader = _words
RULE: Reader = _rule
FLAG: Reader = _flag


def _of_kind(kind: str, what: str, fallback: Any) -> Reader:
    """A value in the canonical form of an item kind."""

    @dataclass(frozen=True)
    class Form:
        kind: str
        decimals: int | None = None

    def read(raw: Any, at: At) -> Any:
        try:
            return typed(Form(kind), raw if isinstance(raw, str) else "")
        except ValueError:
            at.refuse(f"{_shown(raw)} is not {what}")
            return fallback

    return read


NUMBER = _of_kind("decimal", "a number such as 12.5", Decimal(0))
DAY = _of_kind("date", "a date such as 2026-09-01", date(2000, 1, 1))
_integer = _of_kind("integer", "a whole number", Decimal(0))


def whole(least: int | None = None, most: int | None = None) -> Reader:
    def read(raw: Any, at: At) -> int:
        before = len(at.problems)
        value = int(_integer(raw, at))
        if len(at.problems) > before:
            return least or 0
        if least is not None and value < least:
            at.refuse(f"{value} is less than {least}")
        if most is not None and value > most:
            at.refuse(f"{value} is more than {most}")
        return value

    return read


def many(read_one: Reader, least: int = 0) -> Reader:
    """A list; order is kept."""

    def read(raw: Any, at: At) -> tuple[Any, ...]:
        if not isinstance(raw, list | tuple):
            at.refuse("needs to be a list")
            return ()
        if len(raw) < least:
            at.refuse(f"needs {least} or more")
        return tuple(read_one(one, at.down(index)) for index, one in enumerate(raw))

    return read


@dataclass(frozen=True)
class _Keyed:
    """A reader that remembers which field names its records in the document."""

    read: Reader
    key: str

    def __call__(self, raw: Any, at: At) -> Any:
        return self.read(raw, at)


def keyed(cls: type, key: str) -> Reader:
    """A mapping from a name to a record of `cls`, whose `key` is that name. Sorted, as a mapping has no order."""
    read_record = record(cls)

    def read_one(name: str, raw: Any, at: At) -> Any:
        if isinstance(raw, Mapping):
            if key in raw:
                at.down(key).refuse(f"{key} is already given by the name {name}")
            raw = {**raw, key: name}
        return read_record(raw, at)

    def read(raw: Any, at: At) -> tuple[Any, ...]:
        found = _mapping(raw, at)
        return tuple(read_one(name, found[name], at.down(name)) for name in sorted(found))

    return _Keyed(read, key)


def mapping(read_one: Reader) -> Reader:
    """A mapping from any name to one kind of value."""

    def read(raw: Any, at: At) -> dict[str, Any]:
        return {key: read_one(value, at.down(key)) for key, value in _mapping(raw, at).items()}

    return read


def _mapping(raw: Any, at: At) -> Mapping[str, Any]:
    if isinstance(raw, Mapping):
        return raw
    at.refuse("needs to be a mapping")
    return {}


def _shown(raw: Any) -> str:
    if isinstance(raw, str):
        return repr(raw[:60])
    return "nothing" if raw is None else "a list or mapping"
