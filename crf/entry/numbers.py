"""Typed numbers: comma and point both read, one canonical form stored, nothing rounded (DAT-06)."""

import re
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crf.entry.refusal import Refused

LONGEST = 14  # whole digits that trials.ItemColumn can hold a limit for
_WHOLE = re.compile(r"-?[0-9]+")
_FRACTION = re.compile(r"-?[0-9]+[.,][0-9]+")
# One separator before exactly three digits: 1.234 is 1234 to a Norwegian eye and 1,234 is 1234 to an English one.
_THOUSANDS = re.compile(r"-?[1-9][0-9]{0,2}[.,][0-9]{3}")
_SEVERAL_SEPARATORS = re.compile(r"-?[0-9]+(?:[.,][0-9]+){2,}")
_EXPONENT = re.compile(r"[-+0-9.,]+[eE][-+]?[0-9]+")


def integer(typed: str) -> str:
    """The canonical whole number, such as `-12`. Raises Refused."""
    if _FRACTION.fullmatch(typed):
        raise Refused(_("Write a whole number, without comma or point."))
    return _number(typed, 0)


def decimal(typed: str, places: int) -> str:
    """The canonical decimal, such as `12.5`; `places`: decimals it may have, trailing zeros dropped. Raises Refused."""
    if _THOUSANDS.fullmatch(typed):
        raise Refused(_ambiguous(typed))
    return _number(typed, places)


def shown(canonical: str, *, comma: bool) -> str:
    """The stored number as the reader's language writes it."""
    return canonical.replace(".", ",") if comma else canonical


def _number(typed: str, places: int) -> str:
    if not (_WHOLE.fullmatch(typed) or _FRACTION.fullmatch(typed)):
        raise Refused(_malformed(typed))
    whole, _separator, fraction = typed.replace(",", ".").partition(".")
    fraction = fraction.rstrip("0")
    if len(whole.lstrip("-").lstrip("0")) > LONGEST:
        raise Refused(_("The number is too long. Write at most %(n)d digits.") % {"n": LONGEST})
    if len(fraction) > places:
        raise Refused(_too_precise(places))
    text = format(Decimal(f"{whole}.{fraction or '0'}").normalize(), "f")
    if typed.startswith("-") and text.strip("-0.") == "":
        raise Refused(_("Write zero without a sign: 0."))
    return text


def _too_precise(places: int) -> str:
    if places == 0:
        return _("Write a whole number, without comma or point.")
    return ngettext(
        "Write at most %(n)d digit after the comma; the number is never rounded for you.",
        "Write at most %(n)d digits after the comma; the number is never rounded for you.",
        places,
    ) % {"n": places}


def _ambiguous(typed: str) -> str:
    digits = typed.replace(",", "").replace(".", "")
    exact = typed.replace(".", ",") + "0"
    return _("This can be read in two ways. Write %(whole)s, or %(exact)s if you mean a decimal number.") % {
        "whole": digits,
        "exact": exact,
    }


def _malformed(typed: str) -> str:
    if any(character.isspace() for character in typed):
        return _("Write the number without spaces, such as 1234.")
    if "_" in typed:
        return _("Write the number without underscores, such as 1234.")
    if _EXPONENT.fullmatch(typed):
        return _("Write the number in full, without an exponent.")
    if any(character.isnumeric() and not character.isascii() for character in typed):
        return _("Write the number with the digits 0 to 9.")
    if _SEVERAL_SEPARATORS.fullmatch(typed):
        return _("Write the number with one comma or one point only, such as 1234,5.")
    return _("Write a number, such as 12 or 12,5.")
