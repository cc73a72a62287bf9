"""Consent is given before the first study procedure, and holds until it is withdrawn (S01, S17)."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse

from crf.entry.interruptions import AnswersNeeded
from crf.models import Deviation, FormData, StudyEvent
from crf.services import record_visit_date, save_form
from pallsoft.errors import NotAllowedNow
from randomization.readiness import readiness_of
from randomization.services import randomize
from sites.clock import database_now
from sites.services import record_consent, withdraw_consent_option
from tests.fixtures.ready_for_pallsoft import pallsoft_list, screened  # noqa: F401

pytestmark = pytest.mark.django_db
SIGNED = datetime(2026, 9, 1, 8, 15, tzinfo=UTC)
ECOG = {"EC_STOMA": "N", "EC_CATH": "N", "EC_NEPH": "N", "EC_ECOG": "1"}


@pytest.fixture
def save(subject, crc):
    def save(observed_at, why=None, event=None):
        event = event or StudyEvent(study=subject.study, subject=subject, event_oid="SCREEN")
        return save_form(
            event=event, form_oid="EC", values=ECOG, why=why, seen_version=0, key=uuid.uuid4(), by=crc,
            observed_at=observed_at,
        )  # fmt: skip

    return save


def test_what_was_observed_before_consent_is_asked_about_and_stored_as_a_deviation(save):
    early = SIGNED - timedelta(minutes=1)
    with pytest.raises(AnswersNeeded) as asked:
        save(early)
    assert [check.oid for check in asked.value.checks] == ["EC_BEFORE_CONSENT"]
    assert not FormData.objects.exists()
    save(early, why={"EC_BEFORE_CONSENT": "Vurdert i poliklinikken før samtalen"})
    assert FormData.objects.get().observed_at == early
    found = Deviation.objects.get()
    assert (found.status, found.explanation) == ("proposed", "Vurdert i poliklinikken før samtalen")


@pytest.mark.parametrize("observed_at", [None, SIGNED, SIGNED + timedelta(hours=1)])
def test_what_came_after_consent_is_asked_nothing(save, observed_at):
    save(observed_at)
    assert not Deviation.objects.exists()


def test_a_visit_of_the_day_before_counts_where_no_time_is_told(save, subject, crc):
    visit = StudyEvent(study=subject.study, subject=subject, event_oid="SCREEN")
    visit = record_visit_date(event=visit, happened_on=SIGNED.date() - timedelta(days=1), by=crc)
    with pytest.raises(AnswersNeeded):
        save(None, event=visit)


def test_a_form_without_a_time_follows_the_visit_when_its_day_is_corrected(save, subject, crc):
    save(None)
    visit = StudyEvent.objects.get()
    visit.subject = subject
    record_visit_date(event=visit, happened_on=SIGNED.date() - timedelta(days=1), by=crc, reason="feil dag")
    assert Deviation.objects.get().check_oid == "EC_BEFORE_CONSENT"


def test_the_page_asks_why(sign_in, crc, subject):
    page = sign_in(crc, "nb")
    url = reverse("form", args=["PALLSOFT", subject.number, "SCREEN", 1, "EC", "1"])
    sent = {"key": str(uuid.uuid4()), "seen_version": "0", "observed_at": "1.9.26 09:00"} | ECOG
    asked = page.post(url, sent)
    assert asked.status_code == 422 and 'name="why-EC_BEFORE_CONSENT"' in asked.content.decode()
    assert "Observert før samtykket ble gitt" in asked.content.decode()
    sent |= {"key": str(uuid.uuid4()), "why-EC_BEFORE_CONSENT": "Vurdert før samtalen"}
    assert page.post(url, sent).status_code == 302


@pytest.mark.req("RND-01")
@pytest.mark.django_db(transaction=True)
def test_nobody_is_randomised_after_the_consent_is_withdrawn(screened, crc, sign_in, consent):  # noqa: F811
    patient = screened("GI", "PAIN")
    page = sign_in(crc, "en")
    url = reverse("subject", args=["PALLSOFT", patient.number])
    assert "Withdrawn" not in page.get(url).content.decode()
    main = patient.consent_options.get(option="MAIN")
    withdraw_consent_option(option=main, withdrawn_at=database_now(), by=crc, reason="pasientens ønske")
    assert ">Withdrawn<" in page.get(url).content.decode()
    assert [gate.oid for gate in readiness_of(patient).closed] == ["IN_SCREENING", "CONSENT"]
    with pytest.raises(NotAllowedNow):
        randomize(subject=patient, key=uuid.uuid4(), by=crc, typed_number=patient.number)
    record_consent(subject=patient, consent=consent(signed_at=database_now()), by=crc)
    randomize(subject=patient, key=uuid.uuid4(), by=crc, typed_number=patient.number)
