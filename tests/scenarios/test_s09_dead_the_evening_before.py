"""S09: dead the evening before the reminder; learnt of too late; and a death recorded on the wrong patient."""

import uuid
from datetime import timedelta

import pytest
from django.core import mail

from crf.answers import SubjectAnswers
from crf.entry.interruptions import AnswersNeeded
from crf.models import FormData, QueryStatus, StudyEvent
from crf.selectors.contacts import last_known_alive
from crf.services import mark_not_done
from crf.services.queries import raise_query
from pallsoft.audit.models import ChangeSet
from pallsoft.errors import InvalidInput, NotAllowedNow, NotPermitted
from pallsoft.outbox.models import State
from pallsoft.outbox.services import send_due
from sites.clock import database_now
from sites.models import Death
from sites.participation import State as Left
from sites.participation import participation_of
from sites.selectors import definition_at
from sites.services import record_death, undo_death
from tests.fixtures.by_hand import enter, scores
from tests.fixtures.leaving import *  # noqa: F403 - fixtures must stand in the module to be found
from tests.fixtures.leaving import visits

pytestmark = [pytest.mark.django_db, pytest.mark.req("OPS-04")]


@pytest.fixture
def patient(subject, plan):
    """Week 2 is owed since last week, week 4 was due today, week 12 and the survival check lie ahead."""
    plan(subject, W2=-7, W4=0, W12=50, SURV=200)
    return subject


def test_recorded_in_time_nothing_is_sent_not_even_what_is_queued(patient, reminder, died, crc, today):
    queued = reminder(patient)
    record_death(subject=patient, facts=died(today - timedelta(days=1)), by=crc)
    send_due()
    queued.refresh_from_db()
    assert (queued.state, queued.cause, mail.outbox) == (State.CANCELLED, "dead", [])
    assert ChangeSet.objects.get(pk=queued.cancelled_in).action == "sites.record_death"


def test_a_message_made_after_the_death_is_not_owed_either(patient, reminder, died, crc, today):
    record_death(subject=patient, facts=died(today), by=crc)
    late = reminder(patient)
    send_due()
    late.refresh_from_db()
    assert (late.state, mail.outbox) == (State.DROPPED, [])


def test_learnt_too_late_the_sent_one_stays_sent_and_nothing_more_goes(patient, reminder, died, crc, today):
    sent, later = reminder(patient), reminder(patient, due_at=database_now() + timedelta(days=7), ordinal=2)
    send_due()
    record_death(subject=patient, facts=died(today - timedelta(days=1)), by=crc)
    for message in (sent, later):
        message.refresh_from_db()
    assert (sent.state, later.state, len(mail.outbox)) == (State.SENT, State.CANCELLED, 1)


def test_visits_after_the_day_are_closed_and_earlier_ones_stay_owed(patient, died, crc, today):
    record_death(subject=patient, facts=died(today - timedelta(days=1)), by=crc)
    assert visits(patient) == {"W2": "", "W4": "dead", "W12": "dead", "SURV": "dead"}
    assert StudyEvent.objects.get(event_oid="W4").not_done_reason == "Død"
    assert participation_of(patient).state is Left.DEAD


def test_what_the_staff_owed_before_stays_open(patient, died, crc, monitor, today):
    week_2 = StudyEvent.objects.select_related("subject__site__study", "study").get(event_oid="W2")
    asked = {"form_oid": "NRS", "item_oid": "NRS_PAIN", "text": "Mangler skåren?", "key": uuid.uuid4()}
    query = raise_query(event=week_2, by=monitor, **asked)
    record_death(subject=patient, facts=died(today), by=crc)
    query.refresh_from_db()
    assert query.status == QueryStatus.OPEN
    at = database_now() - timedelta(days=7)
    enter(patient, crc, "W2", "NRS", scores(at.date()), observed_at=at)  # owed, observed while she lived
    assert FormData.objects.filter(subject=patient, form_oid="NRS").exists()


def test_a_grade_5_event_can_still_be_reported(patient, died, crc, today):
    record_death(subject=patient, facts=died(today), by=crc)
    values = {"AE_TERM": "Tarmperforasjon", "AE_ON": str(today - timedelta(days=2)), "AE_GRADE": "5"}
    assert enter(patient, crc, "LOG", "AE", values, repeat_key="new").data["AE_GRADE"] == "5"


