"""Reminders: who is told of what and when, once each; and to whom nothing goes."""

from dataclasses import replace
from datetime import timedelta
from io import StringIO

import pytest
from django.core import mail
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crf.models import StudyEvent
from crf.reminders import holding, owed
from crf.reminders.page import Board
from crf.reminders.planner import plan_reminders
from crf.services import clear_not_done, mark_not_done
from pallsoft.audit.context import change_set
from pallsoft.outbox.models import Message, State
from pallsoft.outbox.services import message_id, send_due
from sites.clock import database_now
from sites.models import Assignment, DataWish, Death, Role, StopKind, Subject, SubjectStatus, ToldBy
from sites.services import (
    Withdrawal,
    pause_reminders,
    record_death,
    record_withdrawal,
    set_site_status,
    undo_death,
)
from tests.fixtures.leaving import *  # noqa: F403 - fixtures must stand in the module to be found
from tests.fixtures.reminding import *  # noqa: F403
from tools import system
from trials.models import Status

pytestmark = [pytest.mark.django_db, pytest.mark.req("OPS-04")]


@pytest.fixture
def late(subject, plan, reminding, investigator, pi, coordinator):
    """A visit whose window, three days to each side, ended yesterday; all roles are there."""
    invitations_leave()
    return plan(subject, W4=-4)[0]


@pytest.fixture
def of_old(late, today):
    """The same, with all roles held since long ago."""
    with change_set(study=late.study, by=None, action="test.roles", reason="since long ago"):
        Assignment.objects.update(valid_from=today - timedelta(days=90))
    return late


def invitations_leave():
    send_due()
    mail.outbox.clear()


def rows(**wanted):
    found = Message.objects.filter(kind=owed.KIND, **wanted).order_by("topic", "ordinal", "recipient_id")
    return [(row.topic, row.ordinal, row.payload["role"]) for row in found]


def to(user):
    return [one for one in mail.outbox if one.to == [user.email]]


def states():
    return set(Message.objects.filter(kind=owed.KIND).values_list("state", flat=True))


def test_an_overdue_visit_is_told_to_the_roles_of_the_rule_once(late):
    assert plan_reminders() == 2
    assert sorted(rows()) == [("OVERDUE", 1, "investigator"), ("OVERDUE", 1, "study_nurse")]
    assert plan_reminders() == 0
    assert send_due() == 2
    assert plan_reminders() == 0
    assert len(mail.outbox) == 2


def test_the_versions_of_a_site_are_read_once_for_all_rules_and_roles(late):
    with CaptureQueriesContext(connection) as asked:
        owed.to_come([late.subject.site], days=7)
    assert sum("active_from" in one["sql"] for one in asked) <= 2  # the version in use, and since when each is


def test_a_visit_to_come_is_told_to_the_nurse_alone(subject, plan, reminding, crc, investigator):
    invitations_leave()
    plan(subject, W4=3, W8=4)
    assert plan_reminders() == 1
    send_due()
    assert [one.to for one in mail.outbox] == [[crc.email]]


def test_after_two_weeks_the_principal_investigator_and_the_coordinator_hear_of_it(of_old, subject, plan):
    plan(subject, W8=-18)
    plan_reminders()
    event = StudyEvent.objects.get(event_oid="W8")
    told = sorted(rows(event_id=event.pk))
    assert told == [
        ("ESCALATED", 1, "coordinator"),
        ("ESCALATED", 1, "principal_investigator"),
        ("OVERDUE", 3, "investigator"),
        ("OVERDUE", 3, "study_nurse"),
    ]


@pytest.mark.parametrize("day, told", [(-4, 1), (-10, 1), (-11, 2), (-17, 2), (-18, 3), (-80, 3)])
def test_the_next_one_takes_over_so_that_nobody_gets_a_heap(of_old, subject, plan, crc, day, told):
    (event,) = plan(subject, W8=day)
    plan_reminders()
    assert rows(event_id=event.pk, recipient_id=crc.pk) == [("OVERDUE", told, "study_nurse")]


