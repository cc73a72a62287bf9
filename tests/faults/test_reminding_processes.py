"""Reminders by the processes of the product: real workers and beats, some killed, with a broker that forgets or goes.

Each reminder exactly once; only a worker that is killed between the mail server's 250 and the mark sends one twice,
with the same Message-ID.
"""

import os
import signal
import sys
from collections import Counter
from contextlib import closing
from datetime import timedelta
from time import monotonic

import pytest
import redis
from celery import Celery
from celery.beat import PersistentScheduler
from django.db import connection

from crf.reminders import owed, participants
from crf.reminders.page import Board
from crf.reminders.planner import plan_reminders
from crf.services import record_alive
from pallsoft.audit.context import change_set
from pallsoft.celery import app as product
from pallsoft.outbox.models import Message
from pallsoft.outbox.services import send_due
from sites.models import Channel, StopKind
from sites.services import keep_contact, record_death
from tests.fixtures.by_hand import enter
from tests.fixtures.contact import leave, said
from tests.fixtures.leaving import *  # noqa: F403 - fixtures must stand in the module to be found
from tests.fixtures.reminding import *  # noqa: F403
from tests.fixtures.reminding import exactly_once, message_ids, states
from tests.mailbox import mail_server
from tools import processes
from tools.supervisor import Program
from tools.testing import wait_for
from tools.valkey import Valkey

pytestmark = [
    pytest.mark.faults,
    pytest.mark.django_db(transaction=True),
    pytest.mark.req("OPS-04"),
    pytest.mark.timeout(400),
]
SECONDS = 120  # until what must come is given up: the machine may be busy
QUICK = "tests.quick_celery"
PLAN, RELAY = "crf.plan_reminders", "outbox.relay"


class Machines:
    """A broker of our own, and on request workers and beats on the database of the test."""

    def __init__(self, directory, mailbox, environment):
        self.directory, self.mailbox, self.programs = directory, mailbox, []
        self.valkey = Valkey(directory / "valkey")
        self.valkey.start()
        self.environment = os.environ | environment | {"REDIS_URL": self.valkey.url}

    def start_worker(self, children=1):
        few = ["--concurrency", str(children), "--loglevel", "WARNING", "--without-mingle", "--without-gossip"]
        return self._start(QUICK, "worker", "--hostname", f"{len(self.programs)}@%h", *few)

    def start_beat(self, application=QUICK, schedule=None):
        schedule = schedule or self.directory / f"schedule-{len(self.programs)}"
        return self._start(application, "beat", "--pidfile=", "--schedule", str(schedule), "--loglevel", "WARNING")

    def deliver(self, *tasks, times=1):
        """One message of the broker for each task, so many times."""
        with Celery(broker=self.valkey.url, set_as_current=False) as broker:
            for task in tasks:
                for _ in range(times):
                    broker.send_task(task, task_id=task)

    def is_idle(self):
        """Nothing waits, and of what was handed out everything is done."""
        with closing(redis.Redis.from_url(self.valkey.url)) as broker:
            return broker.llen("celery") + broker.hlen("unacked") == 0

    def forget_everything(self):
        with closing(redis.Redis.from_url(self.valkey.url)) as broker:
            broker.flushall()

    def stop(self):
        for program in self.programs:
            processes.kill_group(program.process)
        self.valkey.stop()

    def _start(self, application, *command):
        log = self.directory / f"{len(self.programs)}.log"
        command = [sys.executable, "-m", "celery", "-A", application, *command]
        program = Program("celery", command, self.environment, log)
        self.programs.append(program)
        program.start()
        return program


@pytest.fixture
def machines(tmp_path, overdue, crc, investigator):
    """Invitations have left, not by them."""
    send_due()
    with mail_server() as (mailbox, port):
        settings = {
            "PALLSOFT_DB_NAME": connection.settings_dict["NAME"],
            "PALLSOFT_SENDS_REMINDERS": "true",
            "PALLSOFT_EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
            "EMAIL_HOST": "127.0.0.1",
            "EMAIL_PORT": str(port),
        }
        machines = Machines(tmp_path, mailbox, settings)
        try:
            yield machines
        finally:
            machines.stop()