@pytest.mark.parametrize(("part", "closed"), [(10, {"W4", "W12", "SURV"}), (7, {"W12", "SURV"}), (4, {"SURV"})])
def test_a_partial_day_closes_only_what_certainly_came_later(subject, plan, died, crc, today, part, closed):
    last = today.replace(day=1) - timedelta(days=1)  # the last day of the month before
    offsets = {"W2": last - timedelta(days=20), "W4": last + timedelta(days=1), "SURV": today + timedelta(days=400)}
    if part == 10:
        offsets["W4"] = last + timedelta(days=1)
    if part == 7:
        offsets["W4"] = last  # may have come in the unknown part of the month
    plan(subject, **{oid: (day - today).days for oid, day in offsets.items()}, W12=(1 if part != 4 else -1))
    record_death(subject=subject, facts=died(str(last)[:part]), by=crc)
    assert {oid for oid, why in visits(subject).items() if why} == closed


def test_on_the_wrong_patient_it_is_undone_visits_reopen_and_nothing_is_sent(patient, reminder, died, crc, today):
    cancelled = reminder(patient)
    death = record_death(subject=patient, facts=died(today - timedelta(days=1)), by=crc)
    with pytest.raises(InvalidInput):
        undo_death(death=death, by=crc, reason=" ")
    undo_death(death=death, by=crc, reason="gjaldt AAL-004, ikke denne pasienten")
    send_due()
    cancelled.refresh_from_db()
    assert visits(patient) == {"W2": "", "W4": "", "W12": "", "SURV": ""}
    assert StudyEvent.objects.filter(not_done_reason="").count() == 4
    assert (cancelled.state, mail.outbox) == (State.CANCELLED, [])
    assert participation_of(patient).state is None
    assert Death.objects.get().ended_in is not None  # the row stays


def test_a_visit_that_a_person_closed_stays_closed(patient, died, crc, today):
    mark_not_done(event=StudyEvent.objects.get(event_oid="W4"), by=crc, reason="pasienten var for syk")
    death = record_death(subject=patient, facts=died(today - timedelta(days=1)), by=crc)
    undo_death(death=death, by=crc, reason="feil pasient")
    assert StudyEvent.objects.get(event_oid="W4").not_done_reason == "pasienten var for syk"


def test_twice_is_once_and_another_death_is_refused(patient, died, crc, today):
    first = record_death(subject=patient, facts=died(today), by=crc)
    assert record_death(subject=patient, facts=died(today), by=crc) == first
    with pytest.raises(NotAllowedNow):
        record_death(subject=patient, facts=died(today - timedelta(days=2)), by=crc)


def test_a_day_to_come_or_before_the_consent_is_refused(patient, died, crc, today):
    for day in (today + timedelta(days=1), "2026-08", today.year + 1):
        with pytest.raises(InvalidInput):
            record_death(subject=patient, facts=died(day), by=crc)


@pytest.mark.req("ACC-01")
@pytest.mark.parametrize("who", ["outsider", "monitor", "data_manager", "inspector"])
def test_only_the_site_records_a_death(patient, died, today, request, who):
    with pytest.raises(NotPermitted):
        record_death(subject=patient, facts=died(today), by=request.getfixturevalue(who))


def test_a_visit_after_the_recorded_death_is_asked_about_and_stored(patient, died, crc, today):
    record_death(subject=patient, facts=died(today - timedelta(days=3)), by=crc)
    with pytest.raises(AnswersNeeded) as asked:
        enter(patient, crc, "W2", "EC", {"EC_ECOG": "3"})
    assert "EC_AFTER_DEATH" in [check.oid for check in asked.value.checks]
    row = enter(patient, crc, "W2", "EC", {"EC_ECOG": "3"}, why={"EC_AFTER_DEATH": "skrevet inn fra journalen"})
    assert row.data["EC_ECOG"] == "3"


def test_last_known_alive_follows_every_contact_and_never_passes_the_death(patient, died, crc, today):
    def alive():
        return last_known_alive(SubjectAnswers(patient, definition_at(patient.site)))

    assert str(alive()) == "2026-09-01"  # the consent
    at = database_now() - timedelta(days=6)
    enter(patient, crc, "W2", "NRS", scores(today - timedelta(days=6)), observed_at=at)
    assert alive() == today - timedelta(days=6)
    enter(
        patient, crc, "SURV", "ST", {"ST_STATE": "ALIVE", "ST_ON": str(today - timedelta(days=2)), "ST_FROM": "RECORD"}
    )
    assert alive() == today - timedelta(days=2)
    record_death(subject=patient, facts=died(today - timedelta(days=4)), by=crc)
    assert alive() == today - timedelta(days=6)
