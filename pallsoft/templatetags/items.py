"""Template tags of the CRF items: which control answers an item, and what ties the control to its notes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from django import template
from django.template.loader import render_to_string
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from pallsoft.drawing import filled, mark

register = template.Library()


@dataclass(frozen=True)
class Control:
    """How an item is answered. `takes`: "field" (one control), "group" (radios of one name) or "nothing"."""

    template: str
    takes: str


DERIVED, READONLY = Control("crf/items/derived.html", "nothing"), Control("crf/items/readonly.html", "nothing")
RADIOS, SELECT = Control("crf/items/radios.html", "group"), Control("crf/items/select.html", "field")
TEXT, NUMBER = Control("crf/items/text.html", "field"), Control("crf/items/number.html", "field")
DATE, NRS = Control("crf/items/date.html", "field"), Control("crf/items/nrs.html", "group")
CONTROLS = {"text": TEXT, "integer": NUMBER, "decimal": NUMBER, "nrs": NRS, "yesno": RADIOS}
CONTROLS |= dict.fromkeys(("date", "partial_date", "time", "datetime"), DATE)
MOST_RADIOS = 6
OWN = ("old", "trail_url", "notes")  # texts of an item that are each subject's own, besides its value
LOOK = ("question", "value", "missing", *OWN, "readonly", "hidden", "oob")  # what of an item decides its look
FOUR, ROWED, PAIRED = 4, 17, 27  # answers, and letters of the longest that fits


@register.simple_tag
def item_control(item: Mapping[str, Any]) -> Control:
    """The control of a CRF item; a short code list is laid open, a long one is a list to choose from."""
    if item.get("derived"):
        return DERIVED
    if item.get("readonly"):
        return READONLY
    if item["kind"] == "code":
        return RADIOS if len(item["codes"]) <= MOST_RADIOS else SELECT
    return CONTROLS[item["kind"]]


@register.simple_tag
def choices_layout(item: Mapping[str, Any]) -> str:
    """Short answers side by side, four or two in a row; a scale of grades (`layout: radio`) stays upright."""
    longest = max((len(str(label)) for _code, label in item["codes"]), default=0)
    if item.get("layout") == "radio" or longest > PAIRED:
        return ""
    return " choices-row" if len(item["codes"]) == FOUR and longest <= ROWED else " choices-pair"


@register.simple_tag
def options(choices: Iterable[tuple[str, Any]], chosen: str) -> SafeString:
    """The <option>s of (code, label) pairs."""
    rows = ((code, mark_safe(" selected") if code == chosen else "", label) for code, label in choices)
    return format_html_join("\n    ", '<option value="{}"{}>{}</option>', rows)


@register.simple_tag
def drawn_item(item: dict[str, Any], oob: bool = False) -> SafeString:
    """One item of a form: label, control, links and notes.

    To draw fifty is most of a page's time, so each look of a question is drawn once for all subjects, with marks where
    its texts go. Nothing that anybody typed is kept.
    """
    item = item | {"notes": _notes(item), "oob": oob}
    if item["errors"] or not _is_offered(item):
        return _draw(item)
    own = ("value", *OWN) if _is_typed(item) else OWN
    marked = item | {name: mark(name) for name in own if item[name]} | {"beside": None}
    return filled(_drawn(_Look((get_language(), *(marked[name] for name in LOOK)), marked)), item)


def _is_typed(item: Mapping[str, Any]) -> bool:
    """Is the value a text that stands on the page as it is, and not one of those that the question offers?"""
    return bool(item["derived"]) or not (item["codes"] or item["kind"] == "nrs")


def _is_offered(item: Mapping[str, Any]) -> bool:
    codes = {"", *(code for code, _label in item["codes"])} if item["codes"] else {"", *nrs_scores()}
    reasons = {"", *(code for code, _label in item["missing_choices"])}
    return item["missing"] in reasons and (_is_typed(item) or item["value"] in codes)


def _notes(item: Mapping[str, Any]) -> str:
    """What stands beside it: its queries and its verification."""
    if item["hidden"] or not item.get("beside"):
        return ""
    return render_to_string("crf/_beside.html", {"item": item, "notes": item["beside"]})


@dataclass(frozen=True)
class _Look:
    """Items with the same `key` look the same."""

    key: tuple[Any, ...]
    item: Mapping[str, Any] = field(compare=False)


@lru_cache(maxsize=8192)
def _drawn(look: _Look) -> SafeString:
    return _draw(look.item)


def _draw(item: Mapping[str, Any]) -> SafeString:
    return render_to_string("crf/_item.html", {"item": item})


@register.simple_tag
def item_state(item: Mapping[str, Any]) -> SafeString:
    """The ARIA attributes that tie a control to its hint and errors; a tag because an include is ten times slower."""
    name = item["name"]
    notes = [f"{kind}_{name}" for kind, text in (("hint", item.get("hint")), ("err", item.get("errors"))) if text]
    described = format_html(' aria-describedby="{}"', " ".join(notes)) if notes else ""
    return format_html("{}{}", described, mark_safe(' aria-invalid="true"') if item.get("errors") else "")


@register.simple_tag
def nrs_scores() -> tuple[str, ...]:
    """The eleven scores of a numeric rating scale."""
    return tuple(str(score) for score in range(11))
