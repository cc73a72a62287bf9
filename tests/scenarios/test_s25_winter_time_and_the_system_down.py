"""S25: the night in which the clock goes back; a clinic day without the system, entered afterwards."""

import uuid
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.urls import reverse

from crf.models import Deviation, FormData
from crf.reminders.holding import next_opening
from crf.services import confirm_eligibility
from pallsoft.outbox.models import Message, State
from pallsoft.outbox.services import send_due
from randomization.readiness import readiness_of
from randomization.services import confirm_late, report_late
from sites.models import Sex
from sites.selectors import definition_at
from sites.services import withdraw_consent_option
from tests.fixtures.by_hand import enter, screening_answers, sealed
from tests.fixtures.leaving import REMINDER, reminder  # noqa: F401 - fixtures must stand in the module to be found

pytestmark = pytest.mark.django_db
OSLO = ZoneInfo("Europe/Oslo")


@pytest.fixture
def woman(enrol, bodo, crc):
    subject = enrol(bodo, birth_year=1984, sex=Sex.FEMALE)
    enter(subject, crc, "SCREEN", "DM", {"DM_VAG": "Y", "DM_MENO": "N", "DM_HYST": "N", "DM_OOPH": "N"})
    enter(subject, crc, "RT", "RTS", {"RTS_START": "Y"})
    return subject


@pytest.fixture
def send(woman, sign_in, crc):
    """Typed as the clock on the wall says."""
    page = sign_in(crc, "nb")

    def send(form, typed, key="1"):
        url = reverse("form", args=["PALLSOFT", woman.number, "RT", 1, form, key])
        return page.post(url, {"key": str(uuid.uuid4()), "seen_version": "0"} | typed)

    return send


def drawn_at(clock):
    return {"PT_DONE": "Y", "PT_TYPE": "SERUM", "PT_AT": f"23.10.2026 {clock}", "PT_RESULT": "NEG"}


FRACTION = {
    "RTF_NO": "1", "RTF_STATUS": "GIVEN", "RTF_DATE": "26.10.2026", "RTF_TIME": "09:30", "RTF_DOSE": "8"
}  # fmt: skip


@pytest.mark.req("DAT-09")
def test_71_hours_and_a_half_by_the_clock_are_72_and_a_half(send):
    assert send("PT", drawn_at("10:00")).status_code == 302
    assert send("RTF", FRACTION, key="new").status_code == 302
    assert FormData.objects.get(form_oid="PT").data["PT_HOURS"] == "72.5"
    assert [one.check_oid for one in Deviation.objects.all()] == ["PT_D2"]


def test_the_test_entered_afterwards_asks_why(send):
    send("RTF", FRACTION | {"why-RTF_D3": "Prøven er tatt, svaret føres etterpå"}, key="new")
    asked = send("PT", drawn_at("10:00"))
    assert asked.status_code == 422 and 'name="why-PT_D2"' in asked.content.decode()
    assert not FormData.objects.filter(form_oid="PT").exists()


def test_72_hours_are_within(send):
    send("PT", drawn_at("10:30"))
    send("RTF", FRACTION, key="new")
    assert FormData.objects.get(form_oid="PT").data["PT_HOURS"] == "72.0"
    assert not Deviation.objects.exists()


BOTH_HALF_PAST_TWO = [datetime(2026, 10, 25, 2, 30, tzinfo=OSLO, fold=fold) for fold in (0, 1)]


@pytest.mark.req("OPS-04")
def test_a_reminder_due_at_half_past_two_that_night_goes_once(woman, reminder):  # noqa: F811
    first, second = (reminder(woman, due_at=at) for at in BOTH_HALF_PAST_TWO)
    assert first == second
    for _ in range(2):
        send_due()
    assert [row.state for row in Message.objects.filter(kind=REMINDER)] == [State.SENT]
    assert [one.subject for one in mail.outbox] == ["PALLSOFT"]


@pytest.mark.req("OPS-04")
def test_whichever_half_past_two_is_meant_it_leaves_when_the_hours_of_the_plan_begin(bodo):
    hours = definition_at(bodo).reminders
    assert {next_opening(hours, at) for at in BOTH_HALF_PAST_TWO} == {datetime(2026, 10, 26, 8, tzinfo=OSLO)}


@pytest.mark.req("DAT-17")
def test_what_is_entered_afterwards_shows_when_it_was_observed_and_when_it_was_saved(woman, sign_in, crc):
    observed = datetime(2026, 9, 15, 14, 32, tzinfo=OSLO)
    row = enter(woman, crc, "RT", "EC", {"EC_ECOG": "1"}, observed_at=observed)
    page = sign_in(crc).get(reverse("form", args=["PALLSOFT", woman.number, "RT", 1, "EC", "1"]))
    html = page.content.decode().replace("\xa0", " ")
    saved = row.created_in.at.astimezone(OSLO)
    assert "15. sep. 2026 kl. 14.32" in html and f"{saved:kl. %H.%M}" in html and saved.date() > observed.date()


SCORED = datetime(2026, 9, 1, 10, tzinfo=OSLO)


@pytest.fixture
def told(enrol, bodo, consent, crc, investigator, study, definition, statistician, coordinator):
    """told(when): screened on 1 September, randomised by telephone at `when`, entered today."""
    sealed(study, definition, statistician, coordinator, "fallback")
    subject = enrol(bodo, consent=consent(signed_at=SCORED))
    for form, values in screening_answers(SCORED.date()).items():
        enter(subject, crc, "SCREEN", form, values, observed_at=SCORED + timedelta(hours=1))
    confirm_eligibility(subject=subject, by=investigator)

    def enter_late(when):
        entry = report_late(subject=subject, happened_at=when, reason="nettet var nede", by=crc)
        return confirm_late(entry=entry, position=1, by=statistician)

    enter_late.subject = subject
    return enter_late


@pytest.mark.req("RND-12")
@pytest.mark.parametrize(
    ("when", "gate"),
    [
        (datetime(2026, 9, 15, 23, 30, tzinfo=OSLO), "yes"),  # the 14th day, until midnight at the site
        (datetime(2026, 9, 16, 0, 30, tzinfo=OSLO), "no"),  # still the 15th in UTC
    ],
)
def test_the_age_of_the_score_counts_to_the_day_it_happened(told, when, gate):
    assert "G_NRS" in {one.oid for one in readiness_of(told.subject).closed}  # today it would be too old
    allocation = told(when)
    assert allocation.inputs["gates"]["G_NRS"] == gate
    assert allocation.inputs["gates"]["CONSENT"] == "yes" and allocation.happened_at == when


@pytest.mark.req("RND-12")
def test_a_consent_withdrawn_since_stood_when_it_happened(told, crc):
    main = told.subject.consent_options.get(option="MAIN")
    withdraw_consent_option(option=main, withdrawn_at=SCORED + timedelta(days=10), by=crc, reason="ønsket det")
    allocation = told(SCORED + timedelta(days=3))
    assert allocation.inputs["gates"]["CONSENT"] == "yes"