def test_one_that_waits_gives_way_to_the_next(of_old, subject, plan, crc, today):
    (event,) = plan(subject, W8=-10)
    plan_reminders()
    with change_set(study=event.study, by=None, action="test.day", reason="a day goes by"):
        StudyEvent.objects.filter(pk=event.pk).update(window_to=event.window_to - timedelta(days=1))
    plan_reminders()
    send_due()
    waiting = Message.objects.filter(event_id=event.pk, recipient_id=crc.pk).order_by("ordinal")
    assert [row.state for row in waiting] == [State.DROPPED, State.SENT]


@pytest.mark.parametrize("day, told", [(3, ["COMING"]), (0, ["COMING"]), (-3, ["COMING"]), (-4, ["OVERDUE"])])
def test_a_visit_whose_window_is_over_is_not_told_as_coming_up(of_old, subject, plan, crc, day, told):
    (event,) = plan(subject, W8=day)
    plan_reminders()
    assert [topic for topic, _n, _role in rows(event_id=event.pk, recipient_id=crc.pk)] == told


@pytest.mark.parametrize(
    "counted_from, days, planned, told",
    [
        ("target", 10, -10, ["COMING", "OVERDUE"]),  # a rule for after the window
        ("target", 10, -9, ["OVERDUE"]),
        ("window_to", -1, -3, ["COMING"]),  # a rule for before its end, planned on its last day
        ("window_to", -1, -4, ["OVERDUE"]),
    ],
)
def test_a_reminder_of_before_the_end_of_the_window_does_not_come_after_it(
    of_old, subject, plan, crc, definition, monkeypatch, counted_from, days, planned, told
):
    study = definition.study
    rules = tuple(
        replace(rule, counted_from=counted_from, days=days) if rule.oid == "COMING" else rule
        for rule in study.reminders.rules
    )
    changed = replace(study, reminders=replace(study.reminders, rules=rules))
    monkeypatch.setattr(owed, "definition_in_use", lambda site: changed)
    (event,) = plan(subject, W8=planned)
    plan_reminders()
    assert [topic for topic, _n, _role in rows(event_id=event.pk, recipient_id=crc.pk)] == told


def test_the_mail_names_subject_and_days_and_nothing_about_health(late, subject, crc):
    plan_reminders()
    send_due()
    (sent,) = to(crc)
    assert sent.subject == f"PALLSOFT: Et besøk er forsinket, {subject.number}"
    assert f"{late.target_on:%d.%m.%Y}" in sent.body and f"{late.window_to:%d.%m.%Y}" in sent.body
    assert f"/s/PALLSOFT/subjects/{subject.number}/" in sent.body
    for word in ("Uke 4", "W4", "stråle", "smerte", "kreft", crc.full_name):
        assert word.lower() not in (sent.subject + sent.body).lower()


def test_each_person_reads_it_in_the_own_language(late, crc, investigator):
    with change_set(study=None, by=None, action="test.language", reason="english"):
        type(crc).objects.filter(pk=crc.pk).update(language="en")
    plan_reminders()
    send_due()
    assert "A visit is overdue" in to(crc)[0].subject and "Reminder 1 of 3" in to(crc)[0].body
    assert "Et besøk er forsinket" in to(investigator)[0].subject


def test_the_message_id_tells_reminders_apart_and_never_changes(late):
    plan_reminders()
    ids = {message_id(row) for row in Message.objects.filter(kind=owed.KIND)}
    send_due()
    assert {one.extra_headers["Message-ID"] for one in mail.outbox} == ids
    first = Message.objects.filter(kind=owed.KIND).first()
    before = message_id(first)
    first.topic = "ANOTHER"
    assert message_id(first) != before


@pytest.mark.parametrize("leaves", ["dead", "withdrawn", "screen failure", "ended", "done", "not done", "closed out"])
@pytest.mark.parametrize("when", ["before it is planned", "while it waits"])
@pytest.mark.req("PRV-03")
def test_nothing_goes_about_who_has_left_or_what_is_done(late, subject, bodo, crc, died, today, leaves, when):
    if when == "while it waits":
        assert plan_reminders() == 2
    leave(leaves, late, subject, bodo, crc, died, today)
    plan_reminders()
    send_due()
    assert mail.outbox == []
    assert states() == ({State.DROPPED} if when == "while it waits" else set())


