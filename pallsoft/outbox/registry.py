"""What each kind of message needs: is it still owed, and what does it say? Filled by the apps in `ready()`."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pallsoft.outbox.models import Message


@dataclass(frozen=True)
class Mail:
    """One e-mail in plain text. No identity of a patient in the subject line (PRV-02)."""

    to: str
    subject: str
    body: str


@dataclass(frozen=True)
class Sms:
    """One text message. No identity and no illness in it: a locked screen shows it."""

    to: str
    body: str


class NotNow(Exception):
    """Raised by `still_owed`: owed, but not before `until`. No attempt is counted.

    `is_due_then`: what it is about has moved, so that it is not late when it leaves then.
    """

    def __init__(self, until: datetime, *, is_due_then: bool = False) -> None:
        super().__init__(f"not before {until}")
        self.until, self.is_due_then = until, is_due_then


class Undeliverable(Exception):
    """Raised by `render`: it can never arrive, so that no further attempt is made and a person must look."""


@dataclass(frozen=True)
class Kind:
    still_owed: Callable[[Message], bool]
    render: Callable[[Message], Mail | Sms]
    by_sms: Callable[[Message], bool]
    waits: Callable[[Message], datetime | None]
    to_participant: bool


_kinds: dict[str, Kind] = {}
_guards: list[Callable[[UUID | None], bool]] = []


def register(
    kind: str,
    *,
    still_owed: Callable[[Message], bool],
    render: Callable[[Message], Mail | Sms],
    by_sms: Callable[[Message], bool] = lambda message: False,
    waits: Callable[[Message], datetime | None] = lambda message: None,
    to_participant: bool = False,
) -> None:
    """Tell how messages of `kind` are sent; all are asked at the moment of sending, under the row's lock.

    `waits`: until when nothing of the kind leaves, asked before the mail server is; no attempt is counted.
    `by_sms`: whether it leaves as a text message, so that no mail server is needed.
    `to_participant`: goes to the person in the trial, not to staff: none goes where a guard says no.
    """
    _kinds[kind] = Kind(still_owed, render, by_sms, waits, to_participant)


def guard_participants(guard: Callable[[UUID | None], bool]) -> None:
    """`guard(subject_id)`: may this participant still be written to? Asked before every message to one."""
    _guards.append(guard)


def is_owed(message: Message) -> bool:
    """Asked at the moment of sending. Raises KeyError for a kind that no installed app knows."""
    kind = kind_of(message)
    if kind.to_participant and not all(guard(message.subject_id) for guard in _guards):
        return False
    return kind.still_owed(message)


def kinds_to_participants() -> list[str]:
    return [name for name, kind in _kinds.items() if kind.to_participant]


def kind_of(message: Message) -> Kind:
    """Raises KeyError for a kind that no installed app knows."""
    return _kinds[message.kind]
