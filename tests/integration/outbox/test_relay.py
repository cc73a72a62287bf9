"""What is owed is sent once, by a real mail server's account; what is no longer owed is not sent."""

import threading
import uuid
from datetime import timedelta

import pytest
from django.db import connection, transaction

from pallsoft.celery import app
from pallsoft.outbox import registry
from pallsoft.outbox.models import Message, State
from pallsoft.outbox.registry import Mail, NotNow, Undeliverable
from pallsoft.outbox.services import MOST_ATTEMPTS, message_id, owe, send_again, send_due
from sites.clock import database_now
from tests.mailbox import mail_server
from tools import system

pytestmark = pytest.mark.django_db
TO = uuid.UUID(int=7)


@pytest.fixture
def mailbox(settings):
    with mail_server() as (mailbox, port):
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
        yield mailbox


@pytest.fixture
def no_mail_server(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", system.free_port()


@pytest.fixture
def owed():
    """The ids that are still owed: empty it, and messages of the kind "test" are dropped."""
    return {TO}


@pytest.fixture(autouse=True)
def kind(monkeypatch, owed):
    monkeypatch.setattr(registry, "_kinds", {})
    registry.register(
        "test",
        still_owed=lambda message: message.recipient_id in owed,
        render=lambda message: Mail("crc@sykehus.example", "Påminnelse", f"Nummer {message.ordinal}"),
    )


def test_a_message_is_sent_and_marked(mailbox):
    owe(kind="test", recipient_id=TO)
    assert send_due() == 1
    message = Message.objects.get()
    assert (message.state, message.attempts, mailbox.subjects()) == (State.SENT, 1, ["Påminnelse"])
    assert message.sent_at


def test_what_is_sent_is_not_sent_again(mailbox):
    owe(kind="test", recipient_id=TO)
    assert [send_due(), send_due()] == [1, 0]
    assert len(mailbox.mails) == 1


def test_the_same_obligation_is_remembered_once():
    for _ in range(3):
        owe(kind="test", recipient_id=TO)
    owe(kind="test", recipient_id=TO, ordinal=2)
    assert Message.objects.count() == 2


def test_what_rolls_back_is_not_owed():
    with pytest.raises(RuntimeError), transaction.atomic():
        owe(kind="test", recipient_id=TO)
        raise RuntimeError
    assert not Message.objects.exists()


def test_what_is_not_due_yet_waits(mailbox):
    owe(kind="test", recipient_id=TO, due_at=database_now() + timedelta(hours=1))
    assert send_due() == 0


def test_what_is_no_longer_owed_is_dropped(mailbox, owed):
    owe(kind="test", recipient_id=TO)
    owed.clear()
    send_due()
    assert (Message.objects.get().state, mailbox.mails) == (State.DROPPED, [])


def test_the_message_id_is_made_from_the_key_and_nothing_else(mailbox):
    owe(kind="test", recipient_id=TO)
    message = Message.objects.get()
    send_due()
    assert mailbox.mails[0]["Message-ID"] == message_id(message)
    again = Message(kind="test", recipient_id=TO)
    assert message_id(again) == message_id(message)
    assert message_id(Message(kind="test", recipient_id=TO, ordinal=2)) != message_id(message)


def test_with_the_mail_server_down_it_is_tried_again_later(no_mail_server):
    owe(kind="test", recipient_id=TO)
    send_due()
    message = Message.objects.get()
    assert (message.state, message.attempts, message.error) == (State.DUE, 1, "ConnectionRefusedError")
    assert message.next_try_at > database_now()


def test_the_pauses_double_and_end_in_a_dead_letter(no_mail_server):
    owe(kind="test", recipient_id=TO)
    pauses = []
    for _ in range(MOST_ATTEMPTS):
        Message.objects.update(next_try_at=database_now())
        send_due()
        pauses.append(round((Message.objects.get().next_try_at - database_now()) / timedelta(minutes=1)))
    assert pauses == [2**n for n in range(MOST_ATTEMPTS)]
    assert Message.objects.get().state == State.DEAD


@pytest.mark.req("OPS-04")
@pytest.mark.parametrize("answer, state", [("550 No such user", State.DEAD), ("451 Try later", State.DUE)])
def test_an_address_refused_for_good_is_a_dead_letter_at_once_a_passing_refusal_is_none(mailbox, answer, state):
    mailbox.refused["crc@sykehus.example"] = answer
    owe(kind="test", recipient_id=TO)
    send_due()
    message = Message.objects.get()
    assert (message.state, message.attempts, message.error) == (state, 1, "SMTPRecipientsRefused")


def test_what_has_no_address_is_a_dead_letter_at_once(mailbox):
    def render(message):
        raise Undeliverable

    registry.register("test", still_owed=lambda message: True, render=render)
    owe(kind="test", recipient_id=TO)
    send_due()
    assert (Message.objects.get().state, Message.objects.get().error) == (State.DEAD, "Undeliverable")


def test_a_dead_letter_is_sent_again_when_a_person_says_so_and_only_a_dead_one(mailbox):
    mailbox.refused["crc@sykehus.example"] = "550 No such user"
    owe(kind="test", recipient_id=TO)
    send_due()
    mailbox.refused.clear()
    for _ in range(2):
        send_again(Message.objects.get())
        send_due()
    assert (Message.objects.get().state, len(mailbox.mails)) == (State.SENT, 1)


def test_what_is_owed_later_waits_without_counting_an_attempt(mailbox):
    until = database_now() + timedelta(hours=9)

    def later(message):
        raise NotNow(until)

    registry.register("test", still_owed=later, render=lambda message: Mail("a@b.example", "", ""))
    owe(kind="test", recipient_id=TO)
    assert [send_due(), send_due()] == [1, 0]
    message = Message.objects.get()
    assert (message.state, message.attempts, message.next_try_at, mailbox.mails) == (State.DUE, 0, until, [])


def test_nothing_is_locked_before_the_mail_server_answers(no_mail_server):
    asked = []
    registry.register("test", still_owed=asked.append, render=lambda message: Mail("a@b.example", "", ""))
    owe(kind="test", recipient_id=TO)
    send_due()
    assert asked == []


@pytest.mark.req("PRV-02")
def test_an_error_keeps_no_text_that_could_hold_an_address(mailbox, monkeypatch, caplog):
    def render(message):
        raise ValueError("crc@sykehus.example")

    registry.register("test", still_owed=lambda message: True, render=render)
    owe(kind="test", recipient_id=TO)
    send_due()
    assert Message.objects.get().error == "ValueError"
    assert "crc@" not in caplog.text


def test_one_bad_message_does_not_hold_up_the_others(mailbox):
    owe(kind="nobody knows it", recipient_id=TO)
    owe(kind="test", recipient_id=TO)
    assert send_due() == 2
    assert len(mailbox.mails) == 1


@pytest.mark.parametrize("subject", ["Hei\nBcc: alle@sykehus.example", "Hei\r\n\r\nmer"])
def test_a_line_break_in_the_subject_adds_no_header(mailbox, subject):
    registry.register("test", still_owed=lambda m: True, render=lambda m: Mail("crc@sykehus.example", subject, ""))
    owe(kind="test", recipient_id=TO)
    send_due()
    assert mailbox.mails == []
    assert Message.objects.get().error == "BadHeaderError"


@pytest.mark.django_db(transaction=True)
def test_two_relays_at_once_send_each_message_once(mailbox):
    for n in range(30):
        owe(kind="test", recipient_id=TO, ordinal=n)
    relays = [threading.Thread(target=relay_and_close) for _ in range(3)]
    for relay in relays:
        relay.start()
    for relay in relays:
        relay.join()
    assert len({mail["Message-ID"] for mail in mailbox.mails}) == len(mailbox.mails) == 30


def relay_and_close():
    try:
        send_due()
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_a_commit_wakes_the_relay_only_when_it_succeeds(monkeypatch):
    woken = []
    monkeypatch.setattr("pallsoft.outbox.services.wake_relay", lambda: woken.append(True))
    with pytest.raises(RuntimeError), transaction.atomic():
        owe(kind="test", recipient_id=TO)
        raise RuntimeError
    assert not woken
    with transaction.atomic():
        owe(kind="test", recipient_id=TO)
        assert not woken
    assert woken


@pytest.mark.req("OPS-05")
def test_no_task_can_outlive_the_time_after_which_the_broker_hands_it_out_again(settings):
    assert settings.CELERY_TASK_ACKS_LATE
    assert settings.CELERY_BROKER_TRANSPORT_OPTIONS["visibility_timeout"] > settings.CELERY_TASK_TIME_LIMIT


def test_what_is_ticked_is_a_task_and_a_missed_tick_is_not_made_up_for(settings):
    app.loader.import_default_modules()
    often = [entry for entry in settings.CELERY_BEAT_SCHEDULE.values() if isinstance(entry["schedule"], float)]
    assert {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()} <= set(app.tasks)
    assert all(entry["options"]["expires"] < entry["schedule"] for entry in often)
