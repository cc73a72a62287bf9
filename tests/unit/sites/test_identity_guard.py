"""Finding identity numbers in free text. Vectors: Skatteetaten (1964 and 2032 rules)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sites.identity_guard import identity_numbers, is_identity_number

VALID = {
    "20036914700": "1964",
    "30108299939": "2032",
    "30108299920": "2032",
    "02013299997": "2032, the tax authority's page",
    "55102499947": "2032, D-number",
    "03851598730": "1964, synthetic",
    "30908299902": "2032, synthetic",
    "41819077302": "1964, synthetic D-number",
    "41819077906": "2032, synthetic D-number",
    "29020073150": "leap day of 2000",
}
pytestmark = pytest.mark.req("PRV-07")


@pytest.mark.parametrize("number", VALID, ids=VALID.get)
def test_a_published_number_is_recognised(number):
    assert is_identity_number(number)


@pytest.mark.parametrize("number", ["20036914712", "29020105729", "00000000000", "99999999999", "20036914701"])
def test_a_number_that_fails_the_control_digits_or_the_calendar_is_none(number):
    assert not is_identity_number(number)


@pytest.mark.parametrize(
    "text",
    [
        "20036914700",
        "fnr 20036914700.",
        "pas. (20036914700), ringt",
        "200369 14700",
        "20 03 69 147 00",
        "200369-14700",
        "20.03.69 14700".replace(" ", "\u00a0"),
        "født 1949\n20036914700\nok",
        "12 20036914700",
    ],
)
def test_it_is_found_however_it_is_written(text):
    assert len(identity_numbers(text)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ring 22 22 22 22",
        "ordre 12345678901",
        "120036914700 er tolv sifre",
        "200369147001",
        "20036914712",
        "NRS 6, ECOG 2, 8 Gy x 1",
        "01.09.2026 14:32",
    ],
)
def test_other_numbers_are_left_alone(text):
    assert identity_numbers(text) == []


def test_each_of_several_numbers_is_told_as_it_was_typed():
    assert identity_numbers("a 200369 14700 b 55102499947") == ["200369 14700", "55102499947"]


@given(st.text())
def test_no_text_breaks_it(text):
    identity_numbers(text)


@given(st.integers(min_value=0, max_value=10))
def test_one_wrong_digit_of_an_old_number_at_the_end_is_seen(digit):
    number = f"2003691470{digit % 10}"
    assert is_identity_number(number) == (number == "20036914700")
