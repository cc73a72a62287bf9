"""Messages to participants: by mail or text message, through a real gateway on this machine, and to nobody who left."""

import uuid

import pytest
from django.urls import reverse

from pallsoft.errors import NotAllowedNow, NotPermitted
from pallsoft.outbox.models import Message, State
from pallsoft.outbox.services import send_due
from sites.models import Channel, StopKind
from sites.services import delete_contact, keep_contact, send_test_message
from sites.services.contact import TEST_MESSAGE
from tests.fixtures.contact import MAIL, PHONE, leave, said
from tests.fixtures.leaving import *  # noqa: F403 - fixtures must stand in the module to be found
from tests.fixtures.texting import *  # noqa: F403
from tests.fixtures.texting import FILES

pytestmark = pytest.mark.django_db


@pytest.fixture
def patient(subject, crc):
    keep_contact(subject=subject, facts=said(), by=crc)
    return subject


def sent_one():
    """The invitations of the staff wait in the same outbox."""
    return Message.objects.get(kind=TEST_MESSAGE)


def state():
    return sent_one().state


@pytest.mark.req("PRV-02")
def test_a_text_message_names_the_site_and_no_illness_and_no_person(patient, crc, phones):
    send_test_message(subject=patient, channel=Channel.SMS, by=crc)
    send_due()
    ((told, headers),) = phones.asked
    assert (told["to"], state()) == (PHONE, State.SENT)
    assert patient.site.name in told["text"] and "BankID" in told["text"]
    assert "Testmelding" in told["text"]
    for word in ("Åse", patient.number, "kreft", "palliativ", "stråle", "PALLSOFT", "%("):
        assert word not in told["text"]
    assert headers["Authorization"] == "Bearer hemmelig"
    assert uuid.UUID(headers["Idempotency-Key"])


def test_a_mail_goes_the_way_of_all_mail_in_the_participants_language(patient, crc, mailoutbox, phones):
    keep_contact(subject=patient, facts=said(language="en"), by=crc)
    send_test_message(subject=patient, channel=Channel.MAIL, by=crc)
    send_due()
    (mail,) = [mail for mail in mailoutbox if mail.to == [MAIL]]
    assert mail.subject.startswith("Test message from") and "BankID" in mail.body


REFUSALS = [(400, "dead"), (500, "due"), (429, "due"), (401, "due"), (302, "due")]


@pytest.mark.parametrize(("status", "expected"), REFUSALS)
def test_what_the_gateway_will_never_take_is_not_tried_again(patient, crc, phones, status, expected):
    phones.status = status
    send_test_message(subject=patient, channel=Channel.SMS, by=crc)
    send_due()
    assert (state(), len(phones.asked)) == (expected, 1)
    assert PHONE not in str(Message.objects.values().get(kind=TEST_MESSAGE))


def test_each_attempt_has_the_same_key(patient, crc, phones):
    phones.status = 500
    send_test_message(subject=patient, channel=Channel.SMS, by=crc)
    send_due()
    phones.status = 202
    Message.objects.filter(kind=TEST_MESSAGE).update(next_try_at="2026-01-01T00:00:00Z")
    send_due()
    assert len({headers["Idempotency-Key"] for _told, headers in phones.asked}) == 1
    assert (len(phones.asked), state()) == (2, State.SENT)


@pytest.mark.req("PRV-03")
def test_nothing_goes_to_somebody_who_left_meanwhile(patient, crc, phones):
    send_test_message(subject=patient, channel=Channel.SMS, by=crc)
    leave(patient, crc, StopKind.QUESTIONNAIRES)
    send_due()
    assert (state(), phones.asked) == (State.CANCELLED, [])
    with pytest.raises(NotAllowedNow):
        send_test_message(subject=patient, channel=Channel.SMS, by=crc)


def test_nothing_goes_by_a_way_that_is_agreed_to_no_more(patient, crc, phones):
    send_test_message(subject=patient, channel=Channel.SMS, by=crc)
    keep_contact(subject=patient, facts=said(channels=frozenset({Channel.MAIL})), by=crc)
    send_due()
    assert (state(), phones.asked) == (State.DROPPED, [])


def test_nothing_goes_once_the_contact_data_are_deleted(patient, crc, phones):
    send_test_message(subject=patient, channel=Channel.SMS, by=crc)
    delete_contact(subject=patient, by=crc)
    send_due()
    assert (state(), phones.asked) == (State.DROPPED, [])


def test_a_demonstration_writes_files(patient, crc, settings, tmp_path):
    settings.SENDS_REMINDERS = True
    settings.SMS_BACKEND, settings.SMS_DIR = FILES, str(tmp_path / "sms")
    send_test_message(subject=patient, channel=Channel.SMS, by=crc)
    send_due()
    (file,) = (tmp_path / "sms").iterdir()
    assert file.read_text(encoding="utf-8").startswith(PHONE)


def test_a_restored_copy_sends_nothing_to_participants(patient, crc, phones, settings):
    send_test_message(subject=patient, channel=Channel.SMS, by=crc)
    settings.SENDS_REMINDERS = False
    send_due()
    assert (phones.asked, state(), sent_one().attempts) == ([], State.DUE, 0)
    with pytest.raises(NotAllowedNow, match="kopi"):
        send_test_message(subject=patient, channel=Channel.SMS, by=crc)


def test_without_a_gateway_no_text_message_is_promised(patient, crc, settings):
    settings.SMS_BACKEND = ""
    with pytest.raises(NotAllowedNow):
        send_test_message(subject=patient, channel=Channel.SMS, by=crc)


def test_the_site_sends_one_from_the_page_and_nobody_else(patient, sign_in, crc, outsider, phones):
    page = reverse("contact", args=[patient.study.oid, patient.number])
    with pytest.raises(NotPermitted):
        send_test_message(subject=patient, channel=Channel.SMS, by=outsider)
    client = sign_in(crc)
    assert client.post(page, {"act": "test", "channel": "sms"}).status_code == 302
    assert client.post(page, {"act": "test", "channel": "pigeon"}).status_code == 302
    send_due()
    assert len(phones.asked) == 1
    assert "Tekstmelding (SMS)" in client.get(page).content.decode()
