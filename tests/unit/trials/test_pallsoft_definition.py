"""PALLSOFT's own definition: the facts of the registry, our defaults, the schedule, and who fits."""

import re
from datetime import date
from decimal import Decimal

import pytest

from crf.schedule import planned_events, timing
from tests.unit.trials.outside import Outside
from trials.eligibility import may_be_randomized, verdicts
from trials.evaluate import evaluate
from trials.subject_rules import facts_of, gates_of, is_shown, stratum_of
from trials.values import UNKNOWN

SYMPTOMS = ["PAIN", "BLEED", "BOWEL", "URINARY", "VAGINAL"]
# One row per form of the schedule: the visits where it stands.
PRO, QOL = ["SCREEN", "W2", "W4", "W8", "W12", "W24"], ["SCREEN", "W4", "W12", "W24"]
DOSED, ASSESSED = ["SCREEN", "RT", "W2", "W4", "W8", "W12", "W24"], ["SCREEN", "RT", "W4", "W8", "W12", "W24"]
SCHEDULE = {
    **{form: ["SCREEN"] for form in ["ELIG", "DM", "CH", "TS", "PLAN", "LB"]},
    "NRS": PRO,
    **dict.fromkeys(["CM", "OPI"], DOSED),
    **dict.fromkeys(["QLC", "QCR", "QPR", "QCX", "EQ5D"], QOL),
    "SAT": ["W12"],
    **dict.fromkeys(["EC", "TOX"], ASSESSED),
    **{form: ["RT"] for form in ["PT", "RTS", "RTF"]},
    "SF": ["W4"],
    "SMP": ["SCREEN", "W4"],
    "MR": ["SCREEN", "W12"],
    "RU": ["W4", "W12", "W24"],
    "VIS": ["RT", "W2", "W4", "W8", "W12", "W24"],
    "ST": ["W2", "W4", "W8", "W12", "W24", "SURV"],
    **{form: ["LOG"] for form in ["AE", "ORT"]},
}


@pytest.fixture(scope="session")
def pallsoft(definition):
    assert definition.study.oid == "PALLSOFT"
    return definition.study


def asked(study, form, **known):
    return evaluate(study, form, {}, {}, Outside(**known)).items


# The facts of the registry


def test_it_is_a_trial_of_200_in_two_arms(pallsoft):
    assert pallsoft.target == 200
    assert [(arm.code, arm.label.nb, arm.ratio, arm.source) for arm in pallsoft.arms] == [
        ("A", "1 × 8 Gy", 1, "registry"),
        ("B", "5 × 5 Gy", 1, "registry"),
    ]


def test_there_are_thirteen_inclusion_and_seven_exclusion_criteria_in_order(pallsoft):
    criteria = pallsoft.eligibility.criteria
    assert [c.oid for c in criteria] == [*(f"I{n}" for n in range(1, 14)), *(f"E{n}" for n in range(1, 8))]
    assert {c.source for c in criteria} == {"registry"}
    assert [c.oid for c in criteria if c.computed] == ["I4", "I6", "I7", "I10", "I13"]
    assert [c.oid for c in criteria if not c.blocks_randomization] == ["I13"]


def test_there_are_five_target_symptoms_and_a_score_for_each(pallsoft):
    assert list(pallsoft.code_list("SYMPTOM").codes) == SYMPTOMS
    scored = [item.oid for item in pallsoft.form("NRS").groups[1].items if item.kind == "nrs"]
    assert scored == ["NRS_PAIN", "NRS_BLEED", "NRS_BOWEL", "NRS_URIN", "NRS_VAG"]


def parts(part):
    """Everything in a definition that says where it comes from."""
    found = [part] if hasattr(part, "source") else []
    for value in vars(part).values():
        for one in value if isinstance(value, tuple) else [value]:
            found += parts(one) if hasattr(one, "__dataclass_fields__") else []
    return found


def test_nothing_claims_to_stand_in_the_protocol_for_the_protocol_could_not_be_had(pallsoft):
    assert not [part for part in parts(pallsoft) if part.source == "protocol"]