def leave(how, event, subject, site, by, died, today):
    if how == "dead":  # after the visit was due: it stays owed, and nobody is reminded of it
        record_death(subject=subject, facts=died(today), by=by)
    elif how == "withdrawn":
        said = Withdrawal(
            kinds=frozenset({StopKind.CONSENT}), day=str(today), told_by=ToldBy.PARTICIPANT, data_wish=DataWish.KEEP
        )
        record_withdrawal(subject=subject, said=said, by=by)
    elif how in ("screen failure", "ended"):
        status = SubjectStatus.ENDED if how == "ended" else SubjectStatus.SCREEN_FAILURE
        with change_set(study=subject.study, by=None, action="test.end", reason="end"):
            Subject.objects.filter(pk=subject.pk).update(status=status)
    elif how == "done":
        with change_set(study=subject.study, by=None, action="test.done", reason="done"):
            StudyEvent.objects.filter(pk=event.pk).update(happened_on=today)
    elif how == "not done":
        mark_not_done(event=event, reason="Ville ikke komme", by=by)
    else:
        for status in (Status.CLOSED_TO_RECRUITMENT, Status.CLOSED_OUT):
            set_site_status(site=site, status=status, since=today, by=None, reason="slutt")


@pytest.mark.parametrize("mistake", ["dead", "not done"])
def test_what_was_dropped_by_a_mistake_is_owed_again_when_it_is_undone(
    late, subject, bodo, crc, died, today, coordinator, study, mistake
):
    plan_reminders()
    leave(mistake, late, subject, bodo, crc, died, today)
    send_due()
    assert (states(), plan_reminders()) == ({State.DROPPED}, 0)
    if mistake == "dead":
        undo_death(death=Death.objects.standing().get(), reason="feil pasient", by=crc)
    else:
        clear_not_done(event=late, reason="kom likevel", by=crc)
    assert 1 in [line.ordinal for _day, lines in Board(coordinator, study).to_come for line in lines]
    assert (plan_reminders(), plan_reminders()) == (2, 0)
    send_due()
    assert (len(mail.outbox), states()) == (2, {State.SENT})


def test_a_site_that_only_closed_to_recruitment_goes_on(late, bodo, today):
    set_site_status(site=bodo, status=Status.CLOSED_TO_RECRUITMENT, since=today, by=None, reason="nok pasienter")
    assert plan_reminders() == 2
    send_due()
    assert len(mail.outbox) == 2


def test_nothing_leaves_a_copy_of_the_system_and_nothing_is_lost(late, settings):
    plan_reminders()
    settings.SENDS_REMINDERS = False
    send_due()
    assert (mail.outbox, plan_reminders(), states()) == ([], 0, {State.DUE})


def test_a_study_in_test_mode_reminds_nobody(subject, plan, settings, monkeypatch, crc):
    settings.SENDS_REMINDERS = True
    monkeypatch.setattr(holding, "next_opening", lambda plan, now: now)
    plan(subject, W4=-4)
    assert plan_reminders() == 0


@pytest.mark.parametrize("place", ["study", "bodo"])
def test_a_pause_holds_back_what_waits_and_what_is_due_until_it_ends(request, late, coordinator, place):
    plan_reminders()
    pause_reminders(place=request.getfixturevalue(place), paused=True, by=coordinator)
    send_due()
    assert (mail.outbox, states()) == ([], {State.DUE})
    assert set(Message.objects.filter(kind=owed.KIND).values_list("attempts", flat=True)) == {0}
    pause_reminders(place=request.getfixturevalue(place), paused=False, by=coordinator)
    Message.objects.update(next_try_at=database_now())
    send_due()
    assert len(mail.outbox) == 2


@pytest.mark.parametrize("held", ["paused", "closed"])
def test_what_is_held_back_counts_no_attempt_while_the_mail_server_is_down(
    late, bodo, coordinator, settings, monkeypatch, held
):
    plan_reminders()
    if held == "paused":
        pause_reminders(place=bodo, paused=True, by=coordinator)
    else:
        monkeypatch.setattr(holding, "next_opening", lambda plan, now: now + timedelta(hours=9))
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", system.free_port()
    send_due()
    assert states() == {State.DUE}
    assert set(Message.objects.filter(kind=owed.KIND).values_list("attempts", flat=True)) == {0}


