"""Departures from the protocol in PALLSOFT's own forms: stored as they happened, asked about, proposed (S04)."""

import uuid
from datetime import UTC, datetime

import pytest

from crf.entry.interruptions import AnswersNeeded
from crf.models import Deviation, FormData, StudyEvent
from crf.services import save_form
from sites.clock import local_today
from sites.models import Sex
from sites.participation import participation_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def woman(enrol, bodo):
    return enrol(bodo, birth_year=1984, sex=Sex.FEMALE)


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
    save("SCREEN", "DM", {"DM_VAG": "Y", "DM_MENO": "N", "DM_HYST": "N", "DM_OOPH": "N"})


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
