"""Reminders to participants: a link to what is not answered, to nobody whom the site has not just seen alive."""

from dataclasses import replace
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.urls import reverse

from crf.epro.links import issue_link, link_for
from crf.models import LinkChannel, PersonalLink, StudyEvent
from crf.reminders import holding, owed, participants
from crf.reminders.page import Board
from crf.reminders.planner import plan_reminders
from crf.reminders.services import confirm_alive
from crf.reminders.waiting import held_back, undelivered
from crf.services import mark_not_done, record_alive, take_back_alive
from pallsoft.audit.context import change_set
from pallsoft.errors import NotPermitted
from pallsoft.outbox.models import Message, State
from pallsoft.outbox.services import send_due
from sites.clock import database_now
from sites.models import AliveInRecord, Channel, Site, StopKind
from sites.services import delete_contact, keep_contact, pause_reminders, record_death
from tests.fixtures.by_hand import enter
from tests.fixtures.contact import MAIL, PHONE, leave, said
from tests.fixtures.leaving import *  # noqa: F403 - fixtures must stand in the module to be found
from tests.fixtures.reminding import *  # noqa: F403
from tests.fixtures.texting import *  # noqa: F403
from tests.fixtures.tokens import token_in

pytestmark = [pytest.mark.django_db, pytest.mark.req("OPS-04")]


@pytest.fixture
def patient(subject, plan, crc, phones, reminding):
    """Week 4 is today; mail and text messages are agreed to."""
    enter(subject, crc, "SCREEN", "TS", {"TS_TARGET": "BLEED"})
    plan(subject, W4=0, W8=28)
    keep_contact(subject=subject, facts=said(), by=crc)
    send_due()  # the invitations of the staff
    return subject


@pytest.fixture
def week_4(patient):
    return patient.events.select_related("subject__site", "subject__study").get(event_oid="W4")


@pytest.fixture
def seen(patient, crc, today):
    """seen(): the site has seen in the hospital record that she is alive."""

    def act():
        record_alive(site=patient.site, subjects=[patient], day=today, by=crc)

    return act


def states():
    return list(Message.objects.filter(kind=participants.KIND).order_by("ordinal").values_list("state", flat=True))


def remind():
    Message.objects.filter(state=State.DUE).update(next_try_at=database_now() - timedelta(minutes=1))
    plan_reminders()
    send_due()


def move(event, days):
    with change_set(study=event.study, by=None, action="test.day", reason="days go by"):
        on = {name: getattr(event, name) - timedelta(days=days) for name in ("target_on", "window_from", "window_to")}
        StudyEvent.objects.filter(pk=event.pk).update(**on)


def test_it_waits_until_the_site_has_seen_in_the_record_that_the_participant_is_alive(patient, phones, crc):
    remind()
    assert (phones.asked, states()) == ([], [State.DUE])
    assert Message.objects.get(kind=participants.KIND).attempts == 0
    assert [item.sentence for item in held_back(crc, patient.study)]
    confirm_alive(subject=patient, by=crc)
    send_due()  # without waiting for the next look
    ((told, _headers),) = phones.asked
    assert (told["to"], states()) == (PHONE, [State.SENT])
    assert link_for(token_in(told["text"])).event.event_oid == "W4"
    assert list(held_back(crc, patient.study)) == []


def test_after_the_tick_was_taken_back_it_waits_again(patient, phones, seen, crc):
    seen()
    plan_reminders()
    take_back_alive(alive=patient.alive_in_record.get(), by=crc, reason="Det gjaldt en annen")
    remind()
    assert (phones.asked, states()) == ([], [State.DUE])
    seen()
    remind()
    assert (len(phones.asked), states()) == (1, [State.SENT])


@pytest.mark.parametrize(("days_ago", "told"), [(0, 1), (3, 1), (4, 0)])
def test_a_look_counts_for_three_days(patient, phones, today, days_ago, told):
    with change_set(study=patient.study, by=None, action="test.look", reason="looked in the record"):
        day = today - timedelta(days=days_ago)
        AliveInRecord.objects.create(study=patient.study, subject=patient, day=day)
    remind()
    assert len(phones.asked) == told


