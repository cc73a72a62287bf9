"""Telephone numbers that can get a text message."""

import re

_SPACES = re.compile(r"[\s\u00a0\u202f.\-()]+")
_MOBILE = re.compile(r"[49]\d{7}", re.ASCII)  # the national numbering plan: 4 and 9 are mobile


def norwegian_mobile(typed: str) -> str:
    """+4791234567, from any usual way to write it; "" when it is none."""
    digits = bare(typed)
    return f"+47{digits}" if _MOBILE.fullmatch(digits) else ""


def bare(typed: str) -> str:
    """Without spaces and the country's number: two ways to write one number agree."""
    return re.sub(r"^(\+47|0047)", "", _SPACES.sub("", typed))


def as_written(number: str) -> str:
    """912 34 567, as Norwegians write it; "" for none."""
    digits = number.removeprefix("+47")
    return f"{digits[:3]} {digits[3:5]} {digits[5:]}".strip()