def test_what_was_not_found_is_marked_as_our_default(pallsoft):
    defaults = {(default.kind, default.oid) for default in pallsoft.defaults()}
    settings = {s.key: s.source for s in pallsoft.settings}
    ours = ["allocation_ratio", "baseline_max_age_days", "recall_days", "anchor_fallback_days", "anchor_late_days",
            "primary_timepoint", "noninferiority_margin", "second_fraction_from_day", "second_fraction_to_day",
            "ctcae_version", "qol_core", "sae_hours", "survival_until_months", "target_nrs_symptom"]  # fmt: skip
    assert {settings[key] for key in ours} == {"default"}
    assert {("Factor", factor.oid) for factor in pallsoft.strata} <= defaults
    assert {("StudyEventDef", event.oid) for event in pallsoft.events} <= defaults
    assert {("Gate", "G_NRS"), ("Gate", "G_QOL"), ("Gate", "G_PLAN"), ("Table", "OMED")} <= defaults
    assert pallsoft.anchor.source == "default"
    for form in ("NRS", "QLC", "EQ5D", "SAT", "SF", "MR", "LB", "RU", "VIS", "SMP"):
        assert ("FormDef", form) in defaults


def test_numbers_in_rules_are_those_of_the_settings(pallsoft):
    gate = next(gate for gate in pallsoft.gates if gate.oid == "G_NRS")
    assert gate.open_if.endswith(f"<= {pallsoft.setting('baseline_max_age_days')}")
    offered = pallsoft.form("SF").checks[0].violated_if
    days = [pallsoft.setting(f"second_fraction_{key}_day") for key in ("from", "to")]
    assert offered == "not {} <= days(fact.anchor_on, SF_OFFON) <= {}".format(*days)
    assert "{} <= days(fact.anchor_on, now.date) <= {}".format(*days) in pallsoft.form("SF").propose.when
    fall, least = pallsoft.setting("second_fraction_fall"), pallsoft.setting("second_fraction_nrs")
    assert pallsoft.item("SF_NRS").derived == f"SF_BASE - SF_NOW < {fall} and SF_NOW >= {least}"


def test_no_wording_of_a_licensed_questionnaire_is_shipped(pallsoft):
    names = {"QLC": "QLQ-C30", "QCR": "QLQ-CR29", "QPR": "QLQ-PR25", "QCX": "QLQ-CX24", "EQ5D": "EQ-5D-5L"}
    for form, name in names.items():
        asked = [item for group in pallsoft.form(form).groups[1:] for item in group.items if not item.derived]
        assert all(re.fullmatch(rf"{name} (item|dimension|scale) [0-9–]+", item.label.en) for item in asked)


@pytest.mark.parametrize(("form", "count"), [("QLC", 30), ("QCR", 29), ("QPR", 25), ("QCX", 24), ("EQ5D", 6)])
def test_questionnaires_have_their_number_of_items(pallsoft, form, count):
    asked = [item for group in pallsoft.form(form).groups[1:] for item in group.items if not item.derived]
    assert len(asked) == count


# The schedule


@pytest.mark.parametrize(("form", "events"), SCHEDULE.items())
def test_each_form_stands_at_the_visits_of_the_schedule(pallsoft, form, events):
    assert [event.oid for event in pallsoft.events_with(form) if event.oid not in ("SF4W", "UNS")] == events


def test_every_form_has_its_row_in_the_schedule(pallsoft):
    assert {form.oid for form in pallsoft.forms} == SCHEDULE.keys()


def test_visits_and_windows_count_from_the_first_fraction(pallsoft):
    windows = {e.oid: (e.day, e.before, e.after) for e in pallsoft.events if e.kind in ("scheduled", "repeating")}
    assert windows == {
        "W2": (14, 3, 3),
        "W4": (28, 5, 5),
        "W8": (56, 7, 7),
        "W12": (84, 7, 7),
        "W24": (168, 14, 14),
        "SURV": (273, 30, 30),
    }
    survival = pallsoft.event("SURV")
    assert (survival.every_days, survival.until_days) == (91, 730)


