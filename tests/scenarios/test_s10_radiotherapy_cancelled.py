"""S10: radiotherapy is cancelled after randomisation, or never begins, or begins later after all."""

import uuid
from datetime import date, timedelta

import pytest
from django.urls import reverse

from crf import facts
from crf.answers import SubjectAnswers
from crf.day_zero import Basis, clock_of
from crf.models import StudyEvent
from crf.selectors.matrix import matrix_of
from crf.services import NEW
from crf.waiting import without_day_0
from pallsoft.audit.models import ChangeSet
from randomization.services import randomize
from sites.clock import database_now, local_today
from sites.selectors import definition_at
from sites.services import record_death
from tests.fixtures.by_hand import enter
from tests.fixtures.leaving import died, visits  # noqa: F401 - a fixture must stand in the module to be found
from tests.fixtures.ready_for_pallsoft import pallsoft_list, screened  # noqa: F401

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("DAT-08")]
CANCELLED = {"RTS_START": "N", "RTS_NOTW": "WORSE"}


@pytest.fixture
def patient(screened, crc):  # noqa: F811
    subject = screened("GI", "PAIN")
    randomize(subject=subject, key=uuid.uuid4(), by=crc, typed_number=subject.number)
    subject.refresh_from_db()
    return subject


@pytest.fixture
def today(patient):
    return local_today(patient.site.timezone)


@pytest.fixture
def weeks_later(monkeypatch):
    """weeks_later(2): as if the patient had been randomised so many weeks ago."""

    def move(weeks):
        at = database_now() - timedelta(weeks=weeks)
        monkeypatch.setattr(facts, "_providers", [*facts._providers, lambda subject: {"randomized_at": at}])

    return move


def answers(patient):
    return SubjectAnswers(patient, definition_at(patient.site))


def cancel(patient, by, day):
    return enter(patient, by, "RT", "RTS", CANCELLED | {"RTS_NOTON": day.isoformat()})


def plan(patient):
    return {event.event_oid: event for event in patient.events.exclude(event_oid="SURV")}


def test_until_decided_visits_stand_provisionally_from_the_planned_day(patient):
    planned_on = date.fromisoformat(answers(patient).instance("ANY", "PLAN_ON", None).data["PLAN_ON"])
    week_2 = plan(patient)["W2"]
    assert (week_2.target_on, week_2.provisional) == (planned_on + timedelta(days=14), True)


def test_cancelled_visits_run_from_randomisation_plus_seven_days_and_stay_due(patient, crc, today):
    cancel(patient, crc, today)
    clock = clock_of(answers(patient))
    assert (clock.day, clock.basis) == (today + timedelta(days=7), Basis.CANCELLED)
    follow_up = {oid: event for oid, event in plan(patient).items() if oid in {"W2", "W4", "W8", "W12", "W24"}}
    assert {oid: (event.target_on - clock.day).days for oid, event in follow_up.items()} == {
        "W2": 14, "W4": 28, "W8": 56, "W12": 84, "W24": 168,
    }  # fmt: skip
    assert not any(event.provisional or event.is_settled for event in follow_up.values())
    moved = ChangeSet.objects.filter(action="crf.schedule_events").latest("at")
    assert f"{clock.day:%d.%m.%Y}" in moved.reason


def test_a_cancelled_treatment_asks_for_no_fraction_test_or_pause(patient, crc, today):
    before = forms_at(patient, crc, "RT")
    cancel(patient, crc, today)
    assert {"RTS", "RTF", "CM", "EC", "TOX"} <= before
    assert forms_at(patient, crc, "RT") == {"RTS"}
    assert forms_at(patient, crc, "W4") >= {"ST", "NRS", "QLC", "EQ5D"}


def test_it_begins_after_all_the_plan_moves_and_what_is_done_does_not(patient, crc, today):
    cancel(patient, crc, today)
    enter(patient, crc, "W2", "ST", {"ST_STATE": "ALIVE", "ST_ON": today.isoformat(), "ST_FROM": "SEEN"})
    done = StudyEvent.objects.get(event_oid="W2")
    enter(patient, crc, "RT", "RTS", {"RTS_START": "Y", "RTS_NOTON": "", "RTS_NOTW": ""}, reason="startet likevel")
    fraction = {"RTF_NO": "1", "RTF_STATUS": "GIVEN", "RTF_DATE": today.isoformat(), "RTF_TIME": "09:30"}
    dose = "8" if answers(patient).facts["arm"] == "A" else "5"
    enter(patient, crc, "RT", "RTF", fraction | {"RTF_DOSE": dose}, repeat_key=NEW)
    after = plan(patient)
    assert after["W4"].target_on == today + timedelta(days=28)
    kept = after["W2"]
    assert (kept.target_on, kept.window_from, kept.happened_on) == (done.target_on, done.window_from, today)
    shown = next(v for v in matrix_of(answers(patient), crc).visits if v.event.event_oid == "W2")
    assert (shown.day, shown.timing, shown.plan.target_on) == (0, "early", today + timedelta(days=14))
    assert shown.is_moved


def test_after_seven_days_without_start_or_decision_it_is_loud(patient, crc, sign_in, weeks_later, today):
    assert not list(without_day_0(crc, patient.study))
    weeks_later(2)
    page = sign_in(crc, "nb")
    url = reverse("subject", args=["PALLSOFT", patient.number])
    sentence = "Strålebehandlingen er ikke startet"
    assert f"{patient.number}: {sentence}, 14 dager etter randomiseringen." in page.get("/").content.decode()
    assert sentence in page.get(url).content.decode()
    cancel(patient, crc, today)
    assert sentence not in page.get("/").content.decode()
    html = page.get(url).content.decode()
    assert sentence not in html and "Strålebehandlingen er avlyst" in html


def test_who_died_before_the_first_fraction_is_waited_for_no_more(patient, crc, weeks_later, died, today):  # noqa: F811
    weeks_later(2)
    record_death(subject=patient, facts=died(today), by=crc)
    assert not list(without_day_0(crc, patient.study))
    assert visits(patient)["W4"] == "dead"


def forms_at(patient, user, event_oid):
    column = next(v for v in matrix_of(answers(patient), user).visits if v.event.event_oid == event_oid)
    return set(column.cells)
