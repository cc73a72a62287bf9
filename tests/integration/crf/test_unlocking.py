"""Opening what was closed: the visits catch up with what was recorded of the participants meanwhile; a request for it
can be taken back.
"""

from datetime import timedelta

import pytest
from django.urls import reverse

from crf.models import ClosedFor
from crf.selectors.locks import Target
from crf.services import confirm_unlock, lock, request_unlock, unlock, withdraw_unlock_request
from pallsoft.errors import InvalidInput, NotAllowedNow, NotPermitted
from sites.models import Role
from sites.services import record_death, undo_death
from tests.fixtures.leaving import *  # noqa: F403 - fixtures must stand in the module to be found
from tests.fixtures.leaving import visits

pytestmark = [pytest.mark.django_db, pytest.mark.req("DAT-15")]

WHY = "Godtatt slik det er"


@pytest.fixture
def patient(subject, plan):
    """Week 2 was due, week 4 lies ahead."""
    plan(subject, WK2=-7, WK4=10)
    return subject


@pytest.fixture
def closed(patient, data_manager):
    """closed("site"): a lock there."""

    def close(scope):
        path = {"study": {}, "site": {"site": patient.site}, "subject": {"site": patient.site, "subject": patient}}
        return lock(target=Target(patient.study, **path[scope]), by=data_manager, reason=WHY)

    return close


@pytest.fixture
def open_again(data_manager, coordinator):
    def lift(made):
        if not made.takes_two:
            return unlock(lock=made, by=data_manager, reason="Sent svar")
        request_unlock(lock=made, by=data_manager, reason="Sent svar")
        return confirm_unlock(lock=made, by=coordinator, reason="Enig")

    return lift


@pytest.mark.parametrize("scope", ["study", "site", "subject"])
def test_visits_to_come_are_closed_when_a_dead_participant_is_unlocked(
    patient, closed, open_again, died, crc, today, scope
):
    made = closed(scope)
    record_death(subject=patient, facts=died(today), by=crc)
    assert visits(patient) == {"WK2": "", "WK4": ""}
    open_again(made)
    assert visits(patient) == {"WK2": "", "WK4": ClosedFor.DEAD}


@pytest.mark.parametrize("scope", ["study", "site", "subject"])
def test_visits_are_expected_again_when_the_death_was_taken_back_under_the_lock(
    patient, closed, open_again, died, crc, today, scope
):
    death = record_death(subject=patient, facts=died(today), by=crc)
    made = closed(scope)
    undo_death(death=death, by=crc, reason="Feil person")
    assert visits(patient)["WK4"] == ClosedFor.DEAD
    open_again(made)
    assert visits(patient) == {"WK2": "", "WK4": ""}


def test_a_visit_that_another_lock_covers_stays_as_it_is(patient, closed, open_again, died, crc, today):
    inner, outer = closed("subject"), closed("site")
    record_death(subject=patient, facts=died(today), by=crc)
    open_again(outer)
    assert visits(patient)["WK4"] == ""
    open_again(inner)
    assert visits(patient)["WK4"] == ClosedFor.DEAD


def test_a_visit_locked_alone_catches_up_too(patient, data_manager, died, crc, today):
    event = patient.events.get(event_oid="WK4")
    made = lock(target=Target(patient.study, patient.site, patient, event), by=data_manager, reason=WHY)
    record_death(subject=patient, facts=died(today - timedelta(days=1)), by=crc)
    assert visits(patient)["WK4"] == ""
    unlock(lock=made, by=data_manager, reason="Sent svar")
    assert visits(patient)["WK4"] == ClosedFor.DEAD


@pytest.fixture
def colleague(make_user):
    """A second data manager."""
    return make_user("colleague", "Bjørg Ås", Role.DATA_MANAGER)


@pytest.mark.parametrize("scope", ["study", "site"])
def test_who_asked_takes_it_back_and_may_ask_again(closed, data_manager, colleague, coordinator, scope):
    made = request_unlock(lock=closed(scope), by=data_manager, reason="Sent svar")
    with pytest.raises(NotAllowedNow):
        withdraw_unlock_request(lock=made, by=colleague, reason="Ikke min")
    with pytest.raises(NotPermitted):
        withdraw_unlock_request(lock=made, by=coordinator, reason="Ikke min")
    with pytest.raises(InvalidInput):
        withdraw_unlock_request(lock=made, by=data_manager, reason=" ")
    made = withdraw_unlock_request(lock=made, by=data_manager, reason="Svaret gjaldt en annen")
    for refused in (
        lambda: withdraw_unlock_request(lock=made, by=data_manager, reason="Igjen"),
        lambda: confirm_unlock(lock=made, by=coordinator, reason="Enig"),
    ):
        with pytest.raises(NotAllowedNow):
            refused()
    made = request_unlock(lock=made, by=colleague, reason="Dette svaret")
    assert confirm_unlock(lock=made, by=coordinator, reason="Enig").lifted_in


def test_the_request_is_taken_back_on_its_page(closed, data_manager, coordinator, sign_in, study):
    made = request_unlock(lock=closed("site"), by=data_manager, reason="Sent svar")
    page = reverse("lift-lock", args=[study.oid, made.pk])
    overview = reverse("locking", args=[study.oid])
    assert "Take the request back" not in sign_in(coordinator, "en").get(overview).content.decode()
    browser = sign_in(data_manager, "en")
    assert page in browser.get(overview).content.decode()
    assert 'value="withdraw"' in browser.get(page).content.decode()
    assert browser.post(page, {"act": "withdraw", "reason": ""}).status_code == 422
    assert browser.post(page, {"act": "withdraw", "reason": "Gjaldt en annen"}).status_code == 302
    made.refresh_from_db()
    assert (made.lift_requested_in, made.lifted_in) == (None, None)
    assert "Ask to open it" in browser.get(overview).content.decode()