def test_easter_2027_moves_no_window(pallsoft):
    """S05: day 0 is 22 March, whatever is a holiday."""
    planned = {p.event_oid: p for p in planned_events(pallsoft, date(2027, 3, 22))}
    for event, target, first, last in [("W2", (4, 5), (4, 2), (4, 8)), ("W4", (4, 19), (4, 14), (4, 24)),
                                       ("W8", (5, 17), (5, 10), (5, 24))]:  # fmt: skip
        plan = planned[event]
        assert (plan.target_on, plan.window_from, plan.window_to) == tuple(
            date(2027, month, day) for month, day in (target, first, last)
        )
    assert timing(date(2027, 4, 8), planned["W2"].window_from, planned["W2"].window_to) == "in_window"


def test_survival_is_asked_every_three_months_to_24(pallsoft):
    days = [
        (p.target_on - date(2026, 1, 1)).days
        for p in planned_events(pallsoft, date(2026, 1, 1))
        if p.event_oid == "SURV"
    ]
    assert days == [273, 364, 455, 546, 637, 728]


@pytest.mark.parametrize(
    ("event", "form", "known", "shown"),
    [
        ("RT", "PT", {"subject__sex": "M"}, False),
        ("RT", "PT", {"subject__sex": "F", "ANY__DM_WOCBP": "N"}, False),
        ("RT", "PT", {"subject__sex": "F", "ANY__DM_WOCBP": "Y"}, True),
        ("RT", "PT", {"subject__sex": "F"}, True),
        ("W4", "SF", {"fact__arm": "B"}, False),
        ("W4", "SF", {"fact__arm": "A"}, True),
        ("W4", "QCR", {"ANY__CH_GROUP": "GI"}, True),
        ("W4", "QCR", {"ANY__CH_GROUP": "GYN"}, False),
        ("W4", "QCX", {"ANY__CH_GROUP": "GYN"}, True),
        ("W4", "QPR", {"ANY__CH_GROUP": "URO", "subject__sex": "M"}, True),
        ("W4", "QPR", {"ANY__CH_GROUP": "URO", "subject__sex": "F"}, False),
        ("W2", "OPI", {"W2__CM_OPI": "N"}, False),
    ],
)
def test_a_form_is_asked_of_those_it_concerns(pallsoft, event, form, known, shown):
    ref = next(ref for ref in pallsoft.event(event).forms if ref.form == form)
    assert is_shown(pallsoft, ref, Outside(**known)) is shown


@pytest.mark.parametrize(("arm", "days", "shown"), [("A", [0], False), ("A", [0, 30], True), ("B", [0] * 5, False)])
def test_toxicity_is_asked_again_after_a_second_fraction(pallsoft, arm, days, shown):
    outside = Outside(fact__arm=arm, RT__RTF_SECD=[Decimal(day) for day in days])
    assert is_shown(pallsoft, pallsoft.event("SF4W"), outside) is shown


# Who fits


FITS = {
    "ELIG_I1": "Y", "ELIG_I1WHY": "ADVANCED", "ELIG_I2": "PELVIS", "ELIG_I3": "RECURRENT", "ELIG_I5": "Y",
    "ELIG_I8": "NB", "ELIG_I9": "Y", "ELIG_I11": "Y", "ELIG_I12": "Y",
    **{f"ELIG_E{n}": "N" for n in range(1, 7)},
}  # fmt: skip
WORLD = {
    "subject__sex": "M",
    "subject__birth_year": Decimal(1949),
    "subject__consent_on": date(2026, 9, 1),
    "ANY__TS_TARGET": "PAIN",
    "ANY__CH_GROUP": "GI",
    "HERE__NRS_TGT": Decimal(6),
    "HERE__EC_ECOG": "2",
}


def judged(study, answers=FITS, **changes):
    found = verdicts(study, answers, {}, Outside(**(WORLD | changes)))
    return {verdict.criterion.oid: verdict.fits for verdict in found}, may_be_randomized(found)