def test_a_rule_can_do_without_a_look(patient, phones, definition, monkeypatch):
    rules = tuple(replace(rule, confirm_alive=False) for rule in definition.study.reminders.of_participants)
    changed = replace(definition.study, reminders=replace(definition.study.reminders, rules=rules))
    for place in (participants, holding):
        name = "definition_in_use" if place is participants else "definition_at"
        monkeypatch.setattr(place, name, lambda site: changed)
    remind()
    assert len(phones.asked) == 1


def test_it_goes_twice_at_most_and_not_in_a_heap(patient, phones, seen, week_4):
    seen()
    for _ in range(3):
        remind()
    assert len(phones.asked) == 1
    move(week_4, 2)
    remind()
    remind()
    assert (len(phones.asked), states()) == (2, [State.SENT, State.SENT])
    first, second = (token_in(told["text"]) for told, _headers in phones.asked)
    assert first != second and link_for(second)


def test_the_next_takes_the_place_of_one_that_waited_in_vain(patient, phones, seen, week_4):
    remind()
    move(week_4, 2)
    seen()
    remind()
    assert (len(phones.asked), states()) == (1, [State.DROPPED, State.SENT])


def test_nothing_goes_after_the_window(patient, phones, seen, week_4):
    move(week_4, 4)
    seen()
    remind()
    assert (phones.asked, states()) == ([], [])


def test_a_link_that_somebody_answers_on_goes_on(patient, phones, seen, week_4):
    begun = issue_link(event=week_4, channel=LinkChannel.SMS, by=None, token="a" * 22)
    with change_set(study=patient.study, by=None, action="test.begun", reason="begun"):
        PersonalLink.objects.filter(pk=begun.link.pk).update(answered_by="alone")
    seen()
    remind()
    assert link_for("a" * 22) and link_for(token_in(phones.asked[0][0]["text"]))


def test_who_agreed_to_mail_alone_gets_mail_in_the_language_of_choice(patient, phones, seen, crc, mailoutbox):
    keep_contact(subject=patient, facts=said(channels=frozenset({Channel.MAIL}), language="en"), by=crc)
    seen()
    remind()
    (mail,) = [mail for mail in mailoutbox if mail.to == [MAIL]]
    assert mail.subject.startswith("Message from") and link_for(token_in(mail.body))


def dead(patient, week_4, crc, died, today):
    record_death(subject=patient, facts=died(today), by=crc)


def withdrawn(patient, week_4, crc, died, today):
    leave(patient, crc, StopKind.CONSENT)


def tired(patient, week_4, crc, died, today):
    leave(patient, crc, StopKind.QUESTIONNAIRES)


def forgotten(patient, week_4, crc, died, today):
    delete_contact(subject=patient, by=crc)


def closed_out(patient, week_4, crc, died, today):
    with change_set(study=patient.study, by=None, action="test.close", reason="over"):
        Site.objects.filter(pk=patient.site_id).update(status="closed")


def given_up(patient, week_4, crc, died, today):
    mark_not_done(event=week_4, reason="NOT_REACHED", by=crc)


def answered(patient, week_4, crc, died, today):
    issued = issue_link(event=week_4, channel=LinkChannel.CARD, by=crc)
    with change_set(study=patient.study, by=None, action="test.answered", reason="all answered"):
        PersonalLink.objects.filter(pk=issued.link.pk).update(finished_at=database_now())


@pytest.mark.req("PRV-03")
@pytest.mark.parametrize("planned_before", [True, False])
@pytest.mark.parametrize("left", [dead, withdrawn, tired, forgotten, closed_out, given_up, answered])
def test_nothing_goes_to_who_is_not_to_be_asked(patient, week_4, phones, seen, crc, died, today, left, planned_before):
    seen()
    if planned_before:
        plan_reminders()
    left(patient, week_4, crc, died, today)
    remind()
    assert phones.asked == [] and set(states()) <= {State.DROPPED, State.CANCELLED}
    assert not PersonalLink.objects.filter(channel=LinkChannel.SMS).exists()
    remind()  # and none comes back
    assert phones.asked == [] and list(held_back(crc, patient.study)) == []


