"""Departures from the protocol in PALLSOFT's own forms: stored as they happened, asked about, proposed (S04)."""

import uuid
from datetime import UTC, datetime

import pytest
from django.core import mail

from crf.entry.interruptions import AnswersNeeded
from crf.models import Deviation, FormData, StudyEvent
from crf.services import Entry, confirm_eligibility, save_form, save_new_forms
from crf.services.alerts import KIND
from pallsoft.outbox.models import Message, State
from pallsoft.outbox.services import send_due
from randomization.services import randomize
from sites.clock import database_now, local_today
from sites.models import Sex
from sites.participation import participation_of
from sites.worklist import work_items
from tests.fixtures.by_hand import enter, screening_answers, sealed

pytestmark = pytest.mark.django_db(transaction=True)


FERTILE = {"DM_VAG": "Y", "DM_MENO": "N", "DM_HYST": "N", "DM_OOPH": "N"}


@pytest.fixture
def woman(enrol, bodo):
    return enrol(bodo, birth_year=1984, sex=Sex.FEMALE)


@pytest.fixture
def ready(enrol, bodo, consent, crc, investigator):
    """ready(DM={"DM_MENO": "N"}): a woman whose screening is complete, with what is said otherwise of some forms."""

    def screened(**otherwise):
        subject = enrol(bodo, consent=consent(signed_at=database_now()))
        for form, values in screening_answers(local_today(bodo.timezone)).items():
            enter(subject, crc, "SCREEN", form, values | otherwise.get(form, {}))
        confirm_eligibility(subject=subject, by=investigator)
        return subject

    return screened


@pytest.fixture
def save(woman, crc):
    def save(event_oid, form_oid, values, why=None):
        event = StudyEvent(study=woman.study, subject=woman, event_oid=event_oid)
        return save_form(
            event=event, form_oid=form_oid, values=values, why=why, seen_version=0, key=uuid.uuid4(), by=crc,
            observed_at=datetime(2026, 9, 15, 10, tzinfo=UTC),
        )  # fmt: skip

    return save


@pytest.fixture
def fertile(save):
    save("SCREEN", "DM", FERTILE)


FRACTION = {"RTF_NO": "1", "RTF_STATUS": "GIVEN", "RTF_DATE": "2026-09-15", "RTF_TIME": "09:30", "RTF_DOSE": "8"}


def test_a_dose_without_a_pregnancy_test_asks_why_and_is_stored(save, fertile):
    with pytest.raises(AnswersNeeded) as asked:
        save("RT", "RTF", FRACTION)
    assert [check.oid for check in asked.value.checks] == ["RTF_D3"]
    assert not FormData.objects.filter(form_oid="RTF").exists()
    save("RT", "RTF", FRACTION, why={"RTF_D3": "Glemt"})
    found = Deviation.objects.get()
    assert (found.check_oid, found.explanation, found.status) == ("RTF_D3", "Glemt", "proposed")


def test_a_test_that_turns_out_too_early_is_a_deviation_once_the_dose_is_known(save, fertile):
    save("RT", "PT", {"PT_DONE": "Y", "PT_TYPE": "SERUM", "PT_AT": "2026-09-12T06:00:00Z", "PT_RESULT": "NEG"})
    assert not Deviation.objects.exists()
    save("RT", "RTF", FRACTION)
    assert FormData.objects.get(form_oid="PT").data["PT_HOURS"] == "73.5"
    assert Deviation.objects.get().check_oid == "PT_D2"


POSITIVE = {"PT_DONE": "Y", "PT_TYPE": "SERUM", "PT_AT": "2026-09-14T06:00:00Z", "PT_RESULT": "POS"}


