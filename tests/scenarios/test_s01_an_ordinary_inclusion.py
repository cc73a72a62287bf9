"""S01: an ordinary inclusion in Bodø through the services; tests/browser has the same day on the screen."""

import uuid

import pytest

from crf.models import FormData
from crf.selectors.eligibility import eligibility_of
from crf.services import confirm_eligibility
from pallsoft.audit.models import ChangeSet
from pallsoft.errors import NotAllowedNow
from pallsoft.outbox.models import Message
from pallsoft.recruitment import recruitment_of
from randomization.models import Allocation
from randomization.readiness import digest, readiness_of
from randomization.receipt import allocation_of, next_visits, receipt_for
from randomization.services import arm_for, randomize
from sites.clock import database_now, local_today
from sites.models import AgeBand, ScreeningOutcome, Sex, SubjectStatus
from sites.services import enrol_subject, log_screening
from tests.fixtures.by_hand import enter, screening_answers
from tests.fixtures.ready_for_pallsoft import pallsoft_list  # noqa: F401

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("RND-01")]
CLINIC = ("DM", "CH", "TS", "EC", "ELIG")
QUALITY_OF_LIFE = ("QLC", "QCR", "EQ5D")


@pytest.fixture
def today(bodo):
    return local_today(bodo.timezone)


@pytest.fixture
def screening(bodo, crc, today):
    return log_screening(
        site=bodo, screened_in=today, age_band=AgeBand.FROM_70, sex=Sex.FEMALE, key=uuid.uuid4(), by=crc
    )


@pytest.fixture
def woman(bodo, crc, consent, screening):
    signed = consent(signed_at=database_now())
    return enrol_subject(
        site=bodo, birth_year=1949, sex=Sex.FEMALE, consent=signed, screening_entry=screening,
        key=uuid.uuid4(), by=crc,
    )  # fmt: skip


def test_the_screening_log_becomes_a_subject_with_a_number_and_separate_ticks(woman, screening):
    screening.refresh_from_db()
    assert (woman.number, screening.outcome, screening.subject) == ("BOD-001", ScreeningOutcome.CONSENTED, woman)
    ticks = dict(woman.consent_options.values_list("option", "granted"))
    assert set(ticks) == {"MAIN", "BIOBANK", "GENETIC", "REGISTRY", "SHARING", "CONTACT"}
    assert ticks["MAIN"] and set(ticks.values()) == {True, False}


def test_what_is_computed_shows_where_it_comes_from(woman, crc, today):
    fill(woman, crc, today, CLINIC, {"NRS"})
    found = eligibility_of(woman)
    computed = [v for v in found.verdicts if v.criterion.computed and v.criterion.blocks_randomization]
    sources = {v.criterion.oid: " ".join(found.sources_of(v)) for v in computed}
    assert set(sources) == {"I4", "I6", "I7", "I10"} and found.fits
    assert "6" in sources["I6"] and "1949" in sources["I7"] and "2" in sources["I10"]


@pytest.mark.usefixtures("pallsoft_list")
def test_the_button_is_closed_until_the_patient_has_answered(woman, crc, investigator, today):
    fill(woman, crc, today, CLINIC, {"PLAN"})
    assert {"I6", "G_NRS", "G_QOL", "G_MODULE", "G_EQ5D"} <= closed(woman)
    with pytest.raises(NotAllowedNow):
        take(woman, crc)
    fill(woman, crc, today, {"NRS"})
    assert closed(woman) == {"G_QOL", "G_MODULE", "G_EQ5D", "CONFIRMED"}
    fill(woman, crc, today, QUALITY_OF_LIFE)
    assert closed(woman) == {"CONFIRMED"}
    confirm_eligibility(subject=woman, by=investigator)
    assert closed(woman) == set()


def test_a_questionnaire_that_is_missing_needs_its_reason(woman, crc, today):
    fill(woman, crc, today, CLINIC, {"PLAN", "NRS", "QCR", "EQ5D"})
    enter(woman, crc, "SCREEN", "QLC", {"QLC_NOT": "ILL"})
    assert "G_QOL" not in closed(woman)


@pytest.mark.req("RND-09")
def test_one_allocation_with_what_it_was_made_from(woman, crc, investigator, today, pallsoft_list, study, definition):  # noqa: F811
    fill(woman, crc, today, CLINIC, {"PLAN", "NRS"}, QUALITY_OF_LIFE)
    confirm_eligibility(subject=woman, by=investigator)
    sites = list(study.sites.all())
    before = recruitment_of(study, definition.study, sites, today).total
    allocation = take(woman, crc)
    assert recruitment_of(study, definition.study, sites, today).total == before + 1
    woman.refresh_from_db()
    assert (Allocation.objects.count(), woman.status) == (1, SubjectStatus.RANDOMIZED)
    assert allocation.stratum.code == "GI|PAIN" and arm_for(crc, woman).code == pallsoft_list["GI|PAIN"][0]
    assert allocation.inputs_sha256 == digest(allocation.inputs)
    assert allocation.inputs["answers"]["SCREEN.NRS_TGT"] == "6"
    assert set(allocation.inputs["gates"].values()) == {"yes"}
    receipt = receipt_for(crc, woman, allocation_of(woman))
    assert woman.number in receipt.record_line and "1949" not in receipt.record_line
    assert [label for label, _visit in next_visits(woman)]
    assert Message.objects.filter(kind="randomization.confirmed").exists()


@pytest.mark.usefixtures("pallsoft_list")
def test_consent_comes_before_data_and_the_score_before_the_allocation(woman, crc, investigator, today):
    fill(woman, crc, today, CLINIC, {"PLAN", "NRS"}, QUALITY_OF_LIFE)
    confirm_eligibility(subject=woman, by=investigator)
    allocation = take(woman, crc)
    score = FormData.objects.select_related("created_in").get(form_oid="NRS")
    consented = ChangeSet.objects.get(pk=woman.created_in_id)
    assert consented.action == "sites.enrol_subject"
    first_data = ChangeSet.objects.filter(action="crf.save_form").order_by("at").first()
    assert consented.at < first_data.at <= score.created_in.at < allocation.at


def fill(subject, by, day, *groups):
    wanted = {form for group in groups for form in group}
    for form, values in screening_answers(day).items():
        if form in wanted:
            enter(subject, by, "SCREEN", form, values)


def closed(subject):
    return {gate.oid for gate in readiness_of(subject).closed} - {"LIST"}


def take(subject, by):
    return randomize(subject=subject, key=uuid.uuid4(), by=by, typed_number=subject.number)