@pytest.fixture
def mailbox(machines):
    return machines.mailbox


def wait_until_sent(number):
    wait_for(lambda: states() == ["sent"] * number, SECONDS, f"All {number} reminders sent")


def kill_child(worker):
    """The process that runs the tasks; the worker itself lives on."""
    (child,) = processes.children(worker.process.pid)
    os.kill(child, signal.SIGKILL)


def kill_both(worker):
    os.killpg(worker.process.pid, signal.SIGKILL)
    worker.process.wait()


def goes_on(machines, kill, worker):
    """Kill while the mail server keeps a word back, and see the system go on by itself."""
    kill(worker)
    assert machines.mailbox.left.wait(SECONDS)
    machines.mailbox.stops_before = ""
    if kill is kill_both:
        machines.start_worker()
        machines.start_beat()
    wait_until_sent(4)


@pytest.mark.parametrize("kill", [kill_child, pytest.param(kill_both, marks=pytest.mark.long)])
def test_killed_before_the_mail_server_has_taken_the_mail_each_goes_once(machines, mailbox, overdue, kill):
    """F-03."""
    overdue(2)
    mailbox.stops_before = mailbox.MAIL_TAKEN
    machines.deliver(PLAN, RELAY)
    worker = machines.start_worker()
    assert mailbox.stopped.wait(SECONDS)
    assert (mailbox.mails, states()) == ([], ["due"] * 4)
    goes_on(machines, kill, worker)
    assert exactly_once(mailbox, 4)


@pytest.mark.parametrize("kill", [pytest.param(kill_child, marks=pytest.mark.long), kill_both])
def test_killed_between_taken_and_marked_one_goes_twice_with_the_same_id(machines, mailbox, overdue, kill):
    """F-03."""
    overdue(2)
    mailbox.stops_before = mailbox.GOODBYE
    machines.deliver(PLAN, RELAY)
    worker = machines.start_worker()
    assert mailbox.stopped.wait(SECONDS)
    assert (len(mailbox.mails), states()) == (1, ["due"] * 4)
    goes_on(machines, kill, worker)
    assert sorted(Counter(message_ids(mailbox)).values()) == [1, 1, 1, 2]


@pytest.mark.parametrize("seconds", [3, pytest.param(60, marks=pytest.mark.long)])
def test_a_broker_that_forgets_everything_and_is_away_for_a_while_costs_no_reminder(
    machines, mailbox, overdue, seconds
):
    """F-06: what was queued is gone, and so is what worker and beat had told it; they find it again by themselves."""
    overdue(2)
    assert plan_reminders() == 4
    machines.deliver(RELAY, times=3)
    assert not machines.is_idle()
    machines.forget_everything()
    assert machines.is_idle()
    machines.start_worker()
    machines.start_beat()
    wait_until_sent(4)
    machines.forget_everything()
    overdue(1)
    wait_until_sent(6)

    machines.valkey.kill()
    away_since = monotonic()
    overdue(1)
    assert plan_reminders() == 2
    wait_for(lambda: monotonic() - away_since >= seconds, seconds + SECONDS, "The end of the outage")
    machines.valkey.start()
    wait_until_sent(8)
    assert exactly_once(mailbox, 8)


@pytest.mark.parametrize("patients", [20, pytest.param(250, marks=pytest.mark.long)])
def test_two_workers_and_two_beats_at_once_send_each_reminder_once(machines, mailbox, overdue, patients):
    """F-04."""
    overdue(patients)
    for _ in range(2):
        machines.start_worker()
        machines.start_beat()
    wait_until_sent(2 * patients)
    assert exactly_once(mailbox, 2 * patients)