def test_a_positive_test_says_do_not_treat_on_both_forms_and_is_no_deviation(save, fertile, bodo):
    with pytest.raises(AnswersNeeded) as asked:
        save("RT", "PT", POSITIVE)
    assert [check.oid for check in asked.value.checks] == ["PT_C1"]
    save("RT", "PT", POSITIVE, why={"PT_C1": "Ansvarlig lege er varslet"})
    planned = {"RTF_NO": "1", "RTF_STATUS": "PLANNED", "RTF_DATE": str(local_today(bodo.timezone))}
    with pytest.raises(AnswersNeeded) as asked:
        save("RT", "RTF", planned)
    assert [check.oid for check in asked.value.checks] == ["RTF_C5"]
    assert not Deviation.objects.exists()


def test_a_positive_test_is_told_to_the_physicians_at_once_and_once_without_saying_what_it_is(
    save, fertile, woman, investigator, pi, coordinator
):
    save("RT", "PT", POSITIVE, why={"PT_C1": "Ansvarlig lege er varslet"})
    send_due()
    send_due()
    assert sorted(to for one in mail.outbox for to in one.to) == sorted([investigator.email, pi.email])
    for one in mail.outbox:
        assert woman.number in one.subject and "/forms/PT/1/" in one.body
        assert not any(word in one.subject + one.body for word in ("ositiv", "ravid", "1984"))


def test_a_test_corrected_in_time_is_told_to_nobody(save, fertile, woman, investigator, crc):
    save("RT", "PT", POSITIVE, why={"PT_C1": "Ansvarlig lege er varslet"})
    enter(woman, crc, "RT", "PT", {"PT_RESULT": "NEG"}, reason="feil svar lest")
    send_due()
    assert not mail.outbox and Message.objects.filter(kind=KIND, state=State.DROPPED).exists()


def test_a_batch_of_forms_tells_them_too(woman, fertile, investigator, crc):
    at = datetime(2026, 9, 15, 10, tzinfo=UTC)
    save_new_forms(subject=woman, entries=[Entry("RT", "PT", POSITIVE, at)], by=crc, why="varslet")
    assert Message.objects.filter(kind=KIND, recipient_id=investigator.pk).count() == 1


def waits(user, study):
    return [item.sentence for item in work_items(user, study) if "raviditetstest" in item.sentence]


def test_from_randomisation_on_the_worklist_says_that_a_test_is_needed_until_it_is_told(
    ready, crc, monitor, study, definition, statistician, coordinator
):
    sealed(study, definition, statistician, coordinator)
    subject = ready(DM=FERTILE, ELIG={"ELIG_E7": "N"})
    assert not waits(crc, study)
    randomize(subject=subject, key=uuid.uuid4(), by=crc, typed_number=subject.number)
    (said,) = waits(crc, study)
    assert said.startswith(subject.number) and "72 timer" in said
    assert not waits(monitor, study)
    enter(subject, crc, "RT", "PT", {"PT_DONE": "N"})
    assert not waits(crc, study)


def test_no_test_is_needed_of_a_woman_past_childbearing(ready, crc, study, definition, statistician, coordinator):
    sealed(study, definition, statistician, coordinator)
    subject = ready()
    randomize(subject=subject, key=uuid.uuid4(), by=crc, typed_number=subject.number)
    assert not waits(crc, study)


def test_after_a_positive_test_why_she_is_not_treated_is_recorded_and_she_stays_in_the_trial(save, fertile, woman):
    save("RT", "PT", POSITIVE, why={"PT_C1": "Ansvarlig lege er varslet"})
    save("RT", "RTS", {"RTS_START": "N", "RTS_NOTON": "2026-09-15", "RTS_NOTW": "PREGNANT"})
    course = FormData.objects.get(form_oid="RTS")
    assert (course.status, course.data["RTS_NOTW"]) == ("complete", "PREGNANT")
    assert participation_of(woman).state is None and not Deviation.objects.exists()


def test_no_man_is_asked_for_a_test(enrol, bodo, crc):
    man = enrol(bodo, birth_year=1984, sex=Sex.MALE)
    event = StudyEvent(study=man.study, subject=man, event_oid="RT")
    save_form(event=event, form_oid="RTF", values=FRACTION, seen_version=0, key=uuid.uuid4(), by=crc)
    assert not Deviation.objects.exists()
