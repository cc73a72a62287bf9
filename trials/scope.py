"""What names in a rule of a trial mean: items of this form, of other forms, facts, the subject.

| reference                  | is                                                             |
|----------------------------|----------------------------------------------------------------|
| `ITEM`                     | this form instance                                             |
| `HERE.ITEM`                | another form of the same event instance                        |
| `EVENT.ITEM`               | the latest attempt of that event                               |
| `ANY.ITEM`                 | newest saved over all events                                   |
| `fact.arm`, `fact.<own>` … | what the system or the definition's own facts say              |
| `subject.sex` …            | the subject                                                    |
| `event.oid` …              | this event; in forms and in the relevance of events            |
| `form.observed_at`         | when this form was observed, else the end of the visit's day   |
| `form.observed_on`         | its calendar day                                               |
| `now.date`                 | today in the study's time zone                                 |

Items of a repeating form are named from outside only over all their repeats (`sum_of(RT.DOSE)`).
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from trials.definition import FormDef, ItemDef, StudyDef
from trials.expressions import DATE, DATETIME, NUMBER, TEXT, TIME, Expr, ExpressionError, Type, compile

ANY, HERE = "ANY", "HERE"
RESERVED = (ANY, HERE)

_TYPES = {
    "text": TEXT,
    "integer": NUMBER,
    "decimal": NUMBER,
    "nrs": NUMBER,
    "date": DATE,
    "partial_date": DATE,
    "time": TIME,
    "datetime": DATETIME,
}
_KNOWN = {
    "fact.randomized_on": DATE,
    "fact.randomized_at": DATETIME,
    "fact.anchor_on": DATE,
    "fact.anchor_at": DATETIME,
    "fact.death_on": DATE,
    "fact.death_at": DATETIME,
    "subject.sex": Type(TEXT.name, frozenset("MF")),
    "subject.birth_year": NUMBER,
    "subject.adult_at_consent": Type(TEXT.name, frozenset("YN")),
    "subject.consent_on": DATE,
    "subject.consent_at": DATETIME,
    "now.date": DATE,
}
_OF_FORM = {"form.observed_at": DATETIME, "form.observed_on": DATE}


@lru_cache(maxsize=8192)
def compiled(study: StudyDef, source: str, form_oid: str | None = None, at_event: bool = False) -> Expr:
    """The compiled expression `source` of a form, or of the subject. Raises ExpressionError."""
    return compile(source, Scope(study, study.form(form_oid) if form_oid else None, at_event))


def type_of_item(study: StudyDef, item: ItemDef) -> Type:
    """The static type of an item; that of a code item knows its codes."""
    if item.code_list is None or not study.has_code_list(item.code_list):
        return _TYPES.get(item.kind, TEXT)
    return Type(TEXT.name, frozenset(study.code_list(item.code_list).codes))


@dataclass(frozen=True)
class Scope:
    """The Env of one place: `form` None = the subject as a whole; `at_event`: is there an event to speak of?"""

    study: StudyDef
    form: FormDef | None = None
    at_event: bool = False
    facts: Mapping[str, Type] | None = None  # the own facts that may be used; None = all of the study

    def type_of(self, ref: str, repeats: bool) -> Type:
        prefix, _dot, name = ref.rpartition(".")
        if not prefix:
            return self._own_item(name, repeats)
        if prefix.islower():
            return self._known(prefix, name, repeats)
        return self._other_item(prefix, name, repeats)

    def reasons_of(self, ref: str) -> frozenset[str]:
        prefix, _dot, name = ref.rpartition(".")
        return frozenset() if prefix.islower() else frozenset(self.study.item(name).all_missing_codes)

    def table(self, oid: str) -> Mapping[str, Decimal]:
        try:
            return self.study.table(oid).values
        except KeyError:
            raise LookupError("is not a table of this study") from None

    def _own_item(self, name: str, repeats: bool) -> Type:
        if self.form is None:
            raise LookupError("needs the event in front (EVENT.ITEM): there is no form here")
        if name not in self.form.item_oids:
            raise LookupError(f"is not an item of form {self.form.oid}{self._elsewhere(name)}")
        if repeats:
            raise LookupError("needs the event in front: repeats are counted over an event, ANY or HERE")
        return type_of_item(self.study, self.study.item(name))

    def _elsewhere(self, name: str) -> str:
        if not self.study.has_item(name):
            return ""
        other = self.study.form_of(name)
        events = [event.oid for event in self.study.events_with(other.oid)]
        return f"; it is on form {other.oid}: write {' or '.join(f'{event}.{name}' for event in events[:3])}"

    def _known(self, prefix: str, name: str, repeats: bool) -> Type:
        if repeats:
            raise LookupError("has no repeats")
        ref = f"{prefix}.{name}"
        if ref == "fact.arm":
            return Type(TEXT.name, frozenset(arm.code for arm in self.study.arms))
        if prefix == "event" and (self.form or self.at_event):
            return self._event(name)
        if ref in _OF_FORM and self.form:
            return _OF_FORM[ref]
        own = fact_types(self.study) if self.facts is None else self.facts
        if prefix == "fact" and name in own:
            return own[name]
        if ref not in _KNOWN:
            raise LookupError("is not known here")
        return _KNOWN[ref]

    def _event(self, name: str) -> Type:
        if name == "happened_on":
            return DATE
        if name != "oid":
            raise LookupError("is not known: event.oid and event.happened_on are")
        return Type(TEXT.name, frozenset(event.oid for event in self.study.events))

    def _other_item(self, prefix: str, name: str, repeats: bool) -> Type:
        if not self.study.has_item(name):
            raise LookupError("names no item of this study")
        form = self.study.form_of(name)
        self._can_be_reached(prefix, form)
        if form.repeating and not repeats:
            raise LookupError(f"is on the repeating form {form.oid}: use count_of, sum_of, min_of or max_of")
        if repeats and not form.repeating:
            raise LookupError(f"is on form {form.oid}, which does not repeat")
        return type_of_item(self.study, self.study.item(name))

    def _can_be_reached(self, prefix: str, form: FormDef) -> None:
        holding = {event.oid for event in self.study.events_with(form.oid)}
        if prefix == ANY:
            return
        if prefix == HERE:
            self._is_here(form, holding)
        elif not self.study.has_event(prefix):
            raise LookupError(f"names no event of this study ({prefix})")
        elif prefix not in holding:
            raise LookupError(f"asks for an item of form {form.oid}, which event {prefix} does not have")

    def _is_here(self, form: FormDef, holding: set[str]) -> None:
        if self.form is None:
            raise LookupError("has no meaning without a form")
        if form is self.form and not form.repeating:
            raise LookupError("is on this very form: leave HERE. out")
        if not holding & {event.oid for event in self.study.events_with(self.form.oid)}:
            raise LookupError(f"asks for form {form.oid}, which is at no event together with {self.form.oid}")


@lru_cache(maxsize=64)
def fact_types(study: StudyDef) -> Mapping[str, Type]:
    """The types of the definition's own facts; each may use those above it. One that does not compile is left out."""
    types: dict[str, Type] = {}
    for fact in study.facts:
        with suppress(ExpressionError):
            types[fact.oid] = compile(fact.expr, Scope(study, facts=types)).type
    return types
