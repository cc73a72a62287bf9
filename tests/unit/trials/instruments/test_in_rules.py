"""The functions of the rule language that score: types checked when compiled, unknown when too little is known."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trials.expressions import NUMBER, TEXT, ExpressionError, Type, compile
from trials.instruments import PAIN_RESPONSES, RESPONSES, score_scale
from trials.values import UNKNOWN

TO_4, TO_5 = Type(TEXT.name, frozenset("1234")), Type(TEXT.name, frozenset("12345"))
TYPES = {"A": TO_4, "B": TO_4, "C": TO_4, "L": TO_5, "N": NUMBER, "M": NUMBER, "MG": NUMBER, "T": TEXT}
FATIGUE = "scale('QLQ-C30 3.0', 'FA', A, B, C)"


class Env:
    def type_of(self, ref, repeats):
        return TYPES[ref]


class Known(dict):
    def value(self, ref):
        return self.get(ref, UNKNOWN)


def result(source, **known):
    return compile(source, Env()).evaluate(Known(known))


def test_a_scale_is_scored_from_the_items_of_the_form():
    assert result("round(" + FATIGUE + ", 2)", A="4", B="3", C="2") == Decimal("66.67")
    assert result("scale('EQ-5D-5L NO-2024', 'INDEX', L, L, L, L, L)", L="5") == Decimal("-0.453")


def test_half_of_the_items_is_enough_and_less_is_unknown():
    assert result("round(" + FATIGUE + ", 0)", A="4", C="4") == 100
    assert result(FATIGUE, A="4") is UNKNOWN
    assert result(FATIGUE) is UNKNOWN


@given(st.lists(st.sampled_from(["1", "2", "3", "4", UNKNOWN]), min_size=3, max_size=3))
def test_a_rule_and_the_function_give_the_same(values):
    answers = {i: None if v is UNKNOWN else int(v) for i, v in zip(("10", "12", "18"), values, strict=True)}
    expected = score_scale("QLQ-C30 3.0", "FA", answers).value
    found = result(FATIGUE, **dict(zip("ABC", values, strict=True)))
    assert found == (UNKNOWN if expected is None else expected)


@pytest.mark.parametrize("odd", ["9", "x", "", "²"])
def test_a_stored_text_that_is_no_answer_makes_the_score_unknown(odd):
    assert result(FATIGUE, A=odd, B="1", C="1") is UNKNOWN


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("scale('QLQ-C30 2.0', 'FA', A, B, C)", "column 7: 'QLQ-C30 2.0' is not an instrument: known are"),
        ("scale('QLQ-C30', 'FA', A, B, C)", "is not an instrument"),
        ("scale('../secret', 'FA', A, B, C)", "is not an instrument"),
        ("scale(T, 'FA', A, B, C)", "T is not a text in quotes"),
        ("scale('QLQ-C30 3.0', 'XX', A, B, C)", "column 22: 'XX' is not a scale of QLQ-C30 3.0: it has QL"),
        ("scale('QLQ-CX24 1', 'BI', A, B, C)", "'BI' cannot be scored yet: the public codes"),
        ("scale('QLQ-C30 3.0', 'FA', A, B)", "takes the 3 items 10, 12, 18, not 2"),
        ("scale('QLQ-C30 3.0', 'FA')", "takes 3 or more value(s), not 2"),
        ("scale('QLQ-C30 3.0', 'FA', A, B, L)", "column 34: L needs to be a code of exactly 1 to 4"),
        ("scale('QLQ-C30 3.0', 'QL', A, B)", "A needs to be a code of exactly 1 to 7"),
        ("scale('QLQ-C30 3.0', 'FA', A, B, N)", "N needs to be a code of exactly 1 to 4"),
        ("scale('QLQ-C30 3.0', 'FA', A, B, T)", "T needs to be a code of exactly 1 to 4"),
        ("response(A, N, 2)", "A is text, needs to be number"),
        ("response(N, M)", "takes 3 value(s), not 2"),
        ("pain_response(N, M, MG)", "takes 4 value(s), not 3"),
        ("response(N, M, 2) == 'IR'", "IR is not among CR, PD, PR, SD"),
    ],
)
def test_a_wrong_use_is_refused_with_its_place(source, message):
    with pytest.raises(ExpressionError) as refused:
        compile(source, Env())
    assert message in str(refused.value)


def test_a_response_is_a_code():
    assert compile("response(N, M, 2)", Env()).type.codes == RESPONSES
    assert compile("pain_response(N, M, MG, MG)", Env()).type.codes == PAIN_RESPONSES
    assert compile(FATIGUE, Env()).type == NUMBER


@pytest.mark.parametrize(("now", "expected"), [(4, "PR"), (0, "CR"), (UNKNOWN, UNKNOWN), (11, UNKNOWN)])
def test_a_response_is_unknown_when_a_score_is_missing_or_none(now, expected):
    now = now if now is UNKNOWN else Decimal(now)
    assert result("response(N, M, 2)", N=Decimal(7), M=now) == expected
    assert result("pain_response(N, M, MG, MG)", N=Decimal(7), M=now, MG=Decimal(60)) == expected
    assert result("pain_response(N, M, MG, MG)", N=Decimal(7), M=now) is UNKNOWN
