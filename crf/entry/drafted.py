"""What a page keeps before it is saved: texts as they were typed, field by field, and which page they were typed in."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from crf.entry.refusal import Refused
from trials.definition import FormDef

MOST = 10_000  # characters of one field: the longest text that a definition can ask for
TAB = re.compile(r"[0-9a-f]{32}")
OBSERVED, REASON, WHY, MISSING = "observed_at", "reason", "why-", "-missing"
Raw = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Page:
    """One opened page of a form. `tab` names it, "" for none; `opened`: the newest text that it was opened with.

    `asked`: the names of the fields that it has, or None for all of the form.
    """

    tab: str = ""
    opened: int = 0
    asked: frozenset[str] | None = None


ANY_PAGE = Page()


@dataclass(frozen=True)
class TypedText:
    """A text as it stands in a field. `age`: milliseconds since it was typed."""

    text: str
    age: int


def item_names(oids: Iterable[str]) -> frozenset[str]:
    """The fields that answer items (templates/crf/_item.html)."""
    return frozenset(name for oid in oids for name in (oid, f"{oid}{MISSING}"))


def names_of(form: FormDef) -> frozenset[str]:
    """Every field of a form's page in which somebody types."""
    checks = (f"{WHY}{check.oid}" for check in form.checks)
    return item_names(item.oid for item in form.items if not item.derived) | {OBSERVED, REASON, *checks}


def check_text(text: str) -> None:
    """Raises Refused for what cannot be kept."""
    if "\0" in text or any("\ud800" <= sign <= "\udfff" for sign in text):
        raise Refused(_("The text holds a character that cannot be stored. Delete what you pasted, and type it."))
    if len(text) > MOST:
        raise Refused(_("The text is too long to be kept: at most %(most)s characters.") % {"most": MOST})


def joined(raw: Raw, typed: Mapping[str, TypedText], *, now: int, tab: str) -> dict[str, Mapping[str, Any]]:
    """The draft with what was typed; of two texts in one field the one that was typed last stays."""
    kept = dict(raw)
    for name, one in typed.items():
        at = now - one.age
        if name not in kept or kept[name]["at"] <= at:
            kept[name] = {"text": one.text, "at": at, "kept": now, "tab": tab}
    return kept


def left(raw: Raw, page: Page) -> dict[str, Mapping[str, Any]]:
    """What a save of `page` leaves in the draft: texts of fields that it has not, and newer ones of another page."""
    return {
        name: one
        for name, one in raw.items()
        if (page.asked is not None and name not in page.asked)
        or (page.tab and one["tab"] != page.tab and one["kept"] > page.opened)
    }
