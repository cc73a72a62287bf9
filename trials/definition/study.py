"""A whole trial, and how its parts are found by OID."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cached_property
from typing import Any

from trials.definition.deviations import DeviationRule
from trials.definition.flow import FlowPlan
from trials.definition.forms import CommonCheck, FormDef, ItemDef
from trials.definition.links import LinkPlan
from trials.definition.plan import (
    Anchor,
    Arm,
    Consent,
    Contact,
    Eligibility,
    Fact,
    Factor,
    Gate,
    RecruitmentPlan,
    Setting,
    StudyEventDef,
    Table,
    TimelineLane,
)
from trials.definition.reminders import ReminderPlan
from trials.definition.safety import SafetyPlan
from trials.definition.texts import OID, TEXT, YES_NO, CodeList, Text
from trials.definition.verification import VerificationPlan
from trials.reading import WORDS, choice, keyed, many, mapping, matching, may, needs, record, whole

# Settings by which the schedule counts: whole numbers of days.
DAYS_SETTINGS = ("anchor_fallback_days", "anchor_late_days")
CTCAE_VERSION = "ctcae_version"  # a setting too: by which version adverse events are graded


@dataclass(frozen=True)
class Default:
    """Something that is ours and not the protocol's. `kind`: the class it is an instance of."""

    kind: str
    oid: str
    label: Text
    value: str


