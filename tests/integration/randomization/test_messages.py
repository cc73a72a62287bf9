"""Mails about allocations: who gets them, what they say, and that they never tell the arm."""

from datetime import datetime, timedelta

import pytest
from django.core import mail
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext

from pallsoft.outbox.models import Message, State
from pallsoft.outbox.services import send_due
from randomization.moments import moment_in
from randomization.services import confirm_late, report_late
from sites import services as places
from sites.clock import database_now, local_today
from tests.fixtures.randomizing import randomized

pytestmark = pytest.mark.django_db(transaction=True)


def sent(message_id=""):
    """Mails in the language of their readers, Norwegian; `message_id`: only those whose English subject it is."""
    send_due()
    with translation.override("nb"):
        subject = gettext(message_id) % {"study": "TOARM"}
    return [message for message in mail.outbox if subject in message.subject]


def forget_invitations():
    send_due()
    mail.outbox.clear()


@pytest.mark.req("RND-11")
def test_investigators_of_the_site_and_the_coordinator_are_told(ready, crc, pi, investigator, coordinator, outsider):
    forget_invitations()
    allocation = randomized(ready, crc)
    mails = sent()
    assert sorted(to for message in mails for to in message.to) == [
        "coordinator@sykehus.example",
        "investigator@sykehus.example",
        "pi@sykehus.example",
    ]
    with translation.override("nb"):
        when = moment_in(allocation.at, ready.study)
    for message in mails:
        assert "BOD-001" in message.body and when in message.body and "Bodø" in message.body
        text = message.subject + message.body
        assert not any(word in text for word in ("Én dose", "Fem doser", "One dose", "arm A", "arm B"))
    assert sent() == mails  # once


def test_an_allocation_that_is_rolled_back_owes_nothing(make_ready, open_list, crc):
    open_list()
    subject = make_ready()
    with transaction.atomic():
        randomized(subject, crc)
        transaction.set_rollback(True)
    assert not Message.objects.filter(kind__startswith="randomization").exists()


def test_who_has_left_the_site_meanwhile_is_not_told(ready, crc, investigator):
    forget_invitations()
    randomized(ready, crc)
    role = investigator.assignments.get()
    yesterday = local_today("Europe/Oslo") - timedelta(days=1)
    places.end_assignment(assignment=role, last_day=yesterday, by=None, reason="sluttet")
    assert "investigator@sykehus.example" not in [to for message in sent() for to in message.to]
    assert Message.objects.get(kind="randomization.confirmed", recipient_id=investigator.pk).state == State.DROPPED


@pytest.mark.req("RND-13")
def test_four_fifths_used_is_told_to_the_list_holder_and_to_nobody_else(make_ready, open_list, crc, statistician, pi):
    open_list(slots=8, sizes=(4,))
    forget_invitations()
    for _ in range(6):
        randomized(make_ready(), crc)
    assert sent("snart brukt opp") == []
    for _ in range(2):
        randomized(make_ready(), crc)
    (alert,) = sent("snart brukt opp")
    assert alert.to == ["statistician@sykehus.example"]
    assert "GI|PAIN" in alert.body and "BOD-" not in alert.body


@pytest.mark.req("RND-13")
def test_the_alert_is_dropped_when_its_reader_holds_the_list_no_more(make_ready, open_list, crc, statistician):
    open_list(slots=4, sizes=(4,))
    for _ in range(4):
        randomized(make_ready(), crc)
    yesterday = local_today("Europe/Oslo") - timedelta(days=1)
    places.end_assignment(assignment=statistician.assignments.get(), last_day=yesterday, by=None, reason="sluttet")
    assert sent("snart brukt opp") == []


def test_a_late_entry_tells_the_true_time(ready, open_list, list_file, crc, statistician, coordinator):
    open_list(list_file(seed=7, purpose="fallback"))
    forget_invitations()
    at = database_now() - timedelta(days=2)
    entry = report_late(subject=ready, happened_at=at, reason="nettet var nede", by=crc)
    confirm_late(entry=entry, position=1, by=statistician)
    with translation.override("nb"):
        assert all(moment_in(at, ready.study) in message.body for message in sent())
    assert len(mail.outbox) == 3


@pytest.mark.parametrize(
    ("utc", "says"),
    [
        ("2026-10-25T00:30:00+00:00", "25 Oct 2026, 02:30 (CEST, UTC+02:00)"),
        ("2026-10-25T01:30:00+00:00", "25 Oct 2026, 02:30 (CET, UTC+01:00)"),
    ],
)
def test_the_hour_that_comes_twice_is_told_apart(study, utc, says):
    assert moment_in(datetime.fromisoformat(utc), study).replace("\u00a0", " ") == says
