"""What each kind of message needs: is it still owed, and what does it say? Filled by the apps in `ready()`."""

from collections.abc import Callable
from dataclasses import dataclass

from pallsoft.outbox.models import Message


@dataclass(frozen=True)
class Mail:
    """One e-mail in plain text. No identity of a patient in the subject line (PRV-02)."""

    to: str
    subject: str
    body: str


@dataclass(frozen=True)
class Kind:
    still_owed: Callable[[Message], bool]
    render: Callable[[Message], Mail]


_kinds: dict[str, Kind] = {}


def register(kind: str, *, still_owed: Callable[[Message], bool], render: Callable[[Message], Mail]) -> None:
    """Tell how messages of `kind` are sent; both are asked at the moment of sending, under the row's lock."""
    _kinds[kind] = Kind(still_owed, render)


def kind_of(message: Message) -> Kind:
    """Raises KeyError for a kind that no installed app knows."""
    return _kinds[message.kind]
