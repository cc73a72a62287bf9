"""Owing a message, and sending what is owed: the database remembers, Celery only carries (decision D6)."""

import logging
import smtplib
import uuid
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from pallsoft.outbox.models import Message, State
from pallsoft.outbox.registry import Mail, NotNow, Sms, Undeliverable, is_owed, kind_of, kinds_to_participants
from pallsoft.outbox.sms import gateway

MOST_ATTEMPTS = 10  # with doubling pauses: the last try comes about 17 hours after the first
COPY_LOOKS_AGAIN = timedelta(minutes=30)
logger = logging.getLogger(__name__)


def owe(
    *,
    kind: str,
    recipient_id: uuid.UUID,
    study_id: uuid.UUID | None = None,
    subject_id: uuid.UUID | None = None,
    event_id: uuid.UUID | None = None,
    ordinal: int = 1,
    payload: dict[str, str] | None = None,
    due_at: datetime | None = None,
) -> None:
    """Remember in this transaction that a message is to be sent; the same one is remembered once.

    `payload` holds ids only; the text is made when it is sent. Nothing is sent when the transaction rolls back.
    """
    message = Message(
        kind=kind,
        recipient_id=recipient_id,
        study_id=study_id,
        subject_id=subject_id,
        event_id=event_id,
        ordinal=ordinal,
        payload=payload or {},
    )
    if due_at:
        message.due_at = message.next_try_at = due_at
    Message.objects.bulk_create([message], ignore_conflicts=True)
    transaction.on_commit(wake_relay, robust=True)


def cancel_to_participant(*, subject_id: uuid.UUID, cause: str, change_set: uuid.UUID) -> int:
    """Take back, in this transaction, every message to the participant that is not sent yet; returns how many.

    One that a relay is sending at this moment is waited for: it counts as sent. None comes back by itself.
    """
    waiting = Message.objects.filter(
        subject_id=subject_id, kind__in=kinds_to_participants(), state__in=[State.DUE, State.DEAD]
    )
    return waiting.update(state=State.CANCELLED, cause=cause, cancelled_in=change_set)


def send_again(message: Message) -> None:
    """Take up a dead letter as if it had never been tried; the caller has asked who may."""
    again = Message.objects.filter(pk=message.pk, state=State.DEAD)
    again.update(state=State.DUE, attempts=0, error="", next_try_at=Now())
    transaction.on_commit(wake_relay, robust=True)


def try_now(*, kind: str, subject_id: uuid.UUID) -> None:
    """What a participant's message waited for has come."""
    Message.objects.filter(kind=kind, subject_id=subject_id, state=State.DUE).update(next_try_at=Now())
    transaction.on_commit(wake_relay, robust=True)


def send_due() -> int:
    """Send everything that is due, row by row, each in its own transaction. Returns how many rows were handled."""
    handled = 0
    while _handle_next():
        handled += 1
    return handled


def _handle_next() -> bool:
    with transaction.atomic():
        message = _claim()
        if message is None:
            return False
        try:
            with transaction.atomic():
                state = _deliver(message)
        except NotNow as later:
            due = {"due_at": later.until} if later.is_due_then else {}
            Message.objects.filter(pk=message.pk).update(next_try_at=later.until, **due)
        except Exception as error:  # one bad row must not hold up the others
            logger.warning("Message %s (%s) not sent: %s", message.pk, message.kind, type(error).__name__)
            _postpone(message, error)
        else:
            _settle(message, state)
    return True


def _claim() -> Message | None:
    """The next due row, locked; rows that another relay holds are passed over."""
    due = Message.objects.filter(state=State.DUE, next_try_at__lte=Now())
    return due.select_for_update(skip_locked=True, no_key=True).order_by("next_try_at", "pk").first()


def _deliver(message: Message) -> State:
    """The mail server is reached before anything is locked: while one hangs, nothing that `is_owed` locks is held."""
    if until := _held_until(message):
        raise NotNow(until)
    way: AbstractContextManager[Any] = nullcontext() if kind_of(message).by_sms(message) else get_connection()
    with way as mail_server:
        if not is_owed(message):
            return State.DROPPED
        said = kind_of(message).render(message)
        if isinstance(said, Sms):
            gateway().send(said, str(_key(message)))
        else:
            _send(message, said, mail_server)
    return State.SENT


def _held_until(message: Message) -> datetime | None:
    """A copy of the system, restored or for training, holds what would go to participants."""
    kind = kind_of(message)
    if kind.to_participant and not settings.SENDS_REMINDERS:
        return timezone.now() + COPY_LOOKS_AGAIN
    return kind.waits(message)


def _send(message: Message, mail: Mail, mail_server: BaseEmailBackend) -> None:
    headers = {"Message-ID": message_id(message)}
    EmailMessage(mail.subject, mail.body, to=[mail.to], headers=headers, connection=mail_server).send()


def message_id(message: Message) -> str:
    """Made from the row's key: when a killed relay sends twice, the mail server and the reader see one message."""
    return f"<{_key(message)}@{urlsplit(settings.BASE_URL).hostname}>"


def _key(message: Message) -> uuid.UUID:
    row = (message.study_id, message.subject_id, message.event_id, message.kind, message.topic)
    key = [settings.BASE_URL, *row, message.ordinal, message.recipient_id]
    return uuid.uuid5(uuid.NAMESPACE_URL, "|".join(map(str, key)))


def _settle(message: Message, state: State) -> None:
    sent_at = Now() if state == State.SENT else None
    Message.objects.filter(pk=message.pk).update(state=state, sent_at=sent_at, attempts=F("attempts") + 1, error="")


def _postpone(message: Message, error: Exception) -> None:
    """Doubling pauses from one minute; the error's name only, since its text may hold an address (PRV-02)."""
    attempts = message.attempts + 1
    Message.objects.filter(pk=message.pk).update(
        attempts=attempts,
        error=type(error).__name__,
        state=State.DEAD if attempts >= MOST_ATTEMPTS or _is_final(error) else State.DUE,
        next_try_at=Now() + timedelta(minutes=2**message.attempts),
    )


def _is_final(error: Exception) -> bool:
    """Does another attempt make no sense: no address, or the mail server refuses it for good (RFC 5321, 5yz)?"""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code >= 500 for code, _text in error.recipients.values())
    return isinstance(error, Undeliverable)


def wake_relay() -> None:
    """Tell a worker at once. With the broker down this fails, and the sweep of the next minute sends the row."""
    from pallsoft.outbox.tasks import relay  # tasks call services

    relay.apply_async(retry=False)
