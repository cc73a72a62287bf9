"""S15: a second fraction in arm A: proposed, declined, given outside the criteria; further radiotherapy in arm B."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse
from django.utils.translation import override

from crf.entry.interruptions import AnswersNeeded
from crf.models import Deviation, FormData
from crf.selectors.secrets import proposal_betrays_arm
from crf.services import NEW, confirm_eligibility
from crf.waiting import proposed
from randomization.facts import arm_code
from randomization.services import confirm_late, report_late
from sites.clock import local_today
from sites.services import record_death
from tests.fixtures.by_hand import enter, scores, screening_answers, sealed
from tests.fixtures.leaving import died  # noqa: F401 - a fixture must stand in the module to be found

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("DAT-14")]
OSLO = ZoneInfo("Europe/Oslo")
CLEAN = {"TOX_BY": "Åse Lege"} | dict.fromkeys(
    ("TOX_DIARR", "TOX_PROCT", "TOX_RBLEE", "TOX_FINC", "TOX_OBSTR", "TOX_CYST", "TOX_HAEM", "TOX_FREQ", "TOX_UINC",
     "TOX_RETEN", "TOX_SKIN", "TOX_FATIG"), "1",
)  # fmt: skip
WHY = {"RTF_D5": "Legen valgte det likevel: økende smerter"}


@pytest.fixture
def today(bodo):
    return local_today(bodo.timezone)


@pytest.fixture
def patient(enrol, bodo, consent, crc, investigator, study, definition, statistician, coordinator, today):
    """patient("A"): baseline NRS 8, the first fraction 30 days ago, randomised by telephone and entered since."""

    def make(arm):
        sealed(study, definition, statistician, coordinator, "fallback", {"GI|PAIN": arm})
        day_0 = today - timedelta(days=30)
        signed = datetime.combine(day_0 - timedelta(days=8), datetime.min.time(), OSLO).replace(hour=9)
        subject = enrol(bodo, consent=consent(signed_at=signed))
        for form, values in screening_answers(signed.date(), nrs="8", planned=day_0).items():
            enter(subject, crc, "SCREEN", form, values, observed_at=signed + timedelta(hours=2))
        confirm_eligibility(subject=subject, by=investigator)
        happened = signed + timedelta(days=1)
        told = report_late(subject=subject, happened_at=happened, reason="nettet var nede", by=crc)
        confirm_late(entry=told, position=1, by=statistician)
        subject.refresh_from_db()
        assert arm_code(subject) == arm
        count, dose = ("1", "8") if arm == "A" else ("5", "5")
        plan = {"RTS_START": "Y", "RTS_TARGT": "PRIMARY", "RTS_PLANN": count, "RTS_PLAND": dose}
        enter(subject, crc, "RT", "RTS", plan)
        give(subject, crc, 1, day_0, dose)
        return subject

    return make


def give(subject, by, number, day, dose="8", **more):
    values = {"RTF_NO": str(number), "RTF_DATE": day.isoformat()}
    values |= {"RTF_STATUS": "GIVEN", "RTF_TIME": "09:30", "RTF_DOSE": dose}
    return enter(subject, by, "RT", "RTF", values, repeat_key=NEW, **more)


def week_4(subject, by, day, nrs, ecog="2", grades=None):
    enter(subject, by, "W4", "NRS", scores(day, nrs=nrs))
    if ecog:
        enter(subject, by, "W4", "EC", {"EC_ECOG": ecog, "EC_STOMA": "N", "EC_CATH": "N", "EC_NEPH": "N"})
    if grades is not None:
        enter(subject, by, "W4", "TOX", CLEAN | grades)


def told(user, subject):
    with override("en"):
        return [(item.sentence, item.url) for item in proposed(user, subject.study)]


def address(subject):
    return reverse("form", args=[subject.study.oid, subject.number, "W4", 1, "SF", "1"])


def decision(subject):
    return FormData.objects.get(subject=subject, form_oid="SF").data


def test_the_nurse_is_told_and_enters_that_the_patient_declined(patient, crc, monitor, outsider, sign_in, today):
    subject = patient("A")
    week_4(subject, crc, today - timedelta(days=2), "7", grades={})
    sentence = f"{subject.number}: The criteria for a second fraction are met."
    ((found, url),) = told(crc, subject)
    assert found.startswith(sentence) and url == address(subject)
    assert told(monitor, subject) == told(outsider, subject) == []
    assert sentence in sign_in(crc, "en").get("/").content.decode()
    page = sign_in(crc, "en").get(url).content.decode()
    assert "Criteria met" in page and 'id="item-SF_NOECO" hidden' in page

    answers = {"SF_OFF": "Y", "SF_OFFON": today.isoformat(), "SF_ANS": "DECLINED", "SF_DECW": "BURDEN"}
    enter(subject, crc, "W4", "SF", answers)
    stored = decision(subject)
    assert (stored["SF_BASE"], stored["SF_NOW"], stored["SF_MET"]) == ("8", "7", "Y")
    assert (stored["SF_OFF"], stored["SF_ANS"], stored["SF_DECW"]) == ("Y", "DECLINED", "BURDEN")
    assert (stored["SF_GIVEN"], stored["SF_GY"]) == ("N", "8.0")
    assert told(crc, subject) == []
    assert not Deviation.objects.exists()


def test_accepted_and_given_within_the_criteria_is_no_deviation(patient, crc, today):
    subject = patient("A")
    week_4(subject, crc, today - timedelta(days=2), "7", grades={})
    enter(subject, crc, "W4", "SF", {"SF_OFF": "Y", "SF_OFFON": today.isoformat(), "SF_ANS": "ACCEPTED"})
    give(subject, crc, 2, today)
    stored = decision(subject)
    assert (stored["SF_MET"], stored["SF_GIVEN"], stored["SF_DAY"], stored["SF_GY"]) == ("Y", "Y", "30", "16.0")
    assert not Deviation.objects.exists()
    again = subject.events.get(event_oid="SF4W")
    assert (again.target_on, again.window_from) == (today + timedelta(days=28), today + timedelta(days=21))


def test_within_the_criteria_no_order_of_entry_makes_a_deviation(patient, crc, today):
    subject = patient("A")
    week_4(subject, crc, today - timedelta(days=2), "7", grades={})
    give(subject, crc, 2, today, why={"RTF_C6": "Vurderingen føres etterpå"})
    enter(subject, crc, "W4", "SF", {"SF_OFF": "Y", "SF_OFFON": today.isoformat(), "SF_ANS": "ACCEPTED"})
    assert not Deviation.objects.exists()


def test_given_before_a_decision_that_the_criteria_forbid_is_flagged_when_it_is_entered(patient, crc, today):
    subject = patient("A")
    week_4(subject, crc, today - timedelta(days=2), "4", grades={})
    give(subject, crc, 2, today, why={"RTF_C6": "Vurderingen føres etterpå"})
    enter(subject, crc, "W4", "SF", {"SF_OFF": "N"}, why={"SF_C2": "Gitt på vakt"})
    assert [one.check_oid for one in Deviation.objects.all()] == ["RTF_D5"]


def test_given_outside_the_criteria_is_stored_and_flagged(patient, crc, today):
    subject = patient("A")
    week_4(subject, crc, today - timedelta(days=2), "4", grades={})
    assert told(crc, subject) == []
    enter(subject, crc, "W4", "SF", {"SF_OFF": "N"})
    with pytest.raises(AnswersNeeded) as asked:
        give(subject, crc, 2, today)
    assert [check.oid for check in asked.value.checks] == ["RTF_D5"]
    row = give(subject, crc, 2, today, why=WHY)
    assert row.data["RTF_DOSE"] == "8"
    assert [(one.check_oid, one.explanation) for one in Deviation.objects.all()] == [("RTF_D5", WHY["RTF_D5"])]
    stored = decision(subject)
    assert (stored["SF_MET"], stored["SF_OFF"], stored["SF_GIVEN"], stored["SF_GY"]) == ("N", "N", "Y", "16.0")


def test_what_is_missing_is_named_and_nothing_is_proposed(patient, crc, sign_in, today):
    subject = patient("A")
    week_4(subject, crc, today - timedelta(days=2), "7", ecog="")
    enter(subject, crc, "W2", "NRS", scores(today - timedelta(days=16), nrs="8"))
    assert told(crc, subject) == []
    page = sign_in(crc, "en").get(address(subject)).content.decode()
    assert "Cannot be judged: missing" in page
    for words, is_named in (
        ("ECOG at week 4", True),
        ("bladder toxicity at week 4", True),
        ("symptom at week 4", False),
    ):
        assert (f"{words} is missing" in page) is is_named


@pytest.mark.parametrize("language", ["nb", "en"])
def test_the_patients_page_never_speaks_of_what_follows_from_a_score(patient, crc, sign_in, today, language):
    subject = patient("A")
    week_4(subject, crc, today - timedelta(days=2), "7", grades={})
    place = [subject.study.oid, subject.number, "W4", 1, "NRS", "1"]
    page = sign_in(crc, language).get(reverse("form-patient", args=place))
    asked = re.sub(r"<[^>]*>", " ", page.content.decode()).lower()
    assert page.status_code == 200 and ("smerte" in asked or "pain" in asked)
    assert not re.search(r"fraksjon|fraction|strål|radioth|kriteri|criteria", asked)


def test_nothing_is_proposed_for_the_dead(patient, crc, died, today):  # noqa: F811
    subject = patient("A")
    week_4(subject, crc, today - timedelta(days=2), "7", grades={})
    assert told(crc, subject)
    record_death(subject=subject, facts=died(today), by=crc)
    assert told(crc, subject) == []


def test_who_may_not_see_the_arm_is_told_nothing(patient, crc, definition, monkeypatch, today):
    study = definition.study
    assert proposal_betrays_arm(study, study.form("SF"))
    subject = patient("A")
    week_4(subject, crc, today - timedelta(days=2), "7", grades={})
    monkeypatch.setattr("crf.selectors.proposals.sees_arm", lambda user, subject: False)
    assert told(crc, subject) == []


def test_further_radiotherapy_in_arm_b_is_other_pelvic_radiotherapy(patient, crc, sign_in, today):
    subject = patient("B")
    week_4(subject, crc, today - timedelta(days=2), "7", grades={})
    assert told(crc, subject) == []
    assert (
        "SF/1"
        not in sign_in(crc, "en")
        .get(reverse("visit", args=[subject.study.oid, subject.number, "W4", 1]))
        .content.decode()
    )
    other(subject, crc, today)
    assert not subject.events.filter(event_oid="SF4W").exists()
    assert [one.rule_oid for one in Deviation.objects.all()] == ["EARLY_OTHER_RT"]


def test_a_third_fraction_belongs_to_other_pelvic_radiotherapy(patient, crc, today):
    subject = patient("A")
    week_4(subject, crc, today - timedelta(days=9), "7", grades={})
    offered = today - timedelta(days=8)
    enter(subject, crc, "W4", "SF", {"SF_OFF": "Y", "SF_OFFON": offered.isoformat(), "SF_ANS": "ACCEPTED"})
    give(subject, crc, 2, offered)
    with pytest.raises(AnswersNeeded) as asked:
        give(subject, crc, 3, today)
    (check,) = asked.value.checks
    assert check.oid == "RTF_D6"
    other(subject, crc, today)
    assert decision(subject)["SF_GY"] == "16.0", "the dose of the trial is that of its own fractions"
    (early,) = Deviation.objects.all()
    assert (early.rule_oid, early.explanation) == ("EARLY_OTHER_RT", "Kraftig smerte, kunne ikke vente")


def other(subject, by, day):
    values = {"ORT_ON": day.isoformat(), "ORT_SITE": "PELVIS", "ORT_GY": "8", "ORT_N": "1", "ORT_WHY": "SYMPTOM"}
    why = {"ORT_D1": "Kraftig smerte, kunne ikke vente"}
    row = enter(subject, by, "LOG", "ORT", values, repeat_key=NEW, why=why)
    assert (row.data["ORT_ON"], row.data["ORT_GY"], row.data["ORT_ICE"]) == (day.isoformat(), "8", "Y")
