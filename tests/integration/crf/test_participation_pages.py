"""The pages of a participant's leaving: read back before saving, calm, by permission."""

import re
import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from crf.answers import SubjectAnswers
from crf.models import FormData
from crf.selectors.participation import page_of
from pallsoft.errors import InvalidInput
from sites.clock import database_now
from sites.models import ContactResult, ContactWay, Death, Erasure, SampleTask, Stop, StopKind
from sites.participation import State, participation_of
from sites.selectors import definition_at
from sites.services import Attempt, log_attempt
from tests.fixtures import definition  # noqa: F401 - PALLSOFT's own, not the small trial of this folder
from tests.fixtures.by_hand import enter, scores
from tests.fixtures.leaving import *  # noqa: F403 - fixtures must stand in the module to be found

pytestmark = pytest.mark.django_db


@pytest.fixture
def patient(subject, plan):
    plan(subject, W2=-7, W4=3, W12=50, SURV=200)
    return subject


@pytest.fixture
def url(patient):
    return lambda name, *more: reverse(name, args=[patient.study.oid, patient.number, *more])


@pytest.fixture
def page(sign_in, crc):
    return sign_in(crc, "en")


def death_as_typed(today, **changes):
    return {"day": f"{today:%d.%m.%Y}", "cause": "cancer", "place": "home", "told_by": "relative"} | changes


def attempt(today, **changes):
    """A telephone call in vain at noon the day before."""
    at = {"tried_on": f"{today - timedelta(days=1):%d.%m.%Y}", "tried_clock": "12.00"}
    return {"act": "attempt", "key": str(uuid.uuid4()), "way": "phone", "result": "no_answer"} | at | changes


def facts_of(html):
    """{what is read back: its value}"""
    return dict(re.findall(r"<dt>([^<]*)</dt><dd>([^<]*)</dd>", html))


def test_a_death_is_read_back_before_it_is_saved(page, url, patient, today):
    answer = page.post(url("record-death"), death_as_typed(today))
    html = answer.content.decode()
    assert answer.status_code == 200 and not Death.objects.exists()
    assert "BOD-001" in html and "1949" in html and "Female" in html and "3 visits to come are closed" in html
    assert facts_of(html)["Cause of death"] == "The cancer" and facts_of(html)["Place of death"] == "At home"
    assert facts_of(html)["Where it is known from"] == "Relatives"
    sent = death_as_typed(today) | {"confirmed": "yes"}
    answer = page.post(url("record-death"), sent, follow=True)
    assert "The death is recorded" in answer.content.decode()
    assert participation_of(patient).state is State.DEAD


def test_a_partial_day_is_kept_as_it_is_known(page, url, today):
    page.post(url("record-death"), death_as_typed(today, day=f"{today:%m.%Y}", confirmed="yes"))
    assert Death.objects.get().day == f"{today:%Y-%m}"


def test_what_cannot_be_is_said_at_the_field_and_nothing_is_lost(page, url, today):
    ahead = today + timedelta(days=2)
    answer = page.post(url("record-death"), death_as_typed(today, day=f"{ahead:%d.%m.%Y}", confirmed="yes"))
    html = answer.content.decode()
    assert answer.status_code == 422 and "in the future" in html and f"{ahead:%d.%m.%Y}" in html
    assert html.count("data-error-summary") == 1
    assert not Death.objects.exists()


def test_change_something_leads_back_to_the_form(page, url, today):
    html = page.post(url("record-death"), death_as_typed(today, edit="yes")).content.decode()
    assert 'name="confirmed"' not in html and f'value="{today:%d.%m.%Y}"' in html


def test_a_contact_after_the_day_is_warned_about(page, url, patient, crc, today):
    enter(patient, crc, "W4", "NRS", scores(today))
    answer = page.post(url("record-death"), death_as_typed(today, day=f"{today - timedelta(days=3):%d.%m.%Y}"))
    assert f"was met on {today:%d.%m.%Y}" in answer.content.decode()


def test_a_death_is_taken_back_with_a_reason(page, url, patient, today):
    page.post(url("record-death"), death_as_typed(today, confirmed="yes"))
    address = url("undo-death", Death.objects.get().pk)
    assert address in page.get(url("participation")).content.decode()
    assert page.post(address, {"reason": " "}).status_code == 422
    answer = page.post(address, {"reason": "feil pasient"}, follow=True)
    assert "Nothing was sent" in answer.content.decode() and participation_of(patient).state is None


def answers(**changes):
    said = {kind.value: "N" for kind in StopKind if kind != StopKind.LOST}
    return said | {"told_by": "participant", "told_reason": ""} | changes