def schedule_of_three_days_ago(path):
    """What a beat of the product leaves behind: when it last sent which task."""
    book = PersistentScheduler(product, schedule_filename=str(path), lazy=True)
    book.setup_schedule()
    for entry in book.schedule.values():
        entry.last_run_at -= timedelta(days=3)
    book.close()
    return path


def test_a_beat_that_was_dead_for_three_days_makes_up_for_them_once(
    machines, mailbox, overdue, enrol, bodo, plan, died, crc, coordinator, today, tmp_path
):
    """F-25: with the product's own timetable, which says that its last run was three days ago."""
    late, dead = (event.subject for event in overdue(2))
    gone = enrol(bodo, birth_year=1930)
    plan(gone, W4=-4)
    (due_three_days_ago,) = plan(late, W8=-7)
    with change_set(study=bodo.study, by=None, action="test.roles", reason="were there before"):
        bodo.assignments.update(valid_from=due_three_days_ago.window_to)
    record_death(subject=dead, facts=died(today), by=crc)
    leave(gone, crc, StopKind.CONSENT)
    machines.start_worker()
    machines.start_beat(application="pallsoft", schedule=schedule_of_three_days_ago(tmp_path / "schedule"))
    wait_until_sent(4)
    machines.deliver(PLAN, RELAY)
    wait_for(machines.is_idle, SECONDS, "The end of all tasks")
    assert exactly_once(mailbox, 4)
    assert set(Message.objects.filter(kind=owed.KIND).values_list("subject_id", flat=True)) == {late.pk}
    board = Board(coordinator, bodo.study)
    assert all(line.late for line in board.lines(list(board.to_staff.filter(event_id=due_three_days_ago.pk))))


@pytest.mark.parametrize("times", [25, pytest.param(100, marks=pytest.mark.long)])
def test_a_message_that_the_broker_delivers_again_and_again_sends_once(machines, mailbox, overdue, times):
    overdue(2)
    machines.deliver(PLAN, RELAY, times=times)
    machines.start_worker(children=2)
    wait_until_sent(4)
    wait_for(machines.is_idle, SECONDS, "The end of all tasks")
    assert exactly_once(mailbox, 4)


@pytest.fixture
def patients(enrol, bodo, plan, crc, today, machines):
    """Four who have agreed to mail and were seen alive today; week 4 is today."""
    made = []
    for born in (1941, 1942, 1943, 1944):
        subject = enrol(bodo, birth_year=born)
        enter(subject, crc, "SCREEN", "TS", {"TS_TARGET": "BLEED"})
        plan(subject, W4=0, W8=28)
        facts = said(mail=f"{born}@example.org", channels=frozenset({Channel.MAIL}))
        keep_contact(subject=subject, facts=facts, by=crc)
        made.append(subject)
    record_alive(site=bodo, subjects=made, day=today, by=crc)
    send_due()  # what was owed to others
    return made


@pytest.mark.req("PRV-03")
def test_to_who_died_or_withdrew_since_the_planning_nothing_leaves(machines, mailbox, patients, died, crc, today):
    """F-26: one death is known, another being recorded when the worker comes."""
    alive, dead, gone, dying = patients
    assert plan_reminders() == 4
    record_death(subject=dead, facts=died(today), by=crc)
    leave(gone, crc, StopKind.CONSENT)
    with change_set(study=dying.study, by=None, action="test.around", reason="open transaction"):
        record_death(subject=dying, facts=died(today), by=crc)
        machines.deliver(PLAN, RELAY)
        machines.start_worker()
        mailbox.wait(1, SECONDS)
        wait_for(machines.is_idle, SECONDS, "The end of all tasks")
    machines.deliver(PLAN, RELAY, times=3)
    wait_for(machines.is_idle, SECONDS, "The end of all tasks")
    assert [mail["To"] for mail in mailbox.mails] == ["1941@example.org"]
    found = dict(Message.objects.filter(kind=participants.KIND).values_list("subject_id", "state"))
    assert found == {alive.pk: "sent", dead.pk: "cancelled", gone.pk: "cancelled", dying.pk: "cancelled"}
