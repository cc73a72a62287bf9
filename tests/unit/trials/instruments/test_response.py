"""Response of the target symptom and of pain with opioids, at each of its limits."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trials.instruments import PAIN_RESPONSES, RESPONSES, pain_response, response

scores = st.integers(0, 10)
doses = st.decimals(0, 600, places=1)
BEST_FIRST, PAIN_BEST_FIRST = ["CR", "PR", "SD", "PD"], ["CR", "PR", "IR", "PP"]


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (7, 0, "CR"), (1, 0, "CR"), (7, 5, "PR"), (7, 6, "SD"), (7, 7, "SD"), (7, 8, "SD"), (7, 9, "PD"), (0, 0, "SD"),
        (0, 2, "PD"), (0, 1, "SD"), (2, 1, "SD"), (10, 8, "PR"), (8, 10, "PD"),
    ],
)  # fmt: skip
def test_two_points_make_a_response_or_a_progression(before, now, expected):
    assert response(before, now, 2) == expected


@pytest.mark.parametrize("points", [1, 3, 10])
def test_the_number_of_points_is_a_setting(points):
    assert response(10, 10 - points, points) == ("CR" if points == 10 else "PR")
    assert (points == 1) is (response(5, 4, points) == "PR")


@pytest.mark.parametrize(
    ("before", "now", "before_mg", "now_mg", "expected"),
    [
        (7, 0, "60", "60", "CR"), (7, 0, "60", "30", "CR"), (7, 0, "60", "60.1", "IR"), (7, 0, "60", "75", "IR"),
        (7, 5, "60", "60", "PR"), (7, 5, "60", "60.1", "IR"), (7, 6, "60", "60", "IR"), (7, 5, "0", "0", "PR"),
        (7, 7, "60", "45", "PR"), (7, 7, "60", "45.1", "IR"), (7, 8, "60", "45", "IR"), (0, 0, "60", "30", "PR"),
        (7, 9, "60", "60", "PP"), (7, 9, "60", "75", "PP"), (7, 9, "60", "45.1", "PP"), (7, 9, "60", "45", "IR"),
        (7, 8, "60", "60", "IR"), (7, 7, "60", "75", "PP"), (7, 8, "60", "75", "PP"), (7, 7, "60", "74.9", "IR"),
        (7, 6, "60", "75", "IR"), (0, 0, "0", "0", "IR"), (7, 7, "0", "5", "PP"), (7, 7, "0", "0", "IR"),
        (0, 0, "30", "60", "PP"),
    ],
)  # fmt: skip
def test_the_international_consensus_endpoint(before, now, before_mg, now_mg, expected):
    assert pain_response(before, now, Decimal(before_mg), Decimal(now_mg)) == expected


@given(scores, scores)
def test_every_pair_of_scores_has_a_category_and_less_is_never_worse(before, now):
    found = response(before, now, 2)
    assert found in RESPONSES
    if now:
        assert BEST_FIRST.index(response(before, now - 1, 2)) <= BEST_FIRST.index(found)


@given(scores, scores, doses, doses, doses)
def test_neither_less_pain_nor_less_opioid_is_ever_a_worse_response(before, now, before_mg, now_mg, less):
    def rank(score, dose):
        return PAIN_BEST_FIRST.index(pain_response(before, score, before_mg, dose))

    assert pain_response(before, now, before_mg, now_mg) in PAIN_RESPONSES
    assert rank(max(now - 1, 0), now_mg) <= rank(now, now_mg)
    assert rank(now, min(less, now_mg)) <= rank(now, now_mg)


@given(scores, scores, doses, doses, st.sampled_from([Decimal(2), Decimal(10), Decimal("0.5")]))
def test_the_unit_of_the_dose_does_not_matter(before, now, before_mg, now_mg, factor):
    scaled = pain_response(before, now, before_mg * factor, now_mg * factor)
    assert scaled == pain_response(before, now, before_mg, now_mg)


@pytest.mark.parametrize(("before", "now"), [(-1, 5), (5, 11), (5, Decimal("4.5"))])
def test_what_is_no_score_is_refused(before, now):
    with pytest.raises(ValueError, match="is not a score from 0 to 10"):
        response(before, now, 2)
    with pytest.raises(ValueError, match="is not a score from 0 to 10"):
        pain_response(before, now, Decimal(0), Decimal(0))


def test_a_negative_dose_and_a_response_without_change_are_refused():
    with pytest.raises(ValueError, match="below 0 mg"):
        pain_response(5, 5, Decimal(-1), Decimal(0))
    with pytest.raises(ValueError, match="0 points"):
        response(5, 5, 0)