def test_a_withdrawal_asks_each_point_and_reads_it_back(page, url, patient, today):
    html = page.get(url("record-withdrawal")).content.decode()
    for words in ("stop the treatment", "questionnaires", "visits", "registers", "samples", "whole consent"):
        assert words in html
    sent = answers(consent="Y", samples="Y", data_wish="keep", day=f"{today:%d.%m.%Y}")
    answer = page.post(url("record-withdrawal"), sent)
    html = answer.content.decode()
    assert answer.status_code == 200 and "2 visits to come are closed" in html and "biobank" in html
    facts = facts_of(html)
    assert facts["Goes on"] == "Follow-up in records and registers"
    assert facts["What is collected already"] == "Kept and used"
    assert not Stop.objects.exists()
    page.post(url("record-withdrawal"), sent | {"confirmed": "yes"})
    assert {stop.kind for stop in Stop.objects.all()} == {StopKind.CONSENT, StopKind.SAMPLES}


def test_what_has_stopped_stands_with_what_it_is_and_since_when(page, url, today):
    page.post(url("record-withdrawal"), answers(visits="Y", day=f"{today:%d.%m.%Y}", confirmed="yes"))
    html = page.get(url("participation")).content.decode()
    assert f"<strong>Stopped: Visits and telephone contact</strong> from {today:%d.%m.%Y}" in html


def test_after_a_withdrawn_consent_only_what_was_left_can_be_stopped(page, url, today):
    said = answers(consent="Y", data_wish="keep", day=f"{today:%d.%m.%Y}")
    page.post(url("record-withdrawal"), said | {"confirmed": "yes"})
    html = page.get(url("record-withdrawal")).content.decode()
    assert "registers" in html and "samples" in html and "stop the treatment" not in html


@pytest.mark.parametrize("left_out", ["visits", "data_wish", "day"])
def test_no_point_is_left_open(page, url, today, left_out):
    sent = answers(consent="Y", data_wish="keep", day=f"{today:%d.%m.%Y}", confirmed="yes")
    del sent[left_out]
    answer = page.post(url("record-withdrawal"), sent)
    assert answer.status_code == 422 and answer.content.decode().count("data-error-summary") == 1
    assert not Stop.objects.exists()


@pytest.mark.req("PRV-07")
def test_an_identity_number_in_the_reason_is_refused(page, url, today):
    sent = answers(visits="Y", day=f"{today:%d.%m.%Y}", told_reason="se 55102499947", confirmed="yes")
    assert page.post(url("record-withdrawal"), sent).status_code == 422


@pytest.mark.req("PRV-03")
def test_after_the_withdrawal_the_next_request_refuses_entry_and_handing_over(page, url, patient, today):
    sent = answers(consent="Y", data_wish="keep", day=f"{today - timedelta(days=1):%d.%m.%Y}", confirmed="yes")
    page.post(url("record-withdrawal"), sent)
    form = reverse("form", args=[patient.study.oid, patient.number, "W2", 1, "NRS", "1"])
    answer = page.post(form, {"key": str(uuid.uuid4()), "seen_version": "0"})
    assert answer.status_code == 409 and "withdrew" in answer.content.decode()
    assert page.get(f"{form}patient/").status_code == 409
    assert not FormData.objects.exists()


def test_three_tries_and_the_contact_is_lost_and_found_again(page, url, patient, today):
    address = url("record-lost")
    for n in range(3):
        assert "Record that the contact is lost" not in page.get(address).content.decode()
        sent = attempt(today)
        page.post(address, sent)
        page.post(address, sent)  # a double click
        assert patient.contact_attempts.count() == n + 1
    page.post(address, {"act": "lost", "day": f"{today:%d.%m.%Y}"})
    assert participation_of(patient).state is State.LOST
    page.post(url("end-stop", Stop.objects.get().pk), {"reason": "ringte selv"})
    assert participation_of(patient).state is None


def test_a_call_that_reached_the_participant_begins_the_count_anew(page, url, patient, today):
    address = url("record-lost")
    for result in ("no_answer", "message", "later", "wrong"):
        page.post(address, attempt(today, result=result))
    html = page.get(address).content.decode()
    assert patient.contact_attempts.count() == 4 and "2 more failed tries before" in html
    assert "Reached, wants to be called later" in html and "Record that the contact is lost" not in html


