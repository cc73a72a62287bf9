"""A personal link goes by mail or text message: made when it leaves, the same at each attempt, to nobody who left."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from crf.epro.links import is_usable, issue_link, link_for
from crf.epro.sending import LINK, send_link, token_of
from crf.models import LinkChannel, PersonalLink
from pallsoft.audit.context import change_set
from pallsoft.audit.models import ChangeSet
from pallsoft.errors import NotAllowedNow, NotPermitted
from pallsoft.outbox.models import Message, State
from pallsoft.outbox.services import send_due
from sites.clock import database_now
from sites.models import Channel, DataWish, Site, StopKind, ToldBy
from sites.services import Withdrawal, delete_contact, keep_contact, record_death, record_withdrawal
from tests.fixtures.by_hand import enter
from tests.fixtures.contact import MAIL, PHONE, leave, said
from tests.fixtures.leaving import *  # noqa: F403 - fixtures must stand in the module to be found
from tests.fixtures.texting import *  # noqa: F403
from tests.fixtures.tokens import token_in

pytestmark = pytest.mark.django_db
STORED = "SELECT to_jsonb(m)::text FROM outbox_message m UNION ALL SELECT to_jsonb(l)::text FROM crf_personallink l"


@pytest.fixture
def patient(subject, plan, crc, phones):
    """Week 4 is due; mail and text messages are agreed to."""
    enter(subject, crc, "SCREEN", "TS", {"TS_TARGET": "BLEED"})
    plan(subject, W4=0, W8=17)
    keep_contact(subject=subject, facts=said(), by=crc)
    send_due()  # the invitations of the staff
    return subject


@pytest.fixture
def week_4(patient):
    return patient.events.select_related("subject__site", "subject__study").get(event_oid="W4")


@pytest.fixture
def send(week_4, crc):
    """send(): the link by text message, asked for and sent."""

    def act(channel=Channel.SMS):
        send_link(event=week_4, channel=channel, by=crc)
        send_due()

    return act


def row():
    return Message.objects.filter(kind=LINK).latest("ordinal")


def again():
    Message.objects.filter(kind=LINK).update(next_try_at=database_now() - timedelta(minutes=1))
    send_due()


@pytest.mark.req("PRV-02")
def test_a_text_message_names_the_site_and_opens_the_questionnaire(send, phones, patient):
    with change_set(study=patient.study, by=None, action="test.phone", reason="phone"):
        Site.objects.filter(pk=patient.site_id).update(phone="75 53 40 00")
    send()
    ((told, _headers),) = phones.asked
    assert (told["to"], row().state) == (PHONE, State.SENT)
    assert told["text"].startswith(f"Melding fra {patient.site.name}. Her er spørreskjemaet")
    assert "BankID" in told["text"] and "75 53 40 00" in told["text"]
    for word in ("Åse", patient.number, "1949", "uke", "kreft", "palliativ", "stråle", "PALLSOFT", "%("):
        assert word not in told["text"]
    link = link_for(token_in(told["text"]))
    assert (link.event.event_oid, link.channel) == ("W4", LinkChannel.SMS)
    page = Client().post(f"/q/{token_in(told['text'])}/", {"year": "1949"}, follow=True)
    assert page.status_code == 200 and 'name="who"' in page.content.decode()


def test_a_mail_is_written_in_the_participants_language(send, patient, crc, mailoutbox):
    keep_contact(subject=patient, facts=said(language="en"), by=crc)
    send(Channel.MAIL)
    (mail,) = [mail for mail in mailoutbox if mail.to == [MAIL]]
    assert mail.subject == f"Message from {patient.site.name}" and "you need not do anything" in mail.body
    assert link_for(token_in(mail.body)).channel == LinkChannel.MAIL


@pytest.mark.req("PRV-01")
def test_no_token_stands_in_the_database_and_each_message_has_its_own(send, phones):
    send()
    token = token_in(phones.asked[0][0]["text"])
    with connection.cursor() as cursor:
        cursor.execute(STORED)
        found = " ".join(text for (text,) in cursor.fetchall())
    assert LINK in found and token not in found
    send()
    assert token_in(phones.asked[1][0]["text"]) != token


def test_whoever_has_the_database_without_the_key_finds_another_token(send, settings):
    send()
    token = token_of(row())
    settings.SECRET_KEY = "another key of fifty characters, as of a stolen copy"
    assert token_of(row()) != token


def test_each_attempt_says_the_same_under_the_same_key(send, phones):
    """A gateway that took the message and answered too late drops the repeat: the first text must stay right."""
    phones.status = 500
    send()
    assert (row().state, PersonalLink.objects.count()) == (State.DUE, 0)
    phones.status = 202
    again()
    (first, one), (second, other) = phones.asked
    assert (first, one["Idempotency-Key"]) == (second, other["Idempotency-Key"])
    assert link_for(token_in(first["text"])) and row().state == State.SENT


def test_a_relay_that_dies_after_the_message_left_sends_the_same_link(send, phones, monkeypatch):
    with monkeypatch.context() as dying, pytest.raises(ZeroDivisionError):
        dying.setattr("pallsoft.outbox.services._settle", lambda message, state: 1 / 0)
        send()
    again()
    (first, _headers), (second, _others) = phones.asked
    assert first == second and link_for(token_in(first["text"]))


def test_a_new_message_ends_the_link_before_it_and_no_card(send, phones, week_4, crc):
    card = issue_link(event=week_4, channel=LinkChannel.CARD, by=crc).link
    send()
    send()
    first, second = (token_in(told["text"]) for told, _headers in phones.asked)
    assert link_for(first) is None and link_for(second) and is_usable(card)


def dead(patient, crc, died, today):
    record_death(subject=patient, facts=died(today), by=crc)


def withdrawn(patient, crc, died, today):
    wish = Withdrawal(
        kinds=frozenset({StopKind.CONSENT}), day=str(today), told_by=ToldBy.PARTICIPANT, data_wish=DataWish.KEEP
    )
    record_withdrawal(subject=patient, said=wish, by=crc)


def tired(patient, crc, died, today):
    leave(patient, crc, StopKind.QUESTIONNAIRES)


def forgotten(patient, crc, died, today):
    delete_contact(subject=patient, by=crc)


def mail_alone(patient, crc, died, today):
    keep_contact(subject=patient, facts=said(channels=frozenset({Channel.MAIL})), by=crc)


def closed_out(patient, crc, died, today):
    with change_set(study=patient.study, by=None, action="test.close", reason="over"):
        Site.objects.filter(pk=patient.site_id).update(status="closed")


def answered(patient, crc, died, today):
    event = patient.events.select_related("subject__site", "subject__study").get(event_oid="W4")
    issued = issue_link(event=event, channel=LinkChannel.CARD, by=crc)
    with change_set(study=patient.study, by=None, action="test.answered", reason="all answered"):
        PersonalLink.objects.filter(pk=issued.link.pk).update(finished_at=database_now())


@pytest.mark.req("PRV-03")
@pytest.mark.parametrize("left", [dead, withdrawn, tired, forgotten, mail_alone, closed_out, answered])
def test_nothing_goes_to_who_is_not_to_be_asked_any_more(week_4, patient, crc, phones, died, today, left):
    send_link(event=week_4, channel=Channel.SMS, by=crc)
    left(patient, crc, died, today)
    send_due()
    assert phones.asked == [] and row().state in (State.DROPPED, State.CANCELLED)
    assert not PersonalLink.objects.filter(channel=LinkChannel.SMS).exists()
    with pytest.raises(NotAllowedNow):
        send_link(event=week_4, channel=Channel.SMS, by=crc)


def test_a_restored_copy_makes_no_link(week_4, crc, phones, settings):
    send_link(event=week_4, channel=Channel.SMS, by=crc)
    settings.SENDS_REMINDERS = False
    send_due()
    assert (phones.asked, row().state, PersonalLink.objects.count()) == ([], State.DUE, 0)


def test_the_trail_tells_who_asked_for_it_and_that_the_system_made_it(send, crc):
    send()
    asked, made = (ChangeSet.objects.get(action=action) for action in ("crf.send_link", "crf.issue_link"))
    assert (asked.actor_id, made.actor_id) == (crc.pk, None)


def test_the_site_sends_it_from_the_page_of_the_visit_and_nobody_else(
    week_4, patient, crc, monitor, outsider, sign_in, phones
):
    with pytest.raises(NotPermitted):
        send_link(event=week_4, channel=Channel.SMS, by=outsider)
    page = reverse("link-card", args=[patient.study.oid, patient.number, "W4", 1])
    assert sign_in(monitor).post(page, {"act": "send", "channel": "sms"}).status_code == 403
    nurse = sign_in(crc)
    assert nurse.post(page, {"act": "send", "channel": "sms"}).status_code == 302
    assert nurse.post(page, {"act": "send", "channel": "pigeon"}).status_code == 302
    send_due()
    assert len(phones.asked) == 1
    shown = nurse.get(page).content.decode()
    assert "Tekstmelding (SMS): sendt" in shown and 'aria-current="page">Lenke<' in shown
    assert PHONE not in shown and MAIL not in shown


def test_without_contact_data_the_page_says_where_to_enter_them(week_4, patient, crc, sign_in):
    delete_contact(subject=patient, by=crc)
    page = reverse("link-card", args=[patient.study.oid, patient.number, "W4", 1])
    shown = sign_in(crc).get(page).content.decode()
    assert reverse("contact", args=[patient.study.oid, patient.number]) in shown.split("<main")[1]
    assert 'value="sms"' not in shown