def test_a_pause_and_a_copy_hold_it(patient, phones, seen, coordinator, settings):
    seen()
    plan_reminders()
    pause_reminders(place=patient.site, paused=True, by=coordinator)
    remind()
    pause_reminders(place=patient.site, paused=False, by=coordinator)
    settings.SENDS_REMINDERS = False
    remind()
    assert (phones.asked, states()) == ([], [State.DUE])
    settings.SENDS_REMINDERS = True
    remind()
    assert len(phones.asked) == 1


def test_it_waits_for_the_hours_of_the_plan(patient, phones, seen, monkeypatch):
    seen()
    plan_reminders()
    monkeypatch.setattr(holding, "next_opening", lambda plan, now: now + timedelta(hours=9))
    remind()
    assert (phones.asked, states()) == ([], [State.DUE])


def test_the_staff_is_reminded_by_its_own_rules_alone(patient, seen, week_4, mailoutbox):
    seen()
    remind()
    assert not Message.objects.filter(kind=owed.KIND, topic="ASK").exists()


def test_the_site_ticks_on_one_page_and_nobody_else(patient, phones, sign_in, crc, monitor, outsider):
    remind()
    page = reverse("messages-waiting", args=[patient.study.oid])
    with pytest.raises(NotPermitted):
        confirm_alive(subject=patient, by=outsider)
    assert sign_in(monitor).get(page).status_code == 403
    nurse = sign_in(crc)
    assert page in nurse.get(reverse("worklist")).content.decode()
    assert patient.number in nurse.get(page).content.decode()
    told = nurse.post(page, {"subject": patient.number}, follow=True).content.decode()
    assert "Meldingen går nå." in told
    send_due()
    assert len(phones.asked) == 1
    assert patient.number not in nurse.get(page).content.decode().split("<main")[1]


def test_the_page_promises_nothing_while_messages_are_held(patient, sign_in, crc, coordinator):
    remind()
    pause_reminders(place=patient.site, paused=True, by=coordinator)
    page = reverse("messages-waiting", args=[patient.study.oid])
    told = sign_in(crc).post(page, {"subject": patient.number}, follow=True).content.decode()
    assert "Meldingen går når meldinger sendes igjen." in told


def test_the_coordinator_sees_what_went_and_comes_by_role_and_never_the_address(
    patient, phones, seen, sign_in, coordinator
):
    seen()
    assert any("Deltaker" in line.roles for _day, lines in Board(coordinator, patient.study).to_come for line in lines)
    remind()
    shown = sign_in(coordinator).get(reverse("reminders", args=[patient.study.oid])).content.decode()
    assert "Spørreskjema til deltakeren" in shown and "Deltaker" in shown and patient.number in shown
    for secret in (PHONE, "40000001", MAIL, "Åse"):
        assert secret not in shown


def test_what_did_not_arrive_is_told_to_the_coordinator_and_to_the_site(
    patient, phones, seen, sign_in, coordinator, crc
):
    phones.status = 400
    seen()
    remind()
    assert states() == [State.DEAD]
    shown = sign_in(coordinator).get(reverse("reminders", args=[patient.study.oid])).content.decode()
    assert "kunne ikke leveres" in shown and 'value="again"' not in shown
    (item,) = undelivered(crc, patient.study)
    assert patient.number in item.sentence and item.url.endswith(reverse("contact", args=["x", "x"])[-8:])


def test_the_dry_run_names_them_by_role(patient):
    told = StringIO()
    call_command("plan_reminders", "--dry-run", stdout=told)
    assert f"{patient.number} W4-1 ASK 1 participant" in told.getvalue()
    assert not Message.objects.filter(kind=participants.KIND).exists()