@pytest.mark.parametrize(
    ("wrong", "name"),
    [({"tried_clock": "25.00"}, "tried_clock"), ({"next_on": "1.9.2020"}, "next_on"), ({"result": ""}, "result")],
)
def test_a_try_that_cannot_be_is_refused_beside_its_field(page, url, patient, today, wrong, name):
    answer = page.post(url("record-lost"), attempt(today, **wrong))
    assert answer.status_code == 422 and not patient.contact_attempts.exists()
    assert f'id="id_{name}_error"' in answer.content.decode()


def test_a_try_in_the_future_is_refused(patient, crc):
    soon = database_now() + timedelta(minutes=5)
    said = Attempt(tried_at=soon, way=ContactWay.PHONE, result=ContactResult.NO_ANSWER)
    with pytest.raises(InvalidInput, match="framtiden"):
        log_attempt(subject=patient, said=said, key=uuid.uuid4(), by=crc)


def test_whom_to_try_again_stands_on_the_worklist_until_the_next_try(page, url, patient, today):
    def waits():
        return "try to reach the participant again" in page.get(reverse("worklist")).content.decode()

    page.post(url("record-lost"), attempt(today, next_on=f"{today + timedelta(days=1):%d.%m.%Y}"))
    assert not waits()
    page.post(url("record-lost"), attempt(today, tried_clock="13.00", next_on=f"{today:%d.%m.%Y}"))
    assert waits()
    page.post(url("record-lost"), attempt(today, tried_clock="14.00", result="reached"))
    assert not waits()


def test_who_came_to_a_visit_since_is_not_to_be_tried_again(page, url, patient, today):
    page.post(url("record-lost"), attempt(today, next_on=f"{today:%d.%m.%Y}"))
    assert "BOD-001: try to reach" in page.get(reverse("worklist")).content.decode()
    visit = reverse("visit", args=[patient.study.oid, patient.number, "W2", 1])
    page.post(visit, {"act": "date", "happened_on": f"{today:%d.%m.%Y}"})
    assert "BOD-001: try to reach" not in page.get(reverse("worklist")).content.decode()


@pytest.mark.parametrize("act", ["attempt", "lost"])
def test_what_is_wrong_about_a_contact_is_said_once(page, url, act):
    answer = page.post(url("record-lost"), {"act": act, "tried_on": "", "day": ""})
    assert answer.status_code == 422 and answer.content.decode().count("data-error-summary") == 1


def test_the_samples_are_confirmed_destroyed(page, url, today):
    page.post(url("record-withdrawal"), answers(samples="Y", day=f"{today:%d.%m.%Y}", confirmed="yes"))
    task = SampleTask.objects.get()
    worklist = page.get(reverse("worklist")).content.decode()
    assert url("confirm-destroyed", task.pk) in worklist
    page.post(url("confirm-destroyed", task.pk), {"done_on": f"{today:%d.%m.%Y}", "confirmation": "Biobank 7"})
    task.refresh_from_db()
    assert task.done_on == today


def test_an_erasure_needs_the_number_typed_and_two_persons(
    page, url, sign_in, coordinator, data_manager, patient, today
):
    sent = answers(consent="Y", data_wish="erase", day=f"{today:%d.%m.%Y}", confirmed="yes")
    page.post(url("record-withdrawal"), sent)
    office = sign_in(coordinator, "en")
    assert url("erasure") in office.get(reverse("worklist")).content.decode()
    answer = office.post(url("erasure"), {"act": "confirm", "typed_number": "BOD-002"})
    assert answer.status_code == 422 and answer.content.decode().count("data-error-summary") == 1
    office.post(url("erasure"), {"act": "confirm", "typed_number": "bod-001", "exceptions": ""})
    assert Erasure.objects.get().first_confirmed_by == coordinator
    assert "Erase for good" not in office.get(url("erasure")).content.decode()
    second = sign_in(data_manager, "en")
    second.post(url("erasure"), {"act": "confirm", "typed_number": "BOD-001"})
    assert participation_of(patient).is_erased
    for name in ("erasure", "participation", "subject", "consent"):
        assert second.get(url(name)).status_code == 200
    assert "1949" not in second.get(url("subject")).content.decode()


def test_the_monitor_reads_and_is_offered_no_act(sign_in, monitor, url):
    html = sign_in(monitor, "en").get(url("participation")).content.decode()
    assert url("record-death") not in html and "History" in html


def test_the_page_asks_the_same_number_of_questions_however_much_happened(patient, crc, url, page, today):
    def asked():
        with CaptureQueriesContext(connection) as queries:
            page_of(SubjectAnswers(patient, definition_at(patient.site)), crc)
        return len(queries)

    def try_in_vain():
        page.post(url("record-lost"), attempt(today))

    try_in_vain()
    once = asked()
    for _ in range(5):
        try_in_vain()
    assert asked() == once
