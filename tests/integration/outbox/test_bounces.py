"""Mail that comes back is a dead letter; reports of delays, of strangers' mails and broken ones change nothing."""

import io
import sys
import uuid
from types import SimpleNamespace

import pytest
from django.core.management import call_command

from pallsoft.outbox import registry
from pallsoft.outbox.bounces import record_bounce
from pallsoft.outbox.models import Message, State
from pallsoft.outbox.registry import Mail
from pallsoft.outbox.services import message_id, owe, send_due

pytestmark = [pytest.mark.django_db, pytest.mark.req("OPS-04")]
REPORT = """From: MAILER-DAEMON@sykehus.example
To: pallsoft@localhost
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="B"

--B
Content-Type: text/plain

I'm sorry to have to inform you that your message could not be delivered.
--B
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.sykehus.example

Final-Recipient: rfc822; crc@sykehus.example
Action: {action}
Status: 5.1.1

--B
Content-Type: {kind}

From: pallsoft@localhost
Message-ID: {id}
Subject: PALLSOFT

--B--
"""


@pytest.fixture
def sent(monkeypatch):
    """One mail that left, and another that no report is about."""
    monkeypatch.setattr(registry, "_kinds", {})
    registry.register("test", still_owed=lambda m: True, render=lambda m: Mail("crc@sykehus.example", "Hei", ""))
    for ordinal in (1, 2):
        owe(kind="test", recipient_id=uuid.UUID(int=7), ordinal=ordinal)
    send_due()
    return Message.objects.get(ordinal=1)


def report(about, action="failed", kind="message/rfc822"):
    return REPORT.format(action=action, kind=kind, id=about).encode()


@pytest.mark.parametrize("kind", ["message/rfc822", "text/rfc822-headers"])
def test_a_mail_that_came_back_is_a_dead_letter_and_no_other(sent, kind):
    assert record_bounce(report(message_id(sent), kind=kind))
    assert list(Message.objects.order_by("ordinal").values_list("state", "error")) == [
        (State.DEAD, "Bounced"),
        (State.SENT, ""),
    ]
    assert Message.objects.get(sent_at__isnull=True).ordinal == 1  # it does not count as sent


@pytest.mark.parametrize("action", ["delayed", "delivered", "relayed"])
def test_a_mail_that_is_only_late_is_not(sent, action):
    assert not record_bounce(report(message_id(sent), action=action))


@pytest.mark.parametrize("text", [report("<x@y.example>"), b"", b"Hei", b"\xff\x00\n\n", REPORT.encode()[:420]])
def test_what_is_about_no_mail_of_ours_changes_nothing(sent, text):
    assert not record_bounce(text)
    assert set(Message.objects.values_list("state", flat=True)) == {State.SENT}


def test_the_command_reads_what_the_mail_server_hands_over(sent, monkeypatch):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(report(message_id(sent)))))
    said = io.StringIO()
    call_command("record_bounce", stdout=said)
    assert "did not arrive" in said.getvalue()
