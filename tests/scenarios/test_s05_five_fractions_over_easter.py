"""S05: arm B over Easter, one fraction missed and made up. Easter 2026 has the weekdays and holidays of the story's
Easter 2027, 51 weeks earlier: what is entered as given must have happened.
"""

import uuid
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from crf.answers import SubjectAnswers
from crf.entry.interruptions import AnswersNeeded
from crf.models import Deviation, FormData
from crf.reminders.holding import next_opening
from crf.selectors.matrix import matrix_of
from crf.services import NEW, confirm_eligibility, void_form
from pallsoft.audit.models import ChangeSet
from randomization.facts import arm_code
from randomization.services import confirm_late, randomize, report_late
from sites.clock import database_now, local_today
from sites.selectors import definition_at
from tests.fixtures.by_hand import enter, scores, screening_answers, sealed

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("DAT-14")]
OSLO = ZoneInfo("Europe/Oslo")
DAY_0, EARLIER = date(2026, 3, 30), timedelta(weeks=51)
FIRST_THREE = [DAY_0 + timedelta(days=n) for n in range(3)]
HOLIDAYS = {date(2026, 4, 2), date(2026, 4, 3), date(2026, 4, 6)}
MISSED, LAST_TWO = date(2026, 4, 7), [date(2026, 4, 8), date(2026, 4, 9)]
# as the story says, for day 0 = 22 March 2027: {visit: (target, first day, last day)}
STORY = {
    "W2": (date(2027, 4, 5), date(2027, 4, 2), date(2027, 4, 8)),
    "W4": (date(2027, 4, 19), date(2027, 4, 14), date(2027, 4, 24)),
    "W8": (date(2027, 5, 17), date(2027, 5, 10), date(2027, 5, 24)),
}


def plan_of(subject):
    events = subject.events.filter(event_oid__in=STORY)
    return {e.event_oid: (e.target_on, e.window_from, e.window_to) for e in events}


@pytest.fixture
def in_arm_b(enrol, bodo, consent, crc, investigator, study, definition, statistician, coordinator):
    """Consented on 19 March 2026, randomised to arm B by telephone on 23 March, entered since."""
    sealed(study, definition, statistician, coordinator, "fallback", {"GI|PAIN": "B"})
    signed = datetime(2026, 3, 19, 9, tzinfo=OSLO)
    subject = enrol(bodo, consent=consent(signed_at=signed))
    for form, values in screening_answers(signed.date(), planned=DAY_0).items():
        enter(subject, crc, "SCREEN", form, values, observed_at=signed + timedelta(hours=2))
    confirm_eligibility(subject=subject, by=investigator)
    happened = datetime(2026, 3, 23, 12, tzinfo=OSLO)
    told = report_late(subject=subject, happened_at=happened, reason="nettet var nede", by=crc)
    confirm_late(entry=told, position=1, by=statistician)
    subject.refresh_from_db()
    assert arm_code(subject) == "B"
    return subject


@pytest.fixture
def fraction(in_arm_b, crc):
    def give(number, day, dose="5", **more):
        values = {"RTF_NO": str(number), "RTF_DATE": day.isoformat()}
        values |= (
            {"RTF_STATUS": "GIVEN", "RTF_TIME": "09:30", "RTF_DOSE": dose}
            if dose
            else {"RTF_STATUS": "MISSED", "RTF_WHY": "MACHINE"}
        )
        return enter(in_arm_b, crc, "RT", "RTF", values, repeat_key=NEW, **more)

    return give


@pytest.fixture
def course(in_arm_b, crc, fraction):
    """The whole of it: planned, three given, one missed, two given."""
    planned = {"RTS_START": "Y", "RTS_TARGT": "PRIMARY", "RTS_PLANN": "5", "RTS_PLAND": "5"}
    enter(in_arm_b, crc, "RT", "RTS", planned)
    for number, day in enumerate(FIRST_THREE, start=1):
        fraction(number, day)
    fraction(4, MISSED, dose="")
    for number, day in enumerate(LAST_TWO, start=4):
        fraction(number, day)
    return in_arm_b


def test_the_row_of_0_gy_asks_sets_no_day_0_and_is_taken_away_with_a_reason(in_arm_b, crc, fraction):
    with pytest.raises(AnswersNeeded) as asked:
        fraction(1, date(2026, 3, 27), dose="0")
    assert [check.oid for check in asked.value.checks] == ["RTF_C2"]
    row = fraction(1, date(2026, 3, 27), dose="0", why={"RTF_C2": "Bare feltkontroll"})
    assert anchor_of(in_arm_b) is None
    void_form(form=row, by=crc, reason="Feil rad: feltkontroll uten dose")
    kept = FormData.objects.get(pk=row.pk)
    removal = ChangeSet.objects.get(pk=kept.removed_in)
    assert (removal.reason, kept.data["RTF_DOSE"]) == ("Feil rad: feltkontroll uten dose", "0")
    fraction(1, DAY_0)
    assert anchor_of(in_arm_b).day == DAY_0


