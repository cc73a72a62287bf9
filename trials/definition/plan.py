"""The plan of a trial: arms, strata, consent, gates, eligibility, schedule, settings."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from trials.definition.texts import NAME, OID, TEXT, Text
from trials.reading import DAY, FLAG, NUMBER, RULE, SOURCE, WORDS, At, choice, many, mapping, may, needs, record, whole


@dataclass(frozen=True, kw_only=True)
class Setting:
    key: str = needs(NAME)
    value: str = needs(WORDS)
    unit: Text | None = may(TEXT)
    label: Text = needs(TEXT)
    source: str = needs(SOURCE)


@dataclass(frozen=True, kw_only=True)
class RecruitmentPlan:
    """The target is to be reached from the day `start` to the day `end`, evenly."""

    start: datetime.date = needs(DAY)
    end: datetime.date = needs(DAY)
    source: str = needs(SOURCE)

    @classmethod
    def finish(cls, values: dict[str, Any], raw: Mapping[str, Any], at: At) -> dict[str, Any]:
        if values["end"] <= values["start"]:
            at.down("end").refuse("has to be after start")
        return values


@dataclass(frozen=True, kw_only=True)
class Arm:
    code: str = needs(OID)
    label: Text = needs(TEXT)
    description: Text | None = may(TEXT)
    ratio: int = may(whole(least=1, most=10), 1)
    source: str = needs(SOURCE)


@dataclass(frozen=True, kw_only=True)
class Factor:
    """A stratification factor. A stratum is one code of each factor, in this order: "GI|PAIN"."""

    oid: str = needs(OID)
    label: Text = needs(TEXT)
    expression: str = needs(RULE, key="from")
    code_list: str = needs(OID)
    source: str = needs(SOURCE)


@dataclass(frozen=True, kw_only=True)
class Cancellation:
    """Day 0 will never come: decided when `when`, a rule of the subject, is true."""

    when: str = needs(RULE)
    label: Text = needs(TEXT)
    source: str = needs(SOURCE)


@dataclass(frozen=True, kw_only=True)
class Anchor:
    """Day 0: the earliest `date` (and `time`) among the repeats of `form` with `when` true; no form = randomisation.

    Without a planned day, and for good when cancelled, visits count from randomisation + the setting
    `anchor_fallback_days`. More than `anchor_late_days` after randomisation, without day 0 and not cancelled, `late` is
    told on the worklist and the subject's page.
    """

    form: str | None = may(OID)
    date: str | None = may(OID)
    time: str | None = may(OID)
    when: str | None = may(RULE)
    label: Text = may(TEXT, Text(nb="Dag 0", en="Day 0"))
    cancelled: Cancellation | None = may(record(Cancellation))
    late: Text = may(TEXT, Text(nb="Dag 0 er ikke registrert", en="Day 0 is not recorded"))
    source: str = needs(SOURCE)


@dataclass(frozen=True, kw_only=True)
class Contact:
    """A day on which the participant was known to be alive: `date` on `form`, in each repeat with `when` true."""

    form: str = needs(OID)
    date: str = needs(OID)
    when: str | None = may(RULE)
    source: str = needs(SOURCE)


@dataclass(frozen=True, kw_only=True)
class TimelineLane:
    """What happened to a subject besides visits: `date`, to `until` if there is one, on each instance of `form`.

    `says`: the item whose answer names it.
    """

    form: str = needs(OID)
    date: str = needs(OID)
    until: str | None = may(OID)
    says: str | None = may(OID)
    label: Text = needs(TEXT)
    source: str = needs(SOURCE)

    @property
    def items(self) -> list[str]:
        return [oid for oid in (self.date, self.until, self.says) if oid]


@dataclass(frozen=True, kw_only=True)
class ConsentVersion:
    version: str = needs(WORDS)
    approved_on: datetime.date = needs(DAY)
    reconsent: bool = may(FLAG, True)  # those who signed an older one sign this one before their next visit


@dataclass(frozen=True, kw_only=True)
class ConsentOption:
    oid: str = needs(OID)
    label: Text = needs(TEXT)
    required: bool = may(FLAG, False)
    covers: str | None = may(choice("samples", "registers"))  # withdrawn with it: samples, follow-up in registers
    source: str = needs(SOURCE)


@dataclass(frozen=True, kw_only=True)
class Consent:
    versions: tuple[ConsentVersion, ...] = needs(many(record(ConsentVersion), least=1))
    options: tuple[ConsentOption, ...] = needs(many(record(ConsentOption), least=1))

    @property
    def required(self) -> set[str]:
        """The OIDs of the options without which nobody takes part."""
        return {option.oid for option in self.options if option.required}

    def covering(self, what: str) -> set[str]:
        """The OIDs of the options that allow samples, or follow-up in registers."""
        return {option.oid for option in self.options if option.covers == what}


@dataclass(frozen=True, kw_only=True)
class Gate:
    """Must be TRUE before randomisation, besides eligibility; unknown keeps it closed."""

    oid: str = needs(OID)
    open_if: str = needs(RULE)
    message: Text = needs(TEXT)
    source: str = needs(SOURCE)


@dataclass(frozen=True, kw_only=True)
class Table:
    """Numbers by code, for `lookup(x, 'OID')`."""

    oid: str = needs(OID)
    label: Text = needs(TEXT)
    values: Mapping[str, Decimal] = needs(mapping(NUMBER))
    source: str = needs(SOURCE)


@dataclass(frozen=True, kw_only=True)
class Fact:
    """A named expression of the subject, shown on the subject strip and usable as `fact.<oid>`."""

    oid: str = needs(NAME)
    label: Text = needs(TEXT)
    expr: str = needs(RULE)
    code_list: str | None = may(OID)
    source: str = needs(SOURCE)


@dataclass(frozen=True, kw_only=True)
class Criterion:
    """`met_if`: does the criterion hold as worded? Inclusion must be TRUE, exclusion must be FALSE; unknown blocks."""

    oid: str = needs(OID)
    kind: str = needs(choice("inclusion", "exclusion"))
    label: Text = needs(TEXT)
    item: str | None = may(OID)
    met_if: str = may(RULE, "")
    computed: bool = may(FLAG, False)
    blocks_randomization: bool = may(FLAG, True)
    source: str = needs(SOURCE)

    @classmethod
    def finish(cls, values: dict[str, Any], raw: Mapping[str, Any], at: At) -> dict[str, Any]:
        needed = "met_if" if values["computed"] else "item"
        if needed not in raw:
            at.refuse(f"{needed} is missing")
        if values["item"] and not values["met_if"]:
            values["met_if"] = f"{values['item']} == 'Y'"
        return values


@dataclass(frozen=True, kw_only=True)
class Eligibility:
    form: str = needs(OID)
    criteria: tuple[Criterion, ...] = needs(many(record(Criterion), least=1))


@dataclass(frozen=True, kw_only=True)
class FormRef:
    form: str = needs(OID)
    required: bool = may(FLAG, True)
    relevant: str | None = may(RULE)


_WINDOW = ("day", "before", "after")
_NEEDED: dict[str, tuple[str, ...]] = {
    "scheduled": _WINDOW,
    "repeating": (*_WINDOW, "every_days", "until_days"),
}


@dataclass(frozen=True, kw_only=True)
class StudyEventDef:
    """A visit. Days count from the anchor; the window is [day - before, day + after].

    `counted_from`, a rule of the subject, gives the day after the anchor that they count from instead.
    """

    oid: str = needs(OID)
    label: Text = needs(TEXT)
    kind: str = needs(choice("screening", "randomization", "treatment", "scheduled", "repeating", "unscheduled", "log"))
    day: int | None = may(whole(least=-3650, most=36500))
    counted_from: str | None = may(RULE)
    before: int | None = may(whole(least=0, most=3650))
    after: int | None = may(whole(least=0, most=3650))
    every_days: int | None = may(whole(least=1, most=3650))
    until_days: int | None = may(whole(least=1, most=36500))
    from_registers: bool = may(FLAG, False)  # read in records and registers: goes on when visits are stopped
    relevant: str | None = may(RULE)
    forms: tuple[FormRef, ...] = needs(many(record(FormRef)))
    source: str = needs(SOURCE)

    @classmethod
    def finish(cls, values: dict[str, Any], raw: Mapping[str, Any], at: At) -> dict[str, Any]:
        for key in _NEEDED.get(values["kind"], ()):
            if key not in raw:
                at.refuse(f"{key} is missing: a {values['kind']} event needs it")
        if values["kind"] == "unscheduled":
            for key in ("day", "before", "after"):
                if key in raw:
                    at.down(key).refuse("has no meaning: an unscheduled event is planned for no day")
        if values["counted_from"] and values["day"] is None:
            at.down("counted_from").refuse("has no meaning without day")
        if values["kind"] != "repeating":
            for key in ("every_days", "until_days"):
                if key in raw:
                    at.down(key).refuse("is for repeating events only")
        return values