@dataclass(frozen=True, kw_only=True, eq=False)
class StudyDef:
    """A whole trial. Compared by identity: it is parsed once per version and lives as a key of caches."""

    oid: str = needs(OID)
    version: int = needs(whole(least=1))
    title: Text = needs(TEXT)
    short_title: Text = needs(TEXT)
    identifiers: Mapping[str, str] = may(mapping(WORDS), {})
    sponsor: str = needs(WORDS)
    target: int = needs(whole(least=1))
    recruitment: RecruitmentPlan | None = may(record(RecruitmentPlan))
    subject_number: str = needs(matching(r"\{site\}[-_.]?\{n:0[1-9]d\}", "a pattern such as {site}-{n:03d}"))
    timezone: str = may(WORDS, "Europe/Oslo")
    languages: tuple[str, ...] = may(many(choice("nb", "en"), least=1), ("nb", "en"))
    settings: tuple[Setting, ...] = may(many(record(Setting)), ())
    arms: tuple[Arm, ...] = needs(many(record(Arm), least=2))
    strata: tuple[Factor, ...] = may(many(record(Factor)), ())
    anchor: Anchor = needs(record(Anchor))
    contacts: tuple[Contact, ...] = may(many(record(Contact)), ())
    timeline: tuple[TimelineLane, ...] = may(many(record(TimelineLane)), ())
    consent: Consent = needs(record(Consent))
    gates: tuple[Gate, ...] = may(many(record(Gate)), ())
    tables: tuple[Table, ...] = may(keyed(Table, "oid"), ())
    facts: tuple[Fact, ...] = may(many(record(Fact)), ())
    checks: tuple[CommonCheck, ...] = may(many(record(CommonCheck)), ())
    not_done: str | None = may(OID)  # the code list of reasons why a visit was not done; without it they are typed
    verification: VerificationPlan = may(record(VerificationPlan), VerificationPlan())
    reminders: ReminderPlan = may(record(ReminderPlan), ReminderPlan())
    links: LinkPlan | None = may(record(LinkPlan))
    safety: SafetyPlan | None = may(record(SafetyPlan))
    flow: FlowPlan | None = may(record(FlowPlan))
    deviations: tuple[DeviationRule, ...] = may(many(record(DeviationRule)), ())
    code_lists: tuple[CodeList, ...] = needs(keyed(CodeList, "oid"))
    eligibility: Eligibility = needs(record(Eligibility))
    events: tuple[StudyEventDef, ...] = needs(many(record(StudyEventDef), least=1))
    forms: tuple[FormDef, ...] = needs(many(record(FormDef), least=1))

    # Each raises KeyError for an OID that the study does not have.

    def form(self, oid: str) -> FormDef:
        """The form with the checks that it shares with all others."""
        return self._forms[oid]

    def event(self, oid: str) -> StudyEventDef:
        return self._events[oid]

    def item(self, oid: str) -> ItemDef:
        return self._items[oid][1]

    def has_item(self, oid: str) -> bool:
        return oid in self._items

    def has_form(self, oid: str) -> bool:
        return oid in self._forms

    def has_code_list(self, oid: str) -> bool:
        return oid in self._code_lists

    def has_event(self, oid: str) -> bool:
        return oid in self._events

    def has_link(self, event_oid: str) -> bool:
        """Are questionnaires of the event answered by link?"""
        return any(self.form(ref.form).by_link for ref in self.event(event_oid).forms)

    def form_of(self, item_oid: str) -> FormDef:
        return self._items[item_oid][0]

    def code_list(self, oid: str) -> CodeList:
        return self._code_lists[oid]

    def codes_of(self, item: ItemDef) -> CodeList | None:
        return self.code_list(item.code_list) if item.code_list else None

    @property
    def why_not_done(self) -> CodeList | None:
        return self.code_list(self.not_done) if self.not_done else None

    def arm(self, code: str) -> Arm:
        return {arm.code: arm for arm in self.arms}[code]

    def table(self, oid: str) -> Table:
        return {table.oid: table for table in self.tables}[oid]

    def setting(self, key: str) -> str:
        return {setting.key: setting.value for setting in self.settings}[key]

    def days_of(self, key: str) -> int | None:
        """The number of days of a setting of DAYS_SETTINGS, which is checked; None when it is not given."""
        return next((int(setting.value) for setting in self.settings if setting.key == key), None)

    def deviation_rule(self, check_oid: str) -> DeviationRule | None:
        """The kind of deviation that a check finds; None for a study without a table."""
        oid = self.deviation_checks.get(check_oid)
        return next((rule for rule in self.deviations if oid in rule.checks), None)

    @cached_property
    def deviation_checks(self) -> dict[str, str]:
        """{check that proposes deviations: its name in the table}: a check of every form has one name there."""
        common = {f"{form.oid}_{check.oid}": check.oid for check in self.checks for form in self.forms}
        found = [check.oid for form in self._forms.values() for check in form.checks if check.severity == "deviation"]
        return {oid: common.get(oid, oid) for oid in found}

    def events_with(self, form_oid: str) -> list[StudyEventDef]:
        return [event for event in self.events if any(ref.form == form_oid for ref in event.forms)]

    def number_for(self, site_code: str, n: int) -> str:
        """The subject number of the n-th subject of a site."""
        return self.subject_number.format(site=site_code, n=n)

    def defaults(self) -> list[Default]:
        """Everything that carries `source: default`, outermost only: what lies inside is covered by it."""
        return list(_defaults(self))

    @cached_property
    def _forms(self) -> dict[str, FormDef]:
        return {form.oid: self._with_common_checks(form) for form in self.forms}

    @cached_property
    def _events(self) -> dict[str, StudyEventDef]:
        return {event.oid: event for event in self.events}

    @cached_property
    def _items(self) -> dict[str, tuple[FormDef, ItemDef]]:
        return {item.oid: (form, item) for form in self._forms.values() for item in form.items}

    def _with_common_checks(self, form: FormDef) -> FormDef:
        if form.before_consent or not form.items:
            return form
        return replace(form, checks=(*form.checks, *(check.of(form) for check in self.checks)))

    @cached_property
    def _code_lists(self) -> dict[str, CodeList]:
        return {listed.oid: listed for listed in (YES_NO, *self.code_lists)}


def _defaults(part: Any) -> Iterator[Default]:
    if isinstance(part, tuple):
        for one in part:
            yield from _defaults(one)
    elif is_dataclass(part) and getattr(part, "source", "") == "default":
        yield _as_default(part)
    elif is_dataclass(part):
        for item in fields(part):
            yield from _defaults(getattr(part, item.name))


def _as_default(part: Any) -> Default:
    def first(*names: str) -> Any:
        return next((found for found in (getattr(part, name, None) for name in names) if found is not None), "")

    unit = getattr(part, "unit", None)
    value = f"{part.value} {unit or ''}".strip() if isinstance(part, Setting) else ""
    return Default(type(part).__name__, first("oid", "key", "code"), first("label", "title", "message"), value)