def test_a_man_who_meets_every_criterion_may_be_randomised(pallsoft):
    fits, may = judged(pallsoft)
    assert set(fits.values()) == {True}
    assert may


@pytest.mark.parametrize("criterion", ["I1", "I5", "I9", "I11", "I12", "E1", "E2", "E3", "E4", "E5", "E6"])
def test_one_wrong_answer_is_enough(pallsoft, criterion):
    answers = FITS | {f"ELIG_{criterion}": "N" if criterion.startswith("I") else "Y"}
    fits, may = judged(pallsoft, answers)
    assert [oid for oid, fit in fits.items() if fit is False] == [criterion]
    assert not may


@pytest.mark.parametrize(("item", "code"), [("ELIG_I2", "NO"), ("ELIG_I3", "NONE"), ("ELIG_I8", "NEITHER")])
def test_a_choice_can_speak_against(pallsoft, item, code):
    assert not judged(pallsoft, FITS | {item: code})[1]


@pytest.mark.parametrize("code", ["NB", "EN", "BOTH"])
def test_norwegian_or_english_is_enough(pallsoft, code):
    assert judged(pallsoft, FITS | {"ELIG_I8": code})[1]


@pytest.mark.parametrize(("score", "fits"), [(3, False), (4, True), (10, True)])
def test_the_target_symptom_must_score_four(pallsoft, score, fits):
    assert judged(pallsoft, HERE__NRS_TGT=Decimal(score))[0]["I6"] is fits


@pytest.mark.parametrize(("ecog", "fits"), [("0", True), ("3", True), ("4", False)])
def test_ecog_is_three_at_most(pallsoft, ecog, fits):
    assert judged(pallsoft, HERE__EC_ECOG=ecog)[0]["I10"] is fits


@pytest.mark.parametrize(
    ("birth_year", "adult", "fits"),
    [
        (2007, None, True),
        (2008, "Y", True),
        (2008, "N", False),
        (2008, None, UNKNOWN),
        (2009, None, False),
        (2009, "Y", False),
    ],
)
def test_age_is_decided_by_years_and_asked_only_at_eighteen(pallsoft, birth_year, adult, fits):
    known = {"subject__adult_at_consent": adult} if adult else {}
    assert judged(pallsoft, subject__birth_year=Decimal(birth_year), **known)[0]["I7"] is fits


def test_an_unanswered_criterion_stands_in_the_way(pallsoft):
    answers = {oid: answer for oid, answer in FITS.items() if oid != "ELIG_E5"}
    assert judged(pallsoft, answers)[0]["E5"] is UNKNOWN
    assert not judged(pallsoft, answers)[1]


FERTILE = {"subject__sex": "F", "ANY__DM_WOCBP": "Y"}


def test_the_pregnancy_test_is_not_needed_to_randomise(pallsoft):
    fits, may = judged(pallsoft, FITS | {"ELIG_CONTRA": "Y", "ELIG_E7": "N"}, **FERTILE)
    assert fits["I13"] is UNKNOWN
    assert may


def test_a_pregnant_woman_is_excluded_and_no_man_is_asked(pallsoft):
    assert judged(pallsoft, FITS | {"ELIG_E7": "Y"}, **FERTILE)[0]["E7"] is False
    assert not judged(pallsoft, FITS, **FERTILE)[1]
    assert not {"ELIG_E7", "ELIG_CONTRA"} & asked(pallsoft, "ELIG", subject__sex="M")


@pytest.mark.parametrize(
    ("hours", "kind", "fits"), [("71.5", "SERUM", True), ("72.5", "SERUM", False), ("5", "URINE", False)]
)
def test_a_serum_test_within_72_hours_meets_the_criterion(pallsoft, hours, kind, fits):
    test = {"RT__PT_TYPE": kind, "RT__PT_RESULT": "NEG", "RT__PT_HOURS": Decimal(hours)}
    answers = FITS | {"ELIG_CONTRA": "Y", "ELIG_E7": "N"}
    assert judged(pallsoft, answers, **FERTILE, **test)[0]["I13"] is fits