def test_a_paused_site_plans_nothing(late, bodo, coordinator):
    pause_reminders(place=bodo, paused=True, by=coordinator)
    assert plan_reminders() == 0


def test_outside_the_hours_it_waits_for_the_next_morning(late, monkeypatch):
    plan_reminders()
    morning = database_now() + timedelta(hours=9)
    monkeypatch.setattr(holding, "next_opening", lambda plan, now: morning)
    send_due()
    assert (mail.outbox, states()) == ([], {State.DUE})
    assert set(Message.objects.filter(kind=owed.KIND).values_list("next_try_at", flat=True)) == {morning}
    assert plan_reminders() == 0


def test_a_visit_that_moved_meanwhile_is_reminded_of_on_its_new_day(late, subject, today):
    plan_reminders()
    with change_set(study=subject.study, by=None, action="test.move", reason="day 0"):
        StudyEvent.objects.filter(pk=late.pk).update(window_to=today + timedelta(days=4))
    send_due()
    assert (mail.outbox, states()) == ([], {State.DUE})
    rows = Message.objects.filter(kind=owed.KIND)
    assert {row.next_try_at.date() for row in rows} == {today + timedelta(days=5)}
    assert {row.due_at for row in rows} == {row.next_try_at for row in rows}  # it is not late when it leaves then


def test_who_has_lost_the_role_gets_nothing(late, investigator, today):
    plan_reminders()
    with change_set(study=late.study, by=None, action="test.role", reason="left"):
        Assignment.objects.filter(user=investigator).update(valid_until=today - timedelta(days=1))
    send_due()
    assert to(investigator) == []


def test_who_came_later_does_not_get_what_was_due_before(late, subject, plan, make_user, bodo, today):
    plan(subject, W8=-5)
    new = make_user("ny", "Ny Sykepleier", Role.STUDY_NURSE, bodo)
    invitations_leave()
    plan_reminders()
    send_due()
    assert len(to(new)) == 1  # W4, due today, and not W8, due yesterday


def test_a_visit_that_tells_the_arm_is_not_told_to_who_may_not_see_it(late, subject, plan):
    plan(subject, SF4W=-18)
    plan_reminders()
    event = StudyEvent.objects.get(event_oid="SF4W")
    assert {role for _topic, _n, role in rows(event_id=event.pk)} == {
        "investigator",
        "principal_investigator",
        "study_nurse",
    }


def test_what_was_due_before_the_site_had_the_reminder_is_not_made_up_for(of_old, subject, plan, bodo, today):
    with change_set(study=subject.study, by=None, action="test.version", reason="later"):
        bodo.versions.update(active_from=today)
    plan(subject, W8=-5)
    plan_reminders()
    assert {row.event_id for row in Message.objects.filter(kind=owed.KIND)} == {of_old.pk}


def test_a_dry_run_tells_who_would_be_reminded_and_writes_nothing(late, subject):
    said = StringIO()
    call_command("plan_reminders", "--dry-run", stdout=said)
    assert f"PALLSOFT BOD {subject.number} W4-1 OVERDUE 1 study_nurse crc" in said.getvalue()
    assert "2 reminder(s) due" in said.getvalue()
    assert not Message.objects.filter(kind=owed.KIND).exists()


def test_a_dry_run_says_what_holds_mails_back(late, settings, bodo, coordinator):
    pause_reminders(place=bodo, paused=True, by=coordinator)
    said = StringIO()
    call_command("plan_reminders", "--dry-run", stdout=said)
    settings.SENDS_REMINDERS = False
    call_command("plan_reminders", "--dry-run", stdout=said)
    assert "PALLSOFT BOD: nothing leaves before" in said.getvalue()
    assert "PALLSOFT BOD: nothing leaves, a copy" in said.getvalue()


def test_the_command_plans_and_a_second_run_adds_none(late):
    said = StringIO()
    call_command("plan_reminders", stdout=said)
    call_command("plan_reminders", stdout=said)
    assert said.getvalue().split("\n")[:2] == ["2 new reminder(s)", "0 new reminder(s)"]
