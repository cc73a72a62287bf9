"""Finds Norwegian identity numbers in free text, before it is saved (PRV-07).

Source: Skatteetaten, new fødselsnummer from 2032: control digits of 1964 and of 2032 run in parallel.
"""

import re
from calendar import monthrange

ELEVEN_DIGITS = re.compile(r"(?<!\d)(?:\d[ .\-\u00a0\u2009\u202f]?){10}\d(?!\d)")
WEIGHTS_1 = (3, 7, 6, 1, 8, 9, 4, 5, 2)
WEIGHTS_2 = (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)


def identity_numbers(text: str) -> list[str]:
    """The pieces of `text`, as typed, that are valid fødselsnummer, D-, H- or synthetic numbers."""
    return [found for found in ELEVEN_DIGITS.findall(text) if is_identity_number(re.sub(r"\D", "", found))]


def is_identity_number(number: str) -> bool:
    """Do these eleven ASCII digits pass the control digits of either rule and begin with a day?"""
    digits = [int(digit) for digit in number]
    return _begins_with_a_day(digits) and _controls_agree(digits)


def _controls_agree(digits: list[int]) -> bool:
    first = _weighted(WEIGHTS_1, digits) + digits[9]
    second = _weighted(WEIGHTS_2, digits) + digits[10]
    return first % 11 in (0, 1, 2, 3) and second % 11 == 0


def _weighted(weights: tuple[int, ...], digits: list[int]) -> int:
    return sum(weight * digit for weight, digit in zip(weights, digits, strict=False))


def _begins_with_a_day(digits: list[int]) -> bool:
    """Day, month, year of two figures. D-numbers add 40 to the day, H-numbers 40 and synthetic ones 80 to the month."""
    day, month, year = (digits[i] * 10 + digits[i + 1] for i in (0, 2, 4))
    day -= 40 if day > 40 else 0
    month -= 80 if month > 80 else 40 if month > 40 else 0
    # The century cannot be read from numbers of 2032: 00 counts as 2000, a leap year.
    return 1 <= month <= 12 and 1 <= day <= monthrange(2000 + year, month)[1]
