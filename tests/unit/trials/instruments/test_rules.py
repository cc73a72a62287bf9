"""The rules of scoring: half of a scale, what is refused, range and direction, and what is not scored at all."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trials.instruments import Score, instrument_named, instruments, score, score_scale

LINEAR = [name for name in instruments() if name.startswith("QLQ")]
BETTER_HIGH = {"function", "quality", "summary", "index", "rating"}
WORDLESS = {"QLQ-C30 3.0": 30, "QLQ-C15-PAL 1": 15, "QLQ-PR25 1": 25, "QLQ-CR29 1": 28, "QLQ-CX24 1": 24}


def limits(name):
    return instrument_named(name).limits


@st.composite
def answered(draw, names=LINEAR, complete=False):
    """(instrument, answers): some or all of its items."""
    name = draw(st.sampled_from(names))
    one = {item: st.sampled_from(range_) for item, range_ in limits(name).items()}
    return name, draw(st.fixed_dictionaries(one) if complete else st.fixed_dictionaries({}, optional=one))


def test_all_instruments_can_be_read_and_say_their_source():
    assert instruments() == [
        "EQ-5D-5L NO-2024", "PRO-CTCAE 1", "QLQ-C15-PAL 1", "QLQ-C30 3.0", "QLQ-CR29 1", "QLQ-CX24 1", "QLQ-PR25 1",
    ]  # fmt: skip
    for name in instruments():
        found = instrument_named(name)
        assert (f"{found.code} {found.version}", len(found.source) > 40) == (name, True)


@pytest.mark.parametrize("name", instruments())
def test_the_items_of_a_scale_exist_are_answered_alike_and_belong_to_one_scale(name):
    found = instrument_named(name)
    for scale in found.scales:
        ranges = {found.limits[item] for item in scale.items}
        assert len(ranges) == 1 and len(set(scale.items)) == len(scale.items), scale.code
    parts = [item for scale in found.scales if scale.kind != "summary" for item in scale.items]
    assert sorted(parts) == sorted(found.limits)


@pytest.mark.parametrize(("name", "count"), WORDLESS.items())
def test_an_eortc_questionnaire_has_its_items_by_number(name, count):
    numbers = {str(n) for n in range(1, count + 1)} if "CR29" not in name else {str(n) for n in range(1, 30)} - {"18"}
    assert set(limits(name)) == numbers and len(numbers) == count


def test_a_summary_is_over_the_items_of_its_scales():
    found = instrument_named("QLQ-C30 3.0")
    (summary,) = [scale for scale in found.scales if scale.of]
    assert sorted(summary.items) == sorted(item for code in summary.of for item in found.scale(code).items)
    assert {scale.code for scale in found.scales} - set(summary.of) == {"QL", "FI", "SUMMARY"}


# The half rule


@pytest.mark.parametrize(
    ("code", "answered", "value"),
    [
        ("PF", 5, 100), ("PF", 3, 100), ("PF", 2, None), ("EF", 2, 100), ("EF", 1, None), ("FA", 2, 0), ("FA", 1, None),
        ("RF", 1, 100), ("RF", 0, None), ("DY", 1, 0), ("DY", 0, None),
    ],
)  # fmt: skip
def test_a_scale_has_a_score_when_at_least_half_of_it_is_answered(code, answered, value):
    items = instrument_named("QLQ-C30 3.0").scale(code).items
    found = score_scale("QLQ-C30 3.0", code, dict.fromkeys(items[:answered], 1))
    assert found == Score(value, answered, len(items), "QLQ-C30", "3.0")


def test_the_summary_needs_each_of_its_thirteen_scales():
    answers = dict.fromkeys(limits("QLQ-C30 3.0"), 2)
    without_global_and_financial = {item: n for item, n in answers.items() if item not in ("28", "29", "30")}
    assert score("QLQ-C30 3.0", without_global_and_financial)["SUMMARY"].value is not None
    assert score("QLQ-C30 3.0", answers | {"17": None})["SUMMARY"] == Score(None, 26, 27, "QLQ-C30", "3.0")


@given(answered())
def test_the_half_rule_holds_for_every_scale(case):
    name, answers = case
    for code, found in score(name, answers).items():
        if instrument_named(name).scale(code).kind != "summary":
            assert (found.value is None) is (2 * found.n_answered < found.n_items)


def test_an_index_needs_all_five_dimensions_and_the_vas_stands_apart():
    found = score("EQ-5D-5L NO-2024", {"MO": 1, "SC": 1, "UA": 1, "PD": 1, "VAS": 0})
    assert (found["INDEX"].value, found["INDEX"].n_answered, found["VAS"].value) == (None, 4, 0)


# What is refused


@pytest.mark.parametrize(
    ("name", "answers"),
    [
        ("QLQ-C30 3.0", {"1": 0}), ("QLQ-C30 3.0", {"1": 5}), ("QLQ-C30 3.0", {"29": 8}), ("QLQ-C30 3.0", {"31": 1}),
        ("QLQ-C30 3.0", {"1": Decimal("2.5")}), ("QLQ-C30 3.0", {"1": Decimal("NaN")}), ("QLQ-CR29 1", {"18": 1}),
        ("EQ-5D-5L NO-2024", {"MO": 6}), ("EQ-5D-5L NO-2024", {"VAS": 101}), ("PRO-CTCAE 1", {"9A": 5}),
        ("PRO-CTCAE 1", {"5A": 1}),
    ],
)  # fmt: skip
def test_an_answer_or_an_item_that_does_not_exist_is_refused(name, answers):
    with pytest.raises(ValueError, match=r"is not an answer from|scores no item"):
        score(name, answers)


def test_an_unknown_instrument_version_or_scale_is_refused():
    with pytest.raises(LookupError, match="is not an instrument: known are"):
        score("QLQ-C30 2.0", {})
    with pytest.raises(LookupError, match=r"is not a scale of QLQ-C30 3\.0: it has QL, PF"):
        score_scale("QLQ-C30 3.0", "XX", {})


@pytest.mark.parametrize(
    ("name", "codes"),
    [("QLQ-PR25 1", ["SAC", "SFU"]), ("QLQ-CR29 1", ["SEXM", "SEXW"]), ("QLQ-CX24 1", ["BI", "SV", "SXA", "SXE"])],
)
def test_scales_whose_direction_no_source_settles_have_no_score(name, codes):
    everything = dict.fromkeys(limits(name), 1)
    for code in codes:
        with pytest.raises(LookupError, match="cannot be scored yet: the public code"):
            score_scale(name, code, everything)
    every = {scale.code for scale in instrument_named(name).scales}
    assert every - score(name, everything).keys() == set(codes)


# Range and direction


@given(answered(names=instruments()))
def test_a_score_lies_in_its_range(case):
    name, answers = case
    for code, found in score(name, answers).items():
        kind = instrument_named(name).scale(code).kind
        low, high = {"index": (Decimal("-0.453"), 1), "grade": (0, 3)}.get(kind, (0, 100))
        assert found.value is None or low <= found.value <= high


@given(st.data())
def test_more_trouble_never_makes_a_score_better(data):
    """Raise one answer: quality of life and VAS go up, all else gets worse or stays."""
    name, answers = data.draw(answered(names=instruments(), complete=True))
    item = data.draw(st.sampled_from(sorted(answers)))
    answers[item] = data.draw(st.sampled_from(limits(name)[item][:-1]))
    before, after = score(name, answers), score(name, answers | {item: answers[item] + 1})
    for code in before:
        kind = instrument_named(name).scale(code).kind
        rise = after[code].value - before[code].value
        goes_up = kind in ("quality", "rating", "symptom", "grade")
        assert rise >= 0 if goes_up else rise <= 0, (code, kind)
        if item in instrument_named(name).scale(code).items and kind != "grade":
            assert rise != 0


@given(answered(names=["QLQ-C30 3.0", "QLQ-C15-PAL 1", "QLQ-CX24 1"]), st.randoms())
def test_the_order_of_answers_and_what_is_said_to_be_missing_change_nothing(case, random):
    name, answers = case
    shuffled = [*answers.items(), *((item, None) for item in limits(name) if item not in answers)]
    random.shuffle(shuffled)
    assert score(name, dict(shuffled)) == score(name, answers)


@given(answered(names=["QLQ-C30 3.0"]))
def test_within_a_scale_it_does_not_matter_which_item_has_which_answer(case):
    name, answers = case
    turned = answers | {n: answers[m] for n, m in (("6", "7"), ("7", "6")) if {"6", "7"} <= answers.keys()}
    assert score(name, turned)["RF"] == score(name, answers)["RF"]


@given(answered(names=["QLQ-C30 3.0"]))
def test_the_summary_is_the_mean_of_its_scales_before_any_rounding(case):
    name, answers = case
    found = score(name, answers)
    of = instrument_named(name).scale("SUMMARY").of
    parts = [found[code].value for code in of]
    if None in parts:
        assert found["SUMMARY"].value is None
        return
    symptom = [instrument_named(name).scale(code).kind == "symptom" for code in of]
    good = [100 - value if turned else value for turned, value in zip(symptom, parts, strict=True)]
    assert abs(Fraction(found["SUMMARY"].value) - sum(map(Fraction, good)) / 13) < Fraction(1, 10**25)


@pytest.mark.parametrize("name", instruments())
def test_no_trouble_at_all_is_the_best_score_there_is(name):
    kinds = {scale.code: scale.kind for scale in instrument_named(name).settled}
    best = {item: range_[0] for item, range_ in limits(name).items()}
    upside = [i for scale in instrument_named(name).settled if scale.kind in ("quality", "rating") for i in scale.items]
    best |= {item: limits(name)[item][-1] for item in upside}
    for code, found in score(name, best).items():
        expected = {"index": 1, "symptom": 0, "grade": 0}.get(kinds[code], 100)
        assert found.value == expected, code


@pytest.mark.parametrize(
    ("name", "answers", "code", "value"),
    [
        ("QLQ-C15-PAL 1", {"1": 2, "2": 3, "3": 4}, "PF", "33.33"),
        ("QLQ-C15-PAL 1", {"7": 2, "11": 4}, "FA", "66.67"),
        ("QLQ-C15-PAL 1", {"13": 1, "14": 3}, "EF", "66.67"),
        ("QLQ-C15-PAL 1", {"5": 4, "12": 4}, "PA", "100.00"),
        ("QLQ-C15-PAL 1", {"15": 4}, "QL", "50.00"),
        ("QLQ-PR25 1", {"1": 4, "2": 4, "3": 1, "9": 1}, "URI", "50.00"),
        ("QLQ-PR25 1", {"8": 3}, "AID", "66.67"),
        ("QLQ-CR29 1", {"15": 1, "16": 2, "17": 3}, "BI", "66.67"),
        ("QLQ-CR29 1", {"22": 4, "23": 3}, "SF", "83.33"),
        ("QLQ-CR29 1", {"29": 2}, "DYS", "33.33"),
        ("QLQ-CX24 1", {"1": 4, "2": 1, "3": 1, "9": 4, "11": 1, "13": 1}, "SE", "33.33"),
        ("QLQ-CX24 1", {"14": 2, "18": 4}, "MS", "33.33"),
        ("QLQ-CX24 1", {"14": 2, "18": 4}, "SXW", "100.00"),
    ],
)
def test_modules_follow_the_same_rule(name, answers, code, value):
    assert round(score_scale(name, code, answers).value, 2) == Decimal(value)
