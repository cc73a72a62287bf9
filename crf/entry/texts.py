"""Typed text: stored exactly, or refused; never altered."""

import unicodedata

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crf.entry.refusal import Refused
from trials.definition import ItemDef

DEFAULT_LENGTH = 200
LONGEST_EXPLANATION = 500
LONGEST_NOTE = 2000
# Characters that reorder the text around them: a reader would see something else than what is stored.
_REORDERING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def is_multiline(item: ItemDef) -> bool:
    """Whether the field has several lines on the page."""
    return item.layout == "multiline" or (item.length or DEFAULT_LENGTH) > DEFAULT_LENGTH


def check(item: ItemDef, typed: str) -> None:
    """Raise Refused when the text is too long or holds what no reader can see; else it is stored as it is."""
    _check_signs(typed)
    if "\n" in typed and not is_multiline(item):
        raise Refused(_("Write the text on one line."))
    _check_length(typed, item.length or DEFAULT_LENGTH)


def explanation(typed: str) -> str:
    """A reason or an explanation as it is stored, on one line; "" when none was typed. Raises Refused."""
    told = " ".join(typed.split())
    _check_signs(told)
    _check_length(told, LONGEST_EXPLANATION)
    return told


def note(typed: str) -> str:
    """What one person writes to another, with its lines; "" when nothing was typed. Raises Refused."""
    told = typed.replace("\r\n", "\n").strip()
    _check_signs(told)
    _check_length(told, LONGEST_NOTE)
    return told


def _check_signs(typed: str) -> None:
    if any(_is_unwritable(character) for character in typed):
        raise Refused(_("The text holds a hidden control character. Delete the text and type it again."))
    if not _REORDERING.isdisjoint(typed):
        raise Refused(_("The text holds a hidden sign that turns the reading direction. Type it again."))


def _check_length(typed: str, longest: int) -> None:
    excess = len(typed) - longest
    if excess > 0:
        raise Refused(
            ngettext(
                "Shorten the text by %(n)d character; there is room for %(longest)d.",
                "Shorten the text by %(n)d characters; there is room for %(longest)d.",
                excess,
            )
            % {"n": excess, "longest": longest}
        )


def _is_unwritable(character: str) -> bool:
    """NUL, other controls, lone surrogates and noncharacters: no database, XML or screen holds them safely.

    U+FFFD stands for bytes that could not be read: what was sent is no longer known.
    """
    if character in "\n\t":
        return False
    if character == "\ufffd":
        return True
    category = unicodedata.category(character)
    return category in {"Cc", "Cs"} or ord(character) & 0xFFFE == 0xFFFE or 0xFDD0 <= ord(character) <= 0xFDEF