# Gates and strata


READY = {
    "subject__consent_on": date(2026, 9, 1),
    "subject__sex": "M",
    "SCREEN__NRS_TGT": Decimal(6),
    "SCREEN__NRS_WHO": "ALONE",
    "SCREEN__NRS_ON": date(2026, 9, 3),
    "now__date": date(2026, 9, 10),
    "ANY__CH_GROUP": "GI",
    "ANY__TS_TARGET": "PAIN",
    "ANY__QLC_30": "5",
    "ANY__CR_WHO": "ALONE",
    "ANY__EQ_VAS": Decimal(60),
    "ANY__PLAN_ON": date(2026, 9, 15),
}


def shut(study, without=(), **changes):
    known = {ref: value for ref, value in (READY | changes).items() if ref not in without}
    return [gate.oid for gate, answer in gates_of(study, Outside(**known)) if not answer.is_true]


def test_all_gates_open_when_everything_is_there(pallsoft):
    assert shut(pallsoft) == []


@pytest.mark.parametrize(
    ("gate", "without", "changes"),
    [
        ("G_CONSENT", ["subject__consent_on"], {}),
        ("G_NRS", ["SCREEN__NRS_TGT"], {}),
        ("G_NRS", [], {"SCREEN__NRS_WHO": "PROXY"}),
        ("G_NRS", [], {"now__date": date(2026, 9, 18)}),
        ("G_NRS", [], {"now__date": date(2026, 9, 2)}),
        ("G_QOL", ["ANY__QLC_30"], {}),
        ("G_MODULE", ["ANY__CR_WHO"], {}),
        ("G_MODULE", [], {"ANY__CH_GROUP": "GYN"}),
        ("G_EQ5D", ["ANY__EQ_VAS"], {}),
        ("G_PLAN", ["ANY__PLAN_ON"], {}),
    ],
)
def test_each_gate_is_shut_by_what_it_is_about(pallsoft, gate, without, changes):
    assert shut(pallsoft, without, **changes) == [gate]


@pytest.mark.parametrize("changes", [
    {"SCREEN__NRS_WHO": "HELPED"}, {"now__date": date(2026, 9, 17)}, {"ANY__CR_NOT": "ILL"},
    {"ANY__CH_GROUP": "URO", "subject__sex": "F"}, {"ANY__CH_GROUP": "GYN", "ANY__CX_NOT": "REFUSED"},
])  # fmt: skip
def test_a_gate_opens_for_every_allowed_way(pallsoft, changes):
    without = ["ANY__CR_WHO"] if "ANY__CR_NOT" in changes or "ANY__CH_GROUP" in changes else []
    assert shut(pallsoft, without, **changes) == []


def test_quality_of_life_that_is_coded_missing_lets_randomisation_go_on(pallsoft):
    assert shut(pallsoft, ["ANY__QLC_30", "ANY__EQ_VAS"], ANY__QLC_NOT="ILL", ANY__EQ_NOT="ILL") == []


@pytest.mark.parametrize("target", SYMPTOMS)
@pytest.mark.parametrize("group", ["GI", "URO", "GYN"])
def test_a_stratum_is_cancer_group_and_pain_or_other(pallsoft, group, target):
    outside = Outside(ANY__CH_GROUP=group, ANY__TS_TARGET=target)
    assert stratum_of(pallsoft, outside) == f"{group}|{'PAIN' if target == 'PAIN' else 'OTHER'}"


def test_the_strip_shows_the_target_symptom_but_no_score(pallsoft):
    facts = facts_of(pallsoft, Outside(ANY__TS_TARGET="BLEED", ANY__CH_GROUP="GYN", ANY__PLAN_ON=date(2026, 9, 15)))
    assert facts == {"target_symptom": "BLEED", "cancer_group": "GYN", "planned_anchor_on": date(2026, 9, 15)}
