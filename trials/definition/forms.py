"""The forms of a trial: item groups, items and edit checks (forms/<OID>.yaml)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from trials.definition.links import ByLink
from trials.definition.reminders import ROLES
from trials.definition.texts import MISSING_CODES, OID, TEXT, YES_NO, Text
from trials.definition.wording import NrsAnchors, Wording
from trials.reading import FLAG, NUMBER, RULE, SOURCE, At, choice, many, may, needs, record, whole

KINDS = ("text", "integer", "decimal", "date", "partial_date", "time", "datetime", "code", "yesno", "nrs")
# Where the source of an answer lies, for who compares it (source data verification).
SOURCE_TYPES = ("record", "paper", "rt_system", "laboratory", "consent_form", "other")
DERIVED_KINDS = tuple(kind for kind in KINDS if kind not in ("text", "nrs"))

_OWN_KEYS = {
    "length": ("text",),
    "decimals": ("decimal",),
    "min": ("integer", "decimal"),
    "max": ("integer", "decimal"),
    "code_list": ("code",),
    "anchors": ("nrs",),
}
_FILLED_IN: dict[str, dict[str, Any]] = {
    "text": {"length": 200},
    "decimal": {"decimals": 2},
    "yesno": {"code_list": YES_NO.oid},
    "nrs": {"min": Decimal(0), "max": Decimal(10)},
}
_NEEDED = {"code": "code_list", "nrs": "anchors"}
_NEVER_DERIVED = ("required", "missing", "min", "max", "not_relevant_as")


@dataclass(frozen=True, kw_only=True)
class ItemDef:
    """One question.

    `length`, `decimals`, `min`, `max`, `code_list` are filled in by kind; `missing`: the codes that one may choose.
    """

    oid: str = needs(OID)
    label: Text = needs(TEXT)
    hint: Text | None = may(TEXT)
    kind: str = needs(choice(*KINDS))
    length: int | None = may(whole(least=1, most=10_000))
    decimals: int | None = may(whole(least=1, most=6))
    min: Decimal | None = may(NUMBER)
    max: Decimal | None = may(NUMBER)
    unit: Text | None = may(TEXT)
    code_list: str | None = may(OID)
    anchors: NrsAnchors | None = may(record(NrsAnchors))
    required: bool = may(FLAG, True)
    missing: tuple[str, ...] = may(many(choice(*MISSING_CODES)), ("ND", "UNK", "REF"))
    relevant: str | None = may(RULE)
    not_relevant_as: str | None = may(choice(*MISSING_CODES))
    derived: str | None = may(RULE)
    reveals_arm: bool = may(FLAG, False)
    retired: bool = may(FLAG, False)
    layout: str | None = may(choice("radio", "select", "multiline"))
    source_type: str | None = may(choice(*SOURCE_TYPES))  # None: as the form
    in_list: bool = may(FLAG, False)  # of a repeating form: a column of the list of its entries
    source: str = needs(SOURCE)

    @property
    def all_missing_codes(self) -> tuple[str, ...]:
        """Every code that may be stored, the one given by rule included."""
        by_rule = self.not_relevant_as
        return self.missing if by_rule is None or by_rule in self.missing else (*self.missing, by_rule)

    @classmethod
    def finish(cls, values: dict[str, Any], raw: Mapping[str, Any], at: At) -> dict[str, Any]:
        kind = values["kind"]
        for key, kinds in _OWN_KEYS.items():
            if key in raw and kind not in kinds:
                at.down(key).refuse(f"is for items of kind {' or '.join(kinds)}, not {kind}")
        if kind in _NEEDED and _NEEDED[kind] not in raw:
            at.refuse(f"{_NEEDED[kind]} is missing: an item of kind {kind} needs it")
        if "not_relevant_as" in raw and "relevant" not in raw:
            at.down("not_relevant_as").refuse("has no meaning without relevant")
        if values["retired"]:  # shown where it holds an answer, never asked anew
            values = values | {"required": False}
        filled = {key: value for key, value in _FILLED_IN.get(kind, {}).items() if values[key] is None}
        return _derived(values | filled, raw, at) if values["derived"] else values | filled


def _derived(values: dict[str, Any], raw: Mapping[str, Any], at: At) -> dict[str, Any]:
    if values["kind"] not in DERIVED_KINDS:
        at.down("derived").refuse(f"an item of kind {values['kind']} cannot be derived")
    for key in _NEVER_DERIVED:
        if key in raw:
            at.down(key).refuse("has no meaning for a derived item")
    return values | {"required": False, "missing": ()}


@dataclass(frozen=True, kw_only=True)
class ItemGroupDef:
    oid: str = needs(OID)
    label: Text | None = may(TEXT)
    hint: Text | None = may(TEXT)
    relevant: str | None = may(RULE)
    by_staff: bool = may(FLAG, False)  # of a patient's form: the staff answers, the patient does not see it
    items: tuple[ItemDef, ...] = needs(many(record(ItemDef), least=1))
    source: str = needs(SOURCE)


@dataclass(frozen=True, kw_only=True)
class EditCheck:
    """`items`: where the message stands. Its version is the number of the study version that it was published in.

    soft asks for a second look, deviation stores the fact, asks why and proposes a deviation (S04), hard refuses. One
    with `asks_why` false proposes it without a question. The roles `tell` get a mail at once when it finds something
    that is stored.
    """

    oid: str = needs(OID)
    violated_if: str = needs(RULE)
    message: Text = needs(TEXT)
    items: tuple[str, ...] = needs(many(OID, least=1))
    severity: str = may(choice("soft", "deviation", "hard"), "soft")
    asks_why: bool = may(FLAG, True)
    tell: tuple[str, ...] = may(many(choice(*ROLES)), ())
    source: str = needs(SOURCE)

    @classmethod
    def finish(cls, values: dict[str, Any], raw: Mapping[str, Any], at: At) -> dict[str, Any]:
        if values["tell"] and values["severity"] == "hard":
            at.down("tell").refuse("has no meaning for a hard check: nothing is stored that one could be told of")
        if not values["asks_why"] and values["severity"] != "deviation":
            at.down("asks_why").refuse("has a meaning for checks of severity deviation only")
        return values


@dataclass(frozen=True, kw_only=True)
class CommonCheck:
    """A check of every form that is not filled in before consent; its message stands at the first question."""

    oid: str = needs(OID)
    violated_if: str = needs(RULE)
    message: Text = needs(TEXT)
    severity: str = may(choice("soft", "deviation", "hard"), "soft")
    source: str = needs(SOURCE)

    def of(self, form: FormDef) -> EditCheck:
        return EditCheck(
            oid=f"{form.oid}_{self.oid}",
            violated_if=self.violated_if,
            message=self.message,
            items=(form.items[0].oid,),
            severity=self.severity,
            source=self.source,
        )


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """While `when`, a rule of the form's instance, saved or not, is true, the worklist proposes it and tells `say`.

    `at_once`: at a visit in which nothing is entered yet, too.
    """

    when: str = needs(RULE)
    at_once: bool = may(FLAG, False)
    say: Text = needs(TEXT)
    source: str = needs(SOURCE)


@dataclass(frozen=True, kw_only=True)
class FormDef:
    oid: str = needs(OID)
    title: Text = needs(TEXT)
    kind: str = needs(choice("clinic", "patient"))
    repeating: bool = may(FLAG, False)
    before_consent: bool = may(FLAG, False)
    assessed_by: str | None = may(choice("physician"))
    instructions: Text | None = may(TEXT)
    source_type: str = may(choice(*SOURCE_TYPES), "record")
    electronic_if: str | None = may(RULE)  # true: typed here first, so there is no other source to compare with
    recall: str | None = may(choice("last_time"))  # what the answers look back on is told with its day
    offer_unchanged: bool = may(FLAG, False)  # of a repeating form: the entries of the visit before
    propose: Proposal | None = may(record(Proposal))
    by_link: ByLink | None = may(record(ByLink))
    wording: Wording | None = may(record(Wording))
    groups: tuple[ItemGroupDef, ...] = needs(many(record(ItemGroupDef), least=1))
    checks: tuple[EditCheck, ...] = may(many(record(EditCheck)), ())
    source: str = needs(SOURCE)

    @classmethod
    def finish(cls, values: dict[str, Any], raw: Mapping[str, Any], at: At) -> dict[str, Any]:
        if values["offer_unchanged"] and not values["repeating"]:
            at.down("offer_unchanged").refuse("has a meaning for repeating forms only")
        if values["propose"] and values["repeating"]:
            at.down("propose").refuse("has no meaning for repeating forms")
        if values["by_link"] and (values["repeating"] or values["kind"] != "patient"):
            at.down("by_link").refuse("has a meaning for patients' forms that do not repeat")
        if values["wording"] and not values["by_link"]:
            at.down("wording").refuse("has a meaning for forms with by_link only")
        if values["wording"] and values["by_link"] and values["by_link"].placeholder:
            at.down("wording").refuse("is there, so by_link cannot say that it is a placeholder")
        return values

    @property
    def lacks_wording(self) -> bool:
        """Is it asked in a placeholder's words, as its licence is not there?"""
        return self.by_link is not None and self.by_link.placeholder

    @cached_property
    def items(self) -> tuple[ItemDef, ...]:
        return tuple(item for group in self.groups for item in group.items)

    @cached_property
    def item_oids(self) -> frozenset[str]:
        return frozenset(item.oid for item in self.items)
