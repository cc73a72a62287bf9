"""PALLSOFT's forms: what is asked of whom, what is computed, what is flagged. Each number has its scenario."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from tests.unit.trials.outside import Outside, deviations, form_says
from trials.evaluate import settled
from trials.scope import compiled
from trials.values import UNKNOWN

SYMPTOMS = ["PAIN", "BLEED", "BOWEL", "URINARY", "VAGINAL"]


@pytest.fixture(scope="session")
def pallsoft(definition):
    return definition.study


# Forms


NRS = {
    "NRS_ON": "2026-10-01",
    "NRS_WHO": "ALONE",
    "NRS_MODE": "TABLET",
    "NRS_LANG": "NB",
    "NRS_PAIN": "7",
    "NRS_BLEED": "2",
    "NRS_BOWEL": "3",
    "NRS_URIN": "4",
    "NRS_VAG": "5",
    "NRS_PAIN24": "6",
}


def test_men_get_no_vaginal_score_and_it_is_not_applicable_by_rule(pallsoft):
    outcome = form_says(pallsoft, "NRS", NRS, subject__sex="M")
    assert "NRS_VAG" not in outcome.items
    assert outcome.by_rule == {"NRS_VAG": "NA"}


@pytest.mark.parametrize(("anatomy", "asked"), [("Y", True), ("N", False), (None, True)])
def test_a_woman_is_asked_unless_anatomy_says_no(pallsoft, anatomy, asked):
    known = {"ANY__DM_VAG": anatomy} if anatomy else {}
    assert ("NRS_VAG" in form_says(pallsoft, "NRS", NRS, subject__sex="F", **known).items) is asked


@pytest.mark.parametrize(("target", "score"), list(zip(SYMPTOMS, ["7", "2", "3", "4", "5"], strict=True)))
def test_the_score_of_the_target_symptom_is_found(pallsoft, target, score):
    known = {"subject__sex": "F", "ANY__DM_VAG": "Y", "ANY__TS_TARGET": target}
    assert form_says(pallsoft, "NRS", NRS, **known).derived["NRS_TGT"] == score


@pytest.mark.parametrize(("target", "asked"), [("PAIN", True), ("BLEED", False)])
def test_the_last_24_hours_are_asked_when_pain_is_the_target(pallsoft, target, asked):
    assert ("NRS_PAIN24" in form_says(pallsoft, "NRS", NRS, ANY__TS_TARGET=target).items) is asked


def test_a_questionnaire_that_was_not_answered_asks_only_why(pallsoft):
    for form, prefix in [
        ("NRS", "NRS"),
        ("QLC", "QLC"),
        ("QCR", "CR"),
        ("QPR", "PR"),
        ("QCX", "CX"),
        ("EQ5D", "EQ"),
        ("SAT", "SAT"),
    ]:
        assert form_says(pallsoft, form, {f"{prefix}_NOT": "ILL"}).items == {f"{prefix}_NOT"}


QUESTIONNAIRES = {"NRS": "NRS", "QLC": "QLC", "QCR": "CR", "QPR": "PR", "QCX": "CX", "EQ5D": "EQ", "SAT": "SAT"}
COURSE = {
    "fact__randomized_on": date(2026, 9, 8),
    "fact__anchor_on": date(2026, 9, 15),
    "RT__RTF_ON": [date(2026, 9, 15), UNKNOWN, date(2026, 9, 21), date(2026, 10, 5)],
}


@pytest.mark.parametrize(("form", "prefix"), QUESTIONNAIRES.items())
def test_each_questionnaire_knows_its_days_from_randomisation_first_and_last_fraction(pallsoft, form, prefix):
    """The last fraction that had been given when it was answered: a later one changes nothing (S15)."""
    answered = date(2026, 10, 1)
    known = COURSE | {"event__oid": "W2", "form__observed_on": answered}
    derived = form_says(pallsoft, form, NRS if form == "NRS" else {}, **known).derived
    assert [derived[f"{prefix}_{day}"] for day in ("DAYR", "DAY", "DAYL")] == ["23", "16", "10"]


@pytest.mark.parametrize(("form", "prefix"), QUESTIONNAIRES.items())
def test_an_answer_of_the_day_counts_that_days_fraction_and_one_before_the_first_none(pallsoft, form, prefix):
    for answered, expected in [(date(2026, 9, 15), "0"), (date(2026, 9, 14), None)]:
        known = COURSE | {"event__oid": "RT", "form__observed_on": answered}
        answers = NRS | {"NRS_ON": answered.isoformat()} if form == "NRS" else {}
        assert form_says(pallsoft, form, answers, **known).derived.get(f"{prefix}_DAYL") == expected


def test_days_from_the_last_fraction_tell_the_arm_and_are_kept_from_who_may_not_see_it(pallsoft):
    assert all(pallsoft.item(f"{prefix}_DAYL").reveals_arm for prefix in QUESTIONNAIRES.values())


@pytest.mark.parametrize(
    ("answers", "wocbp"),
    [
        ({"DM_MENO": "Y"}, "N"),
        ({"DM_MENO": "N", "DM_HYST": "Y"}, "N"),
        ({"DM_MENO": "N", "DM_HYST": "N", "DM_OOPH": "Y"}, "N"),
        ({"DM_MENO": "N", "DM_HYST": "N", "DM_OOPH": "N"}, "Y"),
        ({"DM_MENO": "N"}, None),
    ],
)
def test_childbearing_potential_follows_from_three_questions(pallsoft, answers, wocbp):
    assert form_says(pallsoft, "DM", answers, subject__sex="F").derived.get("DM_WOCBP") == wocbp


def test_men_and_women_past_menopause_are_asked_no_more(pallsoft):
    men = form_says(
        pallsoft, "DM", {}, subject__sex="M", subject__birth_year=Decimal(1949), subject__consent_on=date(2026, 9, 1)
    )
    assert men.items == {"DM_SEX", "DM_AGE"}
    assert men.derived == {"DM_SEX": "M", "DM_AGE": "77"}
    assert not {"DM_HYST", "DM_OOPH"} & form_says(pallsoft, "DM", {"DM_MENO": "Y"}, subject__sex="F").items


@pytest.mark.parametrize(
    ("drug", "dose", "times", "morphine"),
    [
        ("MORPHINE_PO", "12.5", "2", "25.0"),
        ("OXYCODONE_PO", "12.5", "2", "37.5"),
        ("FENTANYL_TD", "25", None, "60.0"),
        ("OTHER", "10", "3", None),
    ],
)
def test_opioids_become_oral_morphine(pallsoft, drug, dose, times, morphine):
    answers = {"OPI_DRUG": drug, "OPI_DOSE": dose} | ({"OPI_N": times} if times else {})
    outcome = form_says(pallsoft, "OPI", answers)
    assert outcome.derived.get("OPI_OMED") == morphine
    assert ("OPI_N" in outcome.items) is (times is not None)


@pytest.mark.parametrize(
    ("opioids", "rows", "total"), [("N", [], "0.0"), ("Y", ["25", "37.5"], "62.5"), ("Y", [], None)]
)
def test_the_daily_dose_is_the_sum_of_all_opioids(pallsoft, opioids, rows, total):
    known = {"HERE__OPI_OMED": [Decimal(row) for row in rows], "HERE__OPI_DRUG": ["X"] * len(rows)}
    assert form_says(pallsoft, "CM", {"CM_OPI": opioids}, **known).derived.get("CM_OMED") == total


def test_a_table_row_stands_for_every_opioid_that_has_a_factor(pallsoft):
    assert set(pallsoft.code_list("OPIOID").codes) - set(pallsoft.table("OMED").values) == {"OTHER"}


# Toxicity, second fraction, radiotherapy


CLEAN = {
    item: "0"
    for item in (
        "TOX_DIARR",
        "TOX_PROCT",
        "TOX_RBLEE",
        "TOX_FINC",
        "TOX_OBSTR",
        "TOX_CYST",
        "TOX_HAEM",
        "TOX_FREQ",
        "TOX_UINC",
        "TOX_RETEN",
        "TOX_SKIN",
        "TOX_FATIG",
    )
}


@pytest.mark.parametrize(
    ("changes", "worst"),
    [
        ({}, "N"),
        ({"TOX_HAEM": "3"}, "Y"),
        ({"TOX_FATIG": "3"}, "N"),
        ({"TOX_UINC": "3"}, "Y"),
        ({"TOX_CYST": ""}, None),
    ],
)
def test_bowel_and_bladder_toxicity_of_grade_3_is_found(pallsoft, changes, worst):
    assert form_says(pallsoft, "TOX", CLEAN | changes, subject__sex="M").derived.get("TOX_BB3") == worst


def test_grades_are_never_preset_and_only_as_high_as_ctcae_has_them(pallsoft):
    graded = [item for item in pallsoft.form("TOX").items if item.kind == "code"]
    assert len(graded) == 15
    top = {item.oid: pallsoft.code_list(item.code_list).codes[-1] for item in graded}
    assert {oid for oid, grade in top.items() if grade == "2"} == {"TOX_FREQ", "TOX_VDISC"}
    assert {oid for oid, grade in top.items() if grade == "3"} == {"TOX_FINC", "TOX_UINC", "TOX_VDRY", "TOX_FATIG"}
    assert not [item for item in graded if item.derived]


@pytest.mark.parametrize(
    ("before", "now", "toxic", "ecog", "met"),
    [
        (8, 7, "N", "2", "Y"),  # S15 a
        (8, 4, "N", "2", "N"),  # S15 b: fell by 4
        (8, 6, "N", "2", "N"),  # fell by exactly 2
        (4, 4, "N", "2", "Y"),  # exactly 4
        (5, 4, "N", "3", "Y"),
        (4, 3, "N", "2", "N"),  # no longer 4
        (8, 7, "Y", "2", "N"),
        (8, 7, "N", "4", "N"),
        (8, 7, None, "2", None),  # not without toxicity
    ],
)
def test_the_criteria_of_a_second_fraction(pallsoft, before, now, toxic, ecog, met):
    known = {"SCREEN__NRS_TGT": Decimal(before), "HERE__NRS_TGT": Decimal(now), "HERE__EC_ECOG": ecog}
    known |= {"HERE__TOX_BB3": toxic} if toxic else {}
    assert form_says(pallsoft, "SF", {}, **known).derived.get("SF_MET") == met


SECOND = {
    "SCREEN__NRS_TGT": Decimal(8),
    "HERE__NRS_TGT": Decimal(7),
    "HERE__EC_ECOG": "2",
    "HERE__TOX_BB3": "N",
    "fact__arm": "A",
    "fact__anchor_on": date(2026, 9, 1),
    "now__date": date(2026, 9, 29),
}
LACKS = {
    "SF_NOBAS": "SCREEN__NRS_TGT",
    "SF_NONOW": "HERE__NRS_TGT",
    "SF_NOTOX": "HERE__TOX_BB3",
    "SF_NOECO": "HERE__EC_ECOG",
}


@pytest.mark.parametrize("gone", [["SF_NOBAS"], ["SF_NONOW"], ["SF_NOTOX"], ["SF_NOECO"], list(LACKS), []])
def test_what_is_missing_for_judging_a_second_fraction_is_named(pallsoft, gone):
    known = {ref: value for ref, value in SECOND.items() if ref not in {LACKS[oid] for oid in gone}}
    outcome = form_says(pallsoft, "SF", {}, **known)
    assert {oid for oid in LACKS if oid in outcome.items} == set(gone)
    assert ("SF_MET" in outcome.derived) is not gone


def test_a_second_fraction_that_one_criterion_forbids_can_be_judged_without_the_others(pallsoft):
    outcome = form_says(pallsoft, "SF", {}, SCREEN__NRS_TGT=Decimal(8), HERE__NRS_TGT=Decimal(2))
    assert outcome.derived["SF_MET"] == "N"
    assert not outcome.items & LACKS.keys()


def is_proposed(study, answers, **known):
    context = settled(study, "SF", answers, {}, Outside(**known))
    return compiled(study, study.form("SF").propose.when, "SF").evaluate(context) is True


@pytest.mark.parametrize(("day", "proposed"), [(13, False), (14, True), (42, True), (43, False)])
def test_the_decision_is_proposed_from_the_first_to_the_last_day_of_its_window(pallsoft, day, proposed):
    known = SECOND | {"now__date": SECOND["fact__anchor_on"] + timedelta(days=day)}
    assert is_proposed(pallsoft, {}, **known) is proposed


@pytest.mark.parametrize(
    ("answers", "known"),
    [
        ({"SF_OFF": "N"}, {}),
        ({}, {"HERE__TOX_BB3": "Y"}),
        ({}, {"HERE__NRS_TGT": Decimal(6)}),
        ({}, {"HERE__NRS_TGT": Decimal(3)}),
        ({}, {"HERE__EC_ECOG": "4"}),
    ],
)
def test_the_decision_is_not_proposed_when_it_is_taken_or_the_criteria_are_not_met(pallsoft, answers, known):
    assert not is_proposed(pallsoft, answers, **(SECOND | known))


def test_criteria_offer_answer_and_dose_are_four_items(pallsoft):
    answers = {"SF_OFF": "Y", "SF_OFFON": "2026-09-29", "SF_ANS": "DECLINED", "SF_DECW": "BURDEN"}
    declined = form_says(pallsoft, "SF", answers, **SECOND, RT__RTF_SECD=[Decimal(0)])
    assert (declined.derived["SF_MET"], declined.derived["SF_GIVEN"], declined.violated) == ("Y", "N", [])
    days = {"subject__consent_on": date(2026, 8, 20), "RT__RTF_SECD": [Decimal(0), Decimal(42)]}
    given = form_says(pallsoft, "SF", answers, **SECOND, **days)
    assert (given.derived["SF_GIVEN"], given.derived["SF_DAY"], given.violated) == ("Y", "30", ["SF_C2"])


@pytest.mark.parametrize(
    ("arm", "answers", "days"),
    [
        ("A", {"RTF_NO": "2"}, "14"),
        ("A", {"RTF_NO": "1"}, "0"),
        ("A", {"RTF_NO": "2", "RTF_STATUS": "PLANNED"}, "0"),
        ("A", {"RTF_NO": "3"}, "0"),
        ("B", {"RTF_NO": "2"}, "0"),
    ],
)
def test_the_second_fraction_is_the_given_row_of_that_number_in_arm_a(pallsoft, arm, answers, days):
    known = RANDOMIZED | {"fact__arm": arm}
    assert form_says(pallsoft, "RTF", GIVEN | answers, **known).derived["RTF_SECD"] == days


@pytest.mark.parametrize(
    ("site", "day", "known", "intercurrent"),
    [
        ("PELVIS", 91, {}, "Y"),
        ("PELVIS", 92, {}, "N"),
        ("PELVIS", 80, {"W12__NRS_ON": date(2026, 11, 19)}, "N"),
        ("PELVIS", 78, {"W12__NRS_ON": date(2026, 11, 19)}, "Y"),
        ("ELSEWHERE", 30, {}, "N"),
    ],
)
def test_other_pelvic_radiotherapy_before_the_score_of_week_12_is_intercurrent(
    pallsoft, site, day, known, intercurrent
):
    on = date(2026, 9, 1) + timedelta(days=day)
    answers = {"ORT_SITE": site, "ORT_ON": on.isoformat()}
    outcome = form_says(pallsoft, "ORT", answers, fact__anchor_on=date(2026, 9, 1), **known)
    assert outcome.derived["ORT_ICE"] == intercurrent


@pytest.mark.parametrize(("day", "outside"), [(13, True), (14, False), (42, False), (43, True)])
def test_an_offer_outside_its_days_is_a_deviation(pallsoft, day, outside):
    offered = date(2026, 9, 1).toordinal() + day
    answers = {"SF_OFF": "Y", "SF_OFFON": date.fromordinal(offered).isoformat()}
    fired = form_says(pallsoft, "SF", answers, fact__anchor_on=date(2026, 9, 1)).violated
    assert ("SF_D1" in fired) is outside


def test_everything_that_tells_the_arm_is_marked(pallsoft):
    for form in ("RTF", "SF"):
        assert all(item.reveals_arm for item in pallsoft.form(form).items)
    secret = {item.oid for item in pallsoft.form("RTS").items if item.reveals_arm}
    assert secret == {"RTS_PLANN", "RTS_PLAND", "RTS_N", "RTS_GY"}


GIVEN = {"RTF_NO": "1", "RTF_STATUS": "GIVEN", "RTF_DATE": "2026-09-15", "RTF_TIME": "09:30", "RTF_DOSE": "8"}
RANDOMIZED = {
    "fact__arm": "A",
    "fact__randomized_on": date(2026, 9, 10),
    "subject__consent_on": date(2026, 9, 1),
    "subject__sex": "M",
    "now__date": date(2026, 9, 20),
}


def test_a_fraction_as_planned_is_no_deviation(pallsoft):
    assert form_says(pallsoft, "RTF", GIVEN, **RANDOMIZED).violated == []


@pytest.mark.parametrize(
    ("check", "answers", "known"),
    [
        ("RTF_D1", {}, {"subject__consent_on": date(2026, 9, 16)}),
        ("RTF_D2", {}, {"fact__randomized_on": date(2026, 9, 16)}),
        ("RTF_D3", {}, {"subject__sex": "F", "ANY__DM_WOCBP": "Y"}),
        ("RTF_D4", {"RTF_DOSE": "5"}, {}),
        ("RTF_D4", {}, {"fact__arm": "B"}),
        ("RTF_D5", {"RTF_NO": "2"}, {"W4__SF_OFF": "Y"}),  # decided, and could not be judged
        ("RTF_D5", {"RTF_NO": "2"}, {"W4__SF_MET": "N"}),
        ("RTF_D6", {"RTF_NO": "3"}, {}),
        ("RTF_D7", {}, {"fact__randomized_on": date(2026, 9, 7)}),
    ],
)
def test_a_dose_is_stored_as_it_was_and_flagged(pallsoft, check, answers, known):
    assert deviations(pallsoft, "RTF", GIVEN | answers, **(RANDOMIZED | known)) == [check]


def test_the_seventh_day_after_randomisation_is_in_time(pallsoft):
    known = RANDOMIZED | {"fact__randomized_on": date(2026, 9, 8)}
    assert deviations(pallsoft, "RTF", GIVEN, **known) == []


def test_a_second_fraction_entered_before_its_decision_asks_for_the_decision(pallsoft):
    assert form_says(pallsoft, "RTF", GIVEN | {"RTF_NO": "2"}, **RANDOMIZED).violated == ["RTF_C6"]


def test_a_second_fraction_within_criteria_is_no_deviation(pallsoft):
    assert deviations(pallsoft, "RTF", GIVEN | {"RTF_NO": "2"}, **RANDOMIZED, W4__SF_MET="Y") == []


@pytest.mark.parametrize(
    ("answers", "gray", "counts"),
    [
        ({}, "8.00", "1"),
        ({"RTF_DOSE": "0"}, "0.00", "0"),
        ({"RTF_STATUS": "MISSED"}, "0.00", "0"),
        ({"RTF_STATUS": "PARTIAL", "RTF_DOSE": "3.5"}, "3.50", "1"),
    ],
)
def test_only_dose_that_was_given_counts(pallsoft, answers, gray, counts):
    derived = form_says(pallsoft, "RTF", GIVEN | answers, **RANDOMIZED).derived
    assert (derived["RTF_GY"], derived["RTF_ANY"]) == (gray, counts)
    assert (derived["RTF_DAY"] == "0") is (counts == "0")


@pytest.mark.parametrize(
    ("taken", "fired"),
    [("2026-10-23T08:00:00Z", ["PT_D2"]), ("2026-10-23T09:00:00Z", []), ("2026-10-26T12:00:00Z", ["PT_D3"])],
)
def test_the_72_hours_are_true_hours_over_the_night_of_the_clock_change(pallsoft, taken, fired):
    """S25: first fraction on Monday 26 October 2026 at 09.30; clocks went back on Sunday."""
    first = datetime(2026, 10, 26, 9, 30, tzinfo=ZoneInfo("Europe/Oslo")).astimezone(UTC)
    answers = {"PT_DONE": "Y", "PT_TYPE": "SERUM", "PT_AT": taken, "PT_RESULT": "NEG"}
    known = {"fact__anchor_on": date(2026, 10, 26), "fact__anchor_at": first}
    assert deviations(pallsoft, "PT", answers, **known) == fired


def test_a_pregnancy_test_that_was_not_done_is_coded_so(pallsoft):
    outcome = form_says(pallsoft, "PT", {"PT_DONE": "N"})
    assert outcome.by_rule == {"PT_TYPE": "ND", "PT_AT": "ND", "PT_RESULT": "ND"}
    assert "PT_HOURS" not in outcome.derived


@pytest.mark.parametrize(
    ("kind", "last", "fired"),
    [
        ("CHEMO", "2026-09-10", ["SY_D1"]),
        ("CHEMO", "2026-09-08", []),
        ("ENDOCRINE", "2026-09-10", []),
    ],
)
def test_systemic_treatment_pauses_a_week_before(pallsoft, kind, last, fired):
    answers = {"SY_ANY": "Y", "SY_TYPE": kind, "SY_LAST": last}
    assert deviations(pallsoft, "CM", answers, event__oid="RT", fact__anchor_on=date(2026, 9, 15)) == fired


@pytest.mark.parametrize(("last", "fired"), [("2026-10-09", ["SY_D3"]), ("2026-10-08", [])])
def test_the_pause_is_asked_again_for_a_second_fraction(pallsoft, last, fired):
    known = RANDOMIZED | {"event__oid": "SF4W", "RT__RTF_SECD": [Decimal(0), Decimal(44)]}  # 15 October
    answers = {"SY_ANY": "Y", "SY_TYPE": "CHEMO", "SY_LAST": last}
    assert deviations(pallsoft, "CM", answers, **known) == fired


@pytest.mark.parametrize(("again", "fired"), [("2026-09-21", ["SY_D2"]), ("2026-09-22", [])])
def test_systemic_treatment_pauses_a_week_after(pallsoft, again, fired):
    known = {
        "event__oid": "W2",
        "subject__consent_on": date(2026, 9, 1),
        "RT__RTF_DAY": [Decimal(14)],
        "RT__RTF_GY": [Decimal(8)],
    }
    assert deviations(pallsoft, "CM", {"SY_ANY": "Y", "SY_TYPE": "CHEMO", "SY_NEXT": again}, **known) == fired


def test_a_late_report_of_a_serious_event_is_a_deviation(pallsoft):
    answers = {"AE_SER": "Y", "AE_AWARE": "2026-09-19T08:00:00Z", "AE_SENT": "2026-09-22T08:00:00Z"}
    assert deviations(pallsoft, "AE", answers) == ["AE_D1"]
    assert form_says(pallsoft, "AE", answers).derived["AE_HRS"] == "72.0"


def test_a_corrected_target_below_four_keeps_the_patient_and_is_a_deviation(pallsoft):
    known = {"fact__randomized_on": date(2026, 9, 10), "SCREEN__NRS_TGT": Decimal(2)}
    assert deviations(pallsoft, "TS", {"TS_TARGET": "BLEED"}, **known) == ["TS_D1"]
    assert deviations(pallsoft, "TS", {"TS_TARGET": "BLEED"}, SCREEN__NRS_TGT=Decimal(2)) == []


def test_days_to_come_are_refused_where_only_the_past_can_be(pallsoft):
    for form, item, check in [
        ("NRS", "NRS_ON", "NRS_C1"),
        ("RTF", "RTF_DATE", "RTF_C1"),
        ("ST", "ST_ON", "ST_C2"),
        ("AE", "AE_ON", "AE_C6"),
    ]:
        answers = {item: "2026-09-21"} | ({"RTF_STATUS": "GIVEN"} if form == "RTF" else {})
        assert check in form_says(pallsoft, form, answers, now__date=date(2026, 9, 20)).violated
        assert next(one for one in pallsoft.form(form).checks if one.oid == check).severity == "hard"


@pytest.mark.parametrize(
    ("form", "answers", "not_asked"),
    [
        ("NRS", NRS, {"NRS_NOT", "NRS_HELP", "NRS_INTP", "NRS_INTL"}),
        ("RTS", {"RTS_START": "Y", "RTS_TARGT": "PRIMARY"}, {"RTS_EARLW", "RTS_NOTW"}),
        ("SF", {"SF_OFF": "N"}, {"SF_NOTW", "SF_ANS", "SF_OFFON", "SF_DECW"}),
    ],
)
def test_a_form_is_complete_without_what_was_not_to_be_asked(pallsoft, form, answers, not_asked):
    shown = form_says(pallsoft, form, answers, event__oid="W4").items
    required = {item.oid for item in pallsoft.form(form).items if item.required}
    assert not required & shown & not_asked


@pytest.mark.parametrize(("arm", "fired"), [("A", False), ("B", True)])
def test_an_answer_before_the_end_of_radiotherapy_is_flagged_but_not_one_before_a_second_fraction(pallsoft, arm, fired):
    known = {"event__oid": "W2", "fact__arm": arm, "subject__consent_on": date(2026, 9, 1)}
    known |= {"RT__RTF_GY": [Decimal(8), Decimal(8)], "RT__RTF_DAY": [Decimal(14), Decimal(45)]}
    assert ("NRS_C2" in form_says(pallsoft, "NRS", NRS, **known).violated) is fired
