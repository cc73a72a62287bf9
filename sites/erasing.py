"""A port: what other apps keep of a subject outside the database, when the data are erased (S18)."""

from collections.abc import Callable

from sites.models import Subject

Held = Callable[[Subject], list[dict[str, str]]]
LetGo = Callable[[Subject], None]
_holders: list[tuple[Held, LetGo]] = []


def register(held: Held, let_go: LetGo) -> None:
    """Called from `ready()` of an app: `held(subject)` gives {"file", "made_at", "sha256"} of each file with values;
    `let_go(subject)` runs in the transaction of the erasure and gives up what can be called back."""
    _holders.append((held, let_go))


def held_by(subject: Subject) -> list[dict[str, str]]:
    return [file for held, _let_go in _holders for file in held(subject)]


def let_go(subject: Subject) -> None:
    for _held, give_up in _holders:
        give_up(subject)
