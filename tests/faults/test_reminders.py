"""Reminders with a real mail server and real locks: each once, whatever stands still, runs twice or comes between."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection

from crf.reminders import owed
from crf.reminders.planner import plan_reminders
from crf.tasks import plan_reminders as plan_task
from pallsoft.audit.context import change_set
from pallsoft.outbox import tasks as outbox_tasks
from pallsoft.outbox.models import Message, State
from pallsoft.outbox.services import send_due
from sites.clock import database_now
from sites.models import Death
from sites.services import record_death
from tests.fixtures.leaving import *  # noqa: F403 - fixtures must stand in the module to be found
from tests.fixtures.locks import somebody_waits_for_a_lock
from tests.fixtures.reminding import *  # noqa: F403
from tests.fixtures.reminding import exactly_once, message_ids, states
from tests.mailbox import mail_server
from tools import system
from tools.testing import wait_for

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True), pytest.mark.req("OPS-04")]
ROUNDS = pytest.mark.parametrize("patients", [5, pytest.param(250, marks=pytest.mark.long)])


@pytest.fixture
def mailbox(settings, study, crc, investigator):
    """Invitations have left; from now on mails go to a real server."""
    send_due()
    with mail_server() as (mailbox, port):
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
        yield mailbox


def at_once(act, times, workers):
    """`act` so many times, by so many threads that start together, each with a connection of its own."""
    together = threading.Barrier(workers)

    def run(worker):
        try:
            together.wait(timeout=90)
            return [act() for _ in range(times // workers)]
        finally:
            connection.close()

    with ThreadPoolExecutor(workers) as pool:
        return [result for results in pool.map(run, range(workers)) for result in results]


@ROUNDS
def test_two_relays_and_two_planners_at_once_send_each_reminder_once(overdue, mailbox, patients):
    """F-04."""
    overdue(patients)
    planned = at_once(plan_reminders, 2, workers=2)
    assert sum(planned) == 2 * patients
    at_once(send_due, 2, workers=2)
    assert exactly_once(mailbox, 2 * patients)


@pytest.mark.parametrize("times", [20, pytest.param(100, marks=pytest.mark.long)])
def test_a_task_that_the_broker_delivers_again_and_again_sends_once(overdue, mailbox, times):
    overdue(2)

    def redelivered():
        plan_task.apply(throw=True)
        outbox_tasks.relay.apply(throw=True)

    at_once(redelivered, times, workers=4)
    assert exactly_once(mailbox, 4)


def test_after_three_days_of_silence_the_backlog_is_sent_once_and_known_as_late(overdue, mailbox, bodo, plan):
    """F-25: planner and relay stood still since a reminder was due three days ago."""
    (today,) = overdue(1)
    (event,) = plan(today.subject, W8=-7)
    with change_set(study=bodo.study, by=None, action="test.roles", reason="were there before"):
        bodo.assignments.update(valid_from=event.window_to)
    for _ in range(2):
        plan_reminders()
        send_due()
    assert exactly_once(mailbox, 4)
    row = Message.objects.filter(event_id=event.pk).first()
    assert database_now() - row.due_at > timedelta(days=2)


def test_after_three_days_nothing_goes_about_who_died_meanwhile(overdue, mailbox, died, crc, today):
    first, second = overdue(2)
    record_death(subject=first.subject, facts=died(today), by=crc)
    plan_reminders()
    send_due()
    assert exactly_once(mailbox, 2)
    assert set(Message.objects.filter(kind=owed.KIND).values_list("event_id", flat=True)) == {second.pk}


def test_a_death_recorded_between_planning_and_sending_stops_every_mail(overdue, mailbox, died, crc, today):
    """F-26."""
    (event,) = overdue(1)
    plan_reminders()
    record_death(subject=event.subject, facts=died(today), by=crc)
    send_due()
    assert (mailbox.mails, states()) == ([], ["dropped"] * 2)


def test_a_death_that_is_being_recorded_is_waited_for(overdue, mailbox, died, crc, today):
    """F-26: the relay comes while the death is written and not committed yet; it reads what was committed."""
    (event,) = overdue(1)
    plan_reminders()
    relay = threading.Thread(target=at_once, args=(send_due, 1, 1))
    with change_set(study=event.study, by=None, action="test.around", reason="open transaction"):
        record_death(subject=event.subject, facts=died(today), by=crc)
        relay.start()
        wait_for(somebody_waits_for_a_lock, 60, "The relay at the subject's row")
        assert mailbox.mails == []
    relay.join(timeout=90)
    assert (mailbox.mails, states()) == ([], ["dropped"] * 2)


def test_a_death_waits_for_the_mail_that_is_leaving_and_stops_the_next(overdue, mailbox, died, crc, today):
    (event,) = overdue(1)
    plan_reminders()
    mailbox.held = True
    relay = threading.Thread(target=at_once, args=(send_due, 1, 1))
    relay.start()
    assert mailbox.receiving.wait(60)
    writer = threading.Thread(
        target=at_once, args=(lambda: record_death(subject=event.subject, facts=died(today), by=crc), 1, 1)
    )
    writer.start()
    wait_for(somebody_waits_for_a_lock, 60, "The death at the subject's row")
    assert not Death.objects.exists()
    mailbox.held = False
    writer.join(timeout=90)
    relay.join(timeout=90)
    assert Death.objects.standing().get().subject_id == event.subject_id
    sent = states().count("sent")  # the second of the two came before or after the death
    assert sent in (1, 2) and states().count("dropped") == 2 - sent
    assert len(mailbox.mails) == len(set(message_ids(mailbox))) == sent


def test_a_relay_that_dies_after_the_mail_left_sends_the_same_message_and_no_other(overdue, mailbox, monkeypatch):
    """F-03: at least once, at most twice, and the reader's mail program sees one by its Message-ID."""
    overdue(1)
    plan_reminders()
    with monkeypatch.context() as dying, pytest.raises(ZeroDivisionError):
        dying.setattr("pallsoft.outbox.services._settle", lambda message, state: 1 / 0)
        send_due()
    send_due()
    assert (len(mailbox.mails), len(set(message_ids(mailbox))), states()) == (3, 2, ["sent"] * 2)


def test_a_mail_server_that_is_away_costs_attempts_and_no_reminder(overdue, mailbox, settings):
    """F-22."""
    overdue(1)
    plan_reminders()
    port, settings.EMAIL_PORT = settings.EMAIL_PORT, system.free_port()
    send_due()
    assert (mailbox.mails, states()) == ([], ["due"] * 2)
    settings.EMAIL_PORT = port
    Message.objects.filter(kind=owed.KIND).update(next_try_at=database_now())
    send_due()
    assert exactly_once(mailbox, 2)


def test_an_address_that_nobody_reads_is_a_dead_letter_and_holds_up_nobody(overdue, mailbox, crc):
    overdue(2)
    mailbox.refused[crc.email] = "550 No such user"
    plan_reminders()
    send_due()
    assert states() == ["dead"] * 2 + ["sent"] * 2
    assert State.DEAD in set(Message.objects.filter(recipient_id=crc.pk).values_list("state", flat=True))


def test_nothing_of_a_participant_is_locked_while_the_mail_server_does_not_answer(
    overdue, mailbox, settings, monkeypatch
):
    """F-22: entry goes on."""
    overdue(1)
    assert plan_reminders() == 2
    asked = []
    monkeypatch.setattr(owed, "still", lambda message, site: asked.append(site))
    settings.EMAIL_PORT = system.free_port()
    send_due()
    assert asked == []
