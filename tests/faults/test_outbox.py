"""The outbox with a real worker, broker and mail server, some of them killed."""

import os
import signal

import pytest

from tests.mailbox import mail_server
from tests.services import installation

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def mailbox_and_port():
    with mail_server() as here:
        yield here


@pytest.fixture(scope="module")
def here(mailbox_and_port):
    """Database, broker and worker; mails go to the mailbox."""
    _mailbox, port = mailbox_and_port
    with installation() as here:
        here.environment |= {"EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": str(port)}
        yield here


@pytest.fixture
def mailbox(mailbox_and_port):
    mailbox, _port = mailbox_and_port
    mailbox.mails.clear()
    mailbox.receiving.clear()
    mailbox.held = False
    return mailbox


@pytest.fixture
def worker(here):
    worker = here.start_worker()
    yield worker
    worker.stop()


def invite(here, name):
    here.manage("invite", name, "--name", f"{name} Ås", "--email", f"{name}@sykehus.example")


def test_a_commit_wakes_the_worker(here, mailbox, worker):
    invite(here, "anne")
    mailbox.wait(1)
    assert mailbox.mails[0]["To"] == "anne@sykehus.example"


def test_with_the_broker_down_nothing_fails_and_nothing_is_lost(here, mailbox, worker):
    here.valkey.kill()
    invite(here, "berit")
    here.valkey.start()
    invite(here, "cato")
    mailbox.wait(2)
    assert sorted(mail["To"] for mail in mailbox.mails) == ["berit@sykehus.example", "cato@sykehus.example"]


@pytest.mark.long
def test_without_any_wake_up_the_sweep_sends_within_two_minutes(here, mailbox, worker):
    here.valkey.kill()
    invite(here, "dag")
    here.valkey.start()
    beat = here.start_beat()
    try:
        mailbox.wait(1, seconds=120)
    finally:
        beat.stop()


def test_a_worker_killed_after_the_mail_left_sends_the_same_message_again(here, mailbox):
    """At least once, at most twice, and the mail reader sees one: the Message-ID is the same."""
    mailbox.held = True
    worker = here.start_worker()
    invite(here, "eli")
    assert mailbox.receiving.wait(60)
    os.killpg(worker.process.pid, signal.SIGKILL)  # the process that sends is a child of the worker
    worker.process.wait()
    mailbox.held = False
    successor = here.start_worker()
    invite(here, "frode")
    mailbox.wait(3)
    successor.stop()
    to_eli = [mail["Message-ID"] for mail in mailbox.mails if mail["To"] == "eli@sykehus.example"]
    assert len(to_eli) == 2 and len(set(to_eli)) == 1