def test_a_first_fraction_that_comes_late_is_a_minor_deviation_and_nobody_is_asked_why(fraction, definition):
    fraction(1, date(2026, 3, 31))
    (late,) = Deviation.objects.all()
    assert (late.check_oid, late.rule_oid, late.explanation) == ("RTF_D7", "RT_LATE", "")
    assert definition.study.deviation_rule("RTF_D7").weight == "minor"


def test_visits_and_windows_are_those_of_the_story(course):
    expected = {oid: tuple(day - EARLIER for day in days) for oid, days in STORY.items()}
    assert plan_of(course) == expected
    assert not course.events.filter(event_oid__in=STORY, provisional=True).exists()


def test_the_dates_of_2027_stand_provisionally_from_the_planned_first_fraction(
    enrol, bodo, consent, crc, investigator, study, definition, statistician, coordinator
):
    sealed(study, definition, statistician, coordinator)
    today = local_today(bodo.timezone)
    subject = enrol(bodo, consent=consent(signed_at=database_now()))
    for form, values in screening_answers(today, planned=date(2027, 3, 22)).items():
        enter(subject, crc, "SCREEN", form, values, why={"PLAN_C1": "fra historien"})
    confirm_eligibility(subject=subject, by=investigator)
    randomize(subject=subject, key=uuid.uuid4(), by=crc, typed_number=subject.number)
    assert plan_of(subject) == STORY
    assert subject.events.filter(event_oid__in=STORY, provisional=True).count() == len(STORY)


def test_five_fractions_are_25_gy_and_one_made_up_later_is_no_deviation(course):
    totals = FormData.objects.get(form_oid="RTS").data
    assert (totals["RTS_N"], totals["RTS_GY"]) == ("5", "25.0")
    assert not Deviation.objects.exists()
    missed = FormData.objects.get(form_oid="RTF", data__RTF_STATUS="MISSED")
    assert (missed.data["RTF_WHY"], missed.data["RTF_GY"]) == ("MACHINE", "0.00")


def test_a_holiday_is_never_a_missed_fraction(course, crc):
    days = {
        date.fromisoformat(data["RTF_DATE"])
        for data in FormData.objects.filter(form_oid="RTF").values_list("data", flat=True)
    }
    assert not days & HOLIDAYS
    shown = matrix_of(SubjectAnswers(course, definition_at(course.site)), crc)
    radiotherapy = next(visit for visit in shown.visits if visit.event.event_oid == "RT")
    assert radiotherapy.event.window_from == DAY_0 and len(days) == 6


def days_of(answered, prefix):
    return tuple(answered.data[f"{prefix}_{day}"] for day in ("DAYR", "DAY", "DAYL"))


def test_days_since_randomisation_first_and_last_fraction_stand_with_each_answer(course, crc):
    answered = enter(course, crc, "W2", "NRS", scores(date(2026, 4, 13)))
    assert days_of(answered, "NRS") == ("21", "14", "4")
    at = datetime(2026, 4, 27, 11, tzinfo=OSLO)
    answered = enter(course, crc, "W4", "EQ5D", {"EQ_VAS": "60"}, observed_at=at)
    assert days_of(answered, "EQ") == ("35", "28", "18")


def test_a_later_fraction_changes_the_days_of_no_earlier_answer(course, crc, fraction):
    answered = enter(course, crc, "W2", "NRS", scores(date(2026, 4, 13)))
    fraction(6, date(2026, 4, 20), why={"RTF_D6": "gitt utenom planen"})
    answered.refresh_from_db()
    assert days_of(answered, "NRS") == ("21", "14", "4")
    assert days_of(enter(course, crc, "W4", "NRS", scores(date(2026, 4, 27))), "NRS") == ("35", "28", "7")


def test_an_answer_before_the_end_of_radiotherapy_is_flagged(course, crc):
    """Softly: the patient is asked nothing, the site sees it on the form."""
    answered = enter(course, crc, "W2", "NRS", scores(date(2026, 4, 8)))
    assert days_of(answered, "NRS") == ("16", "9", "0")
    assert "NRS_C2@1" in answered.marks["NRS_ON"]["checks"]
    in_time = enter(course, crc, "W4", "NRS", scores(date(2026, 4, 27)))
    assert "NRS_ON" not in in_time.marks


def test_no_message_leaves_on_the_seventeenth_of_may(definition):
    """W8 falls on it; what is due then leaves on the next working day, in the hours of the plan."""
    due = datetime(2027, 5, 17, 9, tzinfo=OSLO)
    leaves = next_opening(definition.study.reminders, due)
    assert leaves == datetime(2027, 5, 18, 8, tzinfo=OSLO)


def anchor_of(subject):
    return SubjectAnswers(subject, definition_at(subject.site)).anchor
