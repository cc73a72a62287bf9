"""What the compiler makes of each part of an expression: a static type and a closure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from trials.values import Maybe

Run = Callable[[Any], Maybe]  # takes a Context


@dataclass(frozen=True)
class Type:
    """`codes`: for text that can only be one of these; None when it can be anything."""

    name: str
    codes: frozenset[str] | None = None

    def joined_with(self, other: "Type") -> "Type":
        """The type of something that is one or the other; both have the same name."""
        if self.codes is None or other.codes is None:
            return Type(self.name)
        return Type(self.name, self.codes | other.codes)


NUMBER = Type("number")
TEXT = Type("text")
DATE = Type("date")
TIME = Type("time")
DATETIME = Type("datetime")
TRUTH = Type("true/false")


@dataclass(frozen=True)
class Term:
    type: Type
    run: Run
