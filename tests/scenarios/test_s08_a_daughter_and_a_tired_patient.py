"""S08: week 12 by telephone with a daughter who goes on; by link a tired patient ends it; three calls in vain."""

import re
import uuid
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from crf.epro.links import issue_link, link_for
from crf.models import FormData, LinkChannel, PersonalLink
from pallsoft.errors import InvalidInput, NotAllowedNow
from sites.clock import database_now
from sites.models import ContactResult, ContactWay, StopKind, ToldBy
from sites.participation import State, participation_of
from sites.services import Attempt, Withdrawal, log_attempt, record_lost, record_withdrawal
from tests.fixtures.by_hand import enter
from tests.fixtures.leaving import plan, today  # noqa: F401 - fixtures must stand in the module to be found

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("PRV-02")]
TWO_ANSWERS = {"NRS_BLEED": "6", "NRS_PAIN": "3"}
TOO_ILL = {"NRS_BOWEL": "ILL", "NRS_URIN": "ILL"}


@pytest.fixture
def patient(subject, crc, plan):  # noqa: F811
    """Week 12 is due, the next questionnaires open in two months; the target symptom is bleeding."""
    enter(subject, crc, "SCREEN", "DM", {"DM_VAG": "N"})
    enter(subject, crc, "SCREEN", "TS", {"TS_TARGET": "BLEED"})
    plan(subject, W12=0, W24=84)
    return subject


@pytest.fixture
def by_phone(patient, crc, today):  # noqa: F811
    """by_phone("NRS", {…}, who="PROXY"): entered by the nurse who interviews."""

    def entered(form, values, who="ALONE", prefix="NRS", missing=None, **more):
        about = {f"{prefix}_WHO": who, f"{prefix}_MODE": "PHONE", f"{prefix}_LANG": "NB"}
        if form == "NRS":
            about |= {"NRS_ON": str(today), "NRS_INTP": "N"}
        return enter(patient, crc, "W12", form, about | values, missing=missing or {}, **more)

    return entered


@pytest.fixture
def link(patient, crc):
    event = patient.events.select_related("subject__site", "subject__study").get(event_oid="W12")
    return re.sub(r"^https?://[^/]+", "", issue_link(event=event, channel=LinkChannel.SMS, by=crc).url)


@pytest.fixture
def phone(link):
    """The patient's own, opened with the year of birth."""
    browser = Client()
    browser.post(link, {"year": "1949"})
    browser.post(link, {"who": "alone"})
    return browser


def answer(browser, link, n, value):
    found = re.search(r'name="item" value="(\w+)"', browser.get(f"{link}{n}/").content.decode())
    return browser.post(f"{link}{n}/", {"item": found[1], found[1]: value})


def stored(patient, form):
    return FormData.objects.get(subject=patient, form_oid=form, event__event_oid="W12")


def worklist(sign_in, crc):
    return sign_in(crc, "nb").get(reverse("worklist")).content.decode()


def test_s08_two_answers_by_telephone_are_kept_and_the_rest_was_too_much(by_phone):
    row = by_phone("NRS", TWO_ANSWERS, missing=TOO_ILL)
    assert row.status == "complete" and row.data["NRS_MODE"] == "PHONE"
    assert (row.data["NRS_TGT"], row.missing_codes["NRS_URIN"]) == ("6", "ILL")


def test_s08_what_the_daughter_answers_is_marked_as_not_the_patients(by_phone, patient):
    own = by_phone("NRS", TWO_ANSWERS, missing=TOO_ILL)
    assert own.data["NRS_OWN"] == "Y"
    proxy = by_phone("QLC", {f"QLC_{n:02d}": "2" for n in range(1, 31)}, who="PROXY", prefix="QLC")
    assert proxy.data["QLC_WHO"] == "PROXY" and proxy.status == "complete"
    assert stored(patient, "NRS").data["NRS_WHO"] == "ALONE"  # who answered is told form by form


def test_s08_a_score_that_somebody_else_gave_does_not_count_in_the_primary_analysis(by_phone):
    scores = TWO_ANSWERS | {"NRS_BOWEL": "1", "NRS_URIN": "1", "NRS_HELP": "FAMILY"}
    row = by_phone("NRS", scores, who="PROXY")
    assert (row.data["NRS_TGT"], row.data["NRS_OWN"], row.data["NRS_HELP"]) == ("6", "N", "FAMILY")


def test_s08_the_interpreter_speaks_any_language_the_form_only_two(by_phone):
    with pytest.raises(InvalidInput):
        by_phone("NRS", TWO_ANSWERS | {"NRS_LANG": "TI"}, missing=TOO_ILL)
    row = by_phone("NRS", TWO_ANSWERS | {"NRS_INTP": "Y", "NRS_INTL": "tigrinja"}, missing=TOO_ILL)
    assert (row.data["NRS_LANG"], row.data["NRS_INTL"]) == ("NB", "tigrinja")


def test_s08_no_strength_left_keeps_what_was_answered_and_the_half_rule_decides(phone, link, patient):
    for n in range(1, 8):  # the four symptoms, and three of the five questions on physical functioning
        answer(phone, link, n, "2")
    phone.post(f"{link}stop/")
    core = stored(patient, "QLC")
    assert core.data["QLC_PF"] == "66.67" and "QLC_RF" not in core.data
    assert core.missing_codes["QLC_04"] == "ILL" and core.status == "complete"
    assert stored(patient, "EQ5D").data["EQ_NOT"] == "ILL"
    assert "Bare i dag" in phone.get(f"{link}stop/").content.decode()


def test_s08_only_today_asks_the_site_for_nothing_more(phone, link, sign_in, crc, patient):
    answer(phone, link, 1, "2")
    phone.post(f"{link}stop/")
    phone.post(f"{link}stop/", {"wish": "today"})
    assert "ingen flere skjemaer" not in worklist(sign_in, crc) and not patient.stops.exists()


def test_s08_for_good_is_a_call_of_the_site_and_only_the_site_stops_questionnaires(
    phone, link, sign_in, crc, patient, today  # noqa: F811
):  # fmt: skip
    phone.post(f"{link}stop/")
    phone.post(f"{link}stop/", {"wish": "for_good"})
    assert f"{patient.number}: ønsker ingen flere skjemaer" in worklist(sign_in, crc)
    assert not patient.stops.exists() and link_for(link.split("/")[2])
    kinds = frozenset({StopKind.QUESTIONNAIRES})
    said = Withdrawal(kinds=kinds, day=str(today), told_by=ToldBy.PARTICIPANT)
    record_withdrawal(subject=patient, said=said, by=crc)
    assert "ønsker ingen flere skjemaer" not in worklist(sign_in, crc)
    assert link_for(link.split("/")[2]) is None and PersonalLink.objects.get().stop_wish == "for_good"


def test_s08_three_calls_in_vain_before_the_contact_counts_as_lost(patient, crc, today):  # noqa: F811
    def ring():
        at = database_now() - timedelta(minutes=1)
        said = Attempt(tried_at=at, way=ContactWay.PHONE, result=ContactResult.NO_ANSWER)
        log_attempt(subject=patient, said=said, key=uuid.uuid4(), by=crc)

    for _ in range(3):
        with pytest.raises(NotAllowedNow):
            record_lost(subject=patient, day=str(today), by=crc)
        ring()
    record_lost(subject=patient, day=str(today), by=crc)
    assert participation_of(patient).state is State.LOST
