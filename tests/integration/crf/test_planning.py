"""Visits planned from day 0: created, moved, never touched once begun (PC017)."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import IntegrityError
from django.utils import translation

from crf import facts
from crf.answers import SubjectAnswers
from crf.day_zero import days_waited
from crf.models import EVENT_TRANSITIONS, EventState, StudyEvent
from crf.services import (
    clear_not_done,
    mark_not_done,
    record_visit_date,
    schedule_events,
    start_screening_attempt,
    void_form,
)
from pallsoft.audit.context import change_set
from pallsoft.audit.models import ChangeSet
from pallsoft.errors import InvalidInput, NotAllowedNow
from sites.selectors import definition_at


@pytest.fixture
def randomized(monkeypatch):
    """As if the subject had been randomised on 1 September 2026, in the evening in Oslo."""
    at = datetime(2026, 9, 1, 20, 30, tzinfo=UTC)
    monkeypatch.setattr(facts, "_providers", [lambda subject: {"randomized_at": at, "arm": "A"}])


@pytest.fixture
def give(save):
    """give("2026-09-08", "8"): a fraction."""
    return lambda day, dose, **more: save("TREAT", "DOSE", {"DOSE_ON": day, "DOSE_GY": dose}, repeat_key="new", **more)


def planned(subject, event_oid, ordinal=1):
    event = StudyEvent.objects.get(subject=subject, event_oid=event_oid, ordinal=ordinal)
    return tuple(str(day) for day in (event.window_from, event.target_on, event.window_to))


def test_nothing_is_planned_before_randomisation(subject, crc):
    assert schedule_events(subject=subject, by=crc) == []


def test_after_randomisation_visits_stand_provisionally(subject, crc, randomized):
    schedule_events(subject=subject, by=crc)
    assert planned(subject, "WK2") == ("2026-09-19", "2026-09-22", "2026-09-25")
    assert StudyEvent.objects.get(event_oid="WK2").provisional


def test_a_planned_day_goes_before_the_presumed_one(subject, crc, randomized, save):
    save("START", "BASE", {"BASE_PLANNED": "2026-09-10"})
    schedule_events(subject=subject, by=crc)
    assert planned(subject, "WK2")[1] == "2026-09-24"


def test_the_first_fraction_with_dose_moves_the_plan(subject, crc, randomized, give):
    schedule_events(subject=subject, by=crc)
    give("2026-09-14", "8")
    assert planned(subject, "WK2")[1] == "2026-09-28"
    give("2026-09-11", "8")
    assert planned(subject, "WK2")[1] == "2026-09-25"
    assert not StudyEvent.objects.get(event_oid="WK2").provisional


def test_a_new_planned_day_moves_the_provisional_plan(subject, crc, randomized, save):
    schedule_events(subject=subject, by=crc)
    save("START", "BASE", {"BASE_PLANNED": "2026-09-10"})
    assert planned(subject, "WK2")[1] == "2026-09-24"
    assert StudyEvent.objects.get(event_oid="WK2").provisional


def test_a_cancelled_treatment_leaves_the_presumed_day_for_good(subject, crc, randomized, save):
    save("START", "BASE", {"BASE_PLANNED": "2026-09-10"})
    schedule_events(subject=subject, by=crc)
    save("START", "BASE", {"BASE_STARTS": "N"})
    week_2 = StudyEvent.objects.get(event_oid="WK2")
    assert (planned(subject, "WK2")[1], week_2.provisional) == ("2026-09-22", False)
    save("START", "BASE", {"BASE_STARTS": ""}, reason="feil pasient")
    assert (planned(subject, "WK2")[1], StudyEvent.objects.get(event_oid="WK2").provisional) == ("2026-09-24", True)


@pytest.mark.parametrize(("days", "waited"), [(6, None), (7, None), (8, 8)])
def test_more_than_seven_days_without_treatment_are_too_many(subject, randomized, days, waited):
    today = date(2026, 9, 1) + timedelta(days=days)
    assert days_waited(SubjectAnswers(subject, definition_at(subject.site)), today) == waited


def test_nobody_waits_for_a_treatment_that_has_begun_or_is_cancelled(subject, randomized, save, give):
    late = date(2026, 12, 1)
    save("START", "BASE", {"BASE_STARTS": "N"})
    assert days_waited(SubjectAnswers(subject, definition_at(subject.site)), late) is None
    save("START", "BASE", {"BASE_STARTS": ""}, reason="feil pasient")
    give("2026-09-14", "8")
    assert days_waited(SubjectAnswers(subject, definition_at(subject.site)), late) is None


def test_a_repeating_visit_comes_every_three_months_to_its_bound(subject, crc, randomized):
    schedule_events(subject=subject, by=crc)
    days = StudyEvent.objects.filter(event_oid="ALIVE").order_by("ordinal").values_list("target_on", flat=True)
    assert [str(day) for day in days] == ["2026-12-08", "2027-03-09", "2027-06-08", "2027-09-07"]


def test_pc017_planning_again_never_touches_a_visit_that_has_begun(subject, crc, randomized, save, give, visit):
    schedule_events(subject=subject, by=crc)
    save("WK2", "SCORE", {"SCORE_PAIN": "5"})
    mark_not_done(event=visit("WK4"), by=crc, reason="ferie")
    before = {oid: planned(subject, oid) for oid in ("WK2", "WK4", "ALIVE")}
    give("2026-10-01", "8")
    after = {oid: planned(subject, oid) for oid in ("WK2", "WK4", "ALIVE")}
    assert before["WK2"] == after["WK2"] and before["WK4"] == after["WK4"]
    assert before["ALIVE"] != after["ALIVE"]


def test_planning_twice_changes_nothing(subject, crc, randomized):
    assert schedule_events(subject=subject, by=crc) != []
    assert schedule_events(subject=subject, by=crc) == []


def test_when_the_only_fraction_goes_the_plan_is_provisional_again(subject, crc, randomized, give, row):
    give("2026-09-14", "8")
    void_form(form=row("TREAT", "DOSE", "1"), by=crc, reason="another patient")
    assert planned(subject, "WK2")[1] == "2026-09-22"
    assert StudyEvent.objects.get(event_oid="WK2").provisional


def test_day_0_has_the_instant_of_the_site_when_the_time_is_known(subject, save, give):
    save("TREAT", "DOSE", {"DOSE_ON": "2026-10-26", "DOSE_AT": "09:30", "DOSE_GY": "8"}, repeat_key="new")
    give("2026-10-26", "8")
    anchor = SubjectAnswers(subject, definition_at(subject.site)).anchor
    assert (anchor.day, anchor.at.astimezone(UTC)) == (date(2026, 10, 26), datetime(2026, 10, 26, 8, 30, tzinfo=UTC))


def test_a_visit_is_marked_as_not_done_with_a_reason_and_back(visit, crc, subject):
    with pytest.raises(InvalidInput):
        mark_not_done(event=visit("WK2"), by=crc, reason=" ")
    event = mark_not_done(event=visit("WK2"), by=crc, reason="too ill")
    assert (event.not_done_reason, event.not_done_code) == ("too ill", "")
    with pytest.raises(InvalidInput):
        clear_not_done(event=event, by=crc, reason="")
    assert clear_not_done(event=event, by=crc, reason="came after all").not_done_reason == ""


def test_a_reason_of_the_list_is_stored_as_its_code_and_in_the_words_of_the_study(visit, crc):
    with translation.override("en"):
        event = mark_not_done(event=visit("WK2"), by=crc, code="ILL")
    stored = StudyEvent.objects.get(pk=event.pk)
    assert (stored.not_done_code, stored.not_done_reason) == ("ILL", "For syk")
    marked = ChangeSet.objects.get(action="crf.mark_not_done")
    assert (marked.actor_name, marked.reason) == (crc.full_name, "For syk")
    clear_not_done(event=event, by=crc, reason="feil besøk")
    assert StudyEvent.objects.get(pk=event.pk).not_done_code == ""


@pytest.mark.parametrize("code", ["DEAD", "ill", "\x00"])
def test_a_reason_that_is_not_on_the_list_is_refused(visit, crc, code):
    with pytest.raises(InvalidInput):
        mark_not_done(event=visit("WK2"), by=crc, code=code)
    assert not StudyEvent.objects.exists()


def test_a_visit_that_was_done_is_not_marked_as_not_done(save, visit, crc):
    save("WK2", "SCORE", {"SCORE_PAIN": "5"})
    with pytest.raises(NotAllowedNow):
        mark_not_done(event=visit("WK2"), by=crc, reason="x")


def test_a_visit_dated_by_mistake_with_nothing_saved_can_be_not_done(save, visit, crc, row):
    save("WK2", "SCORE", {"SCORE_PAIN": "5"})
    void_form(form=row("WK2", "SCORE"), by=crc, reason="feil pasient")
    event = mark_not_done(event=visit("WK2"), by=crc, code="AWAY")
    assert (event.happened_on, event.state) == (None, EventState.NOT_DONE)


def test_each_act_is_allowed_from_the_states_of_the_table_alone(visit, crc):
    acts = {
        EventState.DONE: lambda: record_visit_date(
            event=visit("WK2"), happened_on=date(2026, 9, 20), by=crc, reason="kom"
        ),
        EventState.NOT_DONE: lambda: mark_not_done(event=visit("WK2"), by=crc, code="ILL"),
        EventState.EXPECTED: lambda: clear_not_done(event=visit("WK2"), by=crc, reason="feil"),
    }
    path = [EventState.DONE, EventState.DONE, EventState.NOT_DONE, EventState.EXPECTED]
    state = EventState.EXPECTED
    for step in path:
        for to, act in acts.items():
            if to not in EVENT_TRANSITIONS[state]:
                with pytest.raises(NotAllowedNow):
                    act()
        acts[step]()
        state = step
    assert StudyEvent.objects.get().state is EventState.EXPECTED


def test_what_is_entered_whenever_it_happens_has_no_day(visit, crc):
    with pytest.raises(NotAllowedNow):
        mark_not_done(event=visit("ALWAYS"), by=crc, code="ILL")


def test_no_visit_is_both_done_and_not_done_and_none_is_not_done_without_a_reason(visit, crc, subject):
    event = mark_not_done(event=visit("WK2"), by=crc, code="ILL")
    for impossible in ({"happened_on": date(2026, 9, 20)}, {"not_done_reason": ""}):
        with pytest.raises(IntegrityError), change_set(study=subject.study, by=None, action="test", reason="test"):
            StudyEvent.objects.filter(pk=event.pk).update(**impossible)


def test_expected_again_it_stands_where_day_0_has_moved_to(subject, crc, randomized, give, visit):
    schedule_events(subject=subject, by=crc)
    event = mark_not_done(event=visit("WK2"), by=crc, code="ILL")
    give("2026-09-14", "8")
    assert planned(subject, "WK2")[1] == "2026-09-22"
    assert str(clear_not_done(event=event, by=crc, reason="kom likevel").target_on) == "2026-09-28"


def test_a_stored_visit_date_is_corrected_with_a_reason(save, visit, crc):
    save("WK2", "SCORE", {"SCORE_PAIN": "5"})
    with pytest.raises(InvalidInput):
        record_visit_date(event=visit("WK2"), happened_on=date(2026, 9, 20), by=crc)
    event = record_visit_date(event=visit("WK2"), happened_on=date(2026, 9, 20), by=crc, reason="came on Sunday")
    assert event.happened_on == date(2026, 9, 20)


@pytest.mark.req("DAT-08")
@pytest.mark.parametrize("day", [date(2999, 1, 1), date(1948, 12, 31)])
def test_a_visit_is_neither_in_the_future_nor_before_birth(visit, crc, day):
    with pytest.raises(InvalidInput):
        record_visit_date(event=visit("WK2"), happened_on=day, by=crc)


def test_only_a_screen_failure_is_screened_again(subject, crc):
    with pytest.raises(NotAllowedNow):
        start_screening_attempt(subject=subject, by=crc)
