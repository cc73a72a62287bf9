"""Telephone numbers that can get a text message."""

import re

from django.utils.translation import gettext as _

from pallsoft.errors import InvalidInput

_SPACES = re.compile(r"[\s\u00a0\u202f.\-()]+")
_MOBILE = re.compile(r"[49]\d{7}", re.ASCII)  # the national numbering plan: 4 and 9 are mobile


def norwegian_mobile(typed: str, field: str = "phone") -> str:
    """+4791234567, from any usual way to write it. Raises InvalidInput."""
    found = _MOBILE.fullmatch(bare(typed))
    if found is None:
        raise InvalidInput({field: [_("Write a Norwegian mobile number: eight digits, the first is 4 or 9.")]})
    return f"+47{found[0]}"


def bare(typed: str) -> str:
    """Without spaces and the country's number: two ways to write one number agree."""
    return re.sub(r"^(\+47|0047)", "", _SPACES.sub("", typed))


def as_written(number: str) -> str:
    """912 34 567, as Norwegians write it; "" for none."""
    digits = number.removeprefix("+47")
    return f"{digits[:3]} {digits[3:5]} {digits[5:]}".strip()
