"""What the rules of a trial say about given answers: pure functions, no database.

`evaluate` takes one form instance as it stands and says what is shown, what is computed and which checks fire. What
lies outside the form (other visits, facts, the subject) is asked of a `Context`, see `trials.expressions`; its
references are those of `trials.scope`, its values typed (`trials.values.typed`). It is never asked for the definition's
own facts: they are computed from the rest.

* Hidden items have no value for anybody: not for derived items, checks or other relevance (and none that is saved).
* Relevance hides on false. Unknown shows, unless it is unknown only because it asks about a hidden item.
* A check fires on true and is satisfied on false; unknown is neither.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from graphlib import TopologicalSorter

from trials.definition import ItemDef, StudyDef
from trials.expressions import Context, Expr
from trials.scope import compiled
from trials.subject_rules import Nothing, SubjectContext, without_value
from trials.values import UNKNOWN, Maybe, Value, canonical, typed

GROUP = "group "


@dataclass(frozen=True)
class Outcome:
    """What the rules say about one form instance. A group or item that is not in `groups` or `items` is hidden."""

    groups: frozenset[str]
    items: frozenset[str]
    derived: Mapping[str, str]  # canonical text; a derived item that is unknown or hidden is not in it
    by_rule: Mapping[str, str]  # missing-data codes of hidden items that have `not_relevant_as`
    checks: Mapping[str, Maybe]  # True violated, False satisfied, UNKNOWN neither

    @property
    def violated(self) -> list[str]:
        return [oid for oid, violated in self.checks.items() if violated is True]


@dataclass(frozen=True)
class _Step:
    """An item with its compiled rules."""

    item: ItemDef
    group: str
    relevant: Expr | None
    derived: Expr | None


@dataclass(frozen=True)
class _Plan:
    """A form ready to be evaluated: `order` names items and groups, each after what it depends on."""

    order: tuple[str, ...]
    groups: Mapping[str, Expr | None]
    steps: Mapping[str, _Step]
    checks: Mapping[str, Expr]


@lru_cache(maxsize=1024)
def _plan(study: StudyDef, form_oid: str) -> _Plan:
    form = study.form(form_oid)

    def expr(source: str | None) -> Expr | None:
        return compiled(study, source, form_oid) if source else None

    groups = {group.oid: expr(group.relevant) for group in form.groups}
    steps = {
        item.oid: _Step(item, group.oid, expr(item.relevant), expr(item.derived))
        for group in form.groups
        for item in group.items
    }
    checks = {check.oid: compiled(study, check.violated_if, form_oid) for check in form.checks}
    return _Plan(tuple(TopologicalSorter(dependencies(study, form_oid)).static_order()), groups, steps, checks)


def dependencies(study: StudyDef, form_oid: str) -> dict[str, set[str]]:
    """What each item and group of a form depends on within the form. Keys: "ITEM" and "group GROUP"."""
    form = study.form(form_oid)

    def own(*sources: str | None) -> set[str]:
        names = (name for source in sources if source for name in compiled(study, source, form_oid).names)
        return {name for name in names if name in form.item_oids}

    graph = {GROUP + group.oid: own(group.relevant) for group in form.groups}
    for group in form.groups:
        for item in group.items:
            graph[item.oid] = {GROUP + group.oid, *own(item.relevant, item.derived)}
    return graph


@dataclass
class FormContext:
    """The values of a form instance while they are being found, over those of the world outside."""

    outside: Context
    answers: Mapping[str, str]
    missing: Mapping[str, str]
    known: dict[str, Maybe] = field(default_factory=dict)
    reasons: dict[str, str | None] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    groups: set[str] = field(default_factory=set)
    derived: dict[str, str] = field(default_factory=dict)

    def value(self, ref: str) -> Maybe:
        return self.outside.value(ref) if "." in ref else self.known[ref]

    def reason(self, ref: str) -> str | None:
        return self.outside.reason(ref) if "." in ref else self.reasons[ref]

    def values(self, ref: str) -> Sequence[Maybe]:
        return self.outside.values(ref)

    def shows(self, relevant: Expr | None) -> bool:
        if relevant is None:
            return True
        decided = relevant.evaluate(self)
        return not self._only_for_hidden(relevant) if decided is UNKNOWN else bool(decided)

    def _only_for_hidden(self, relevant: Expr) -> bool:
        """Is it undecided because of hidden items alone?"""
        open_refs = without_value(relevant, self)
        return bool(open_refs) and self.hidden.issuperset(open_refs)

    def settle(self, step: _Step) -> None:
        oid = step.item.oid
        self.known[oid] = UNKNOWN
        if not self._is_asked(step.item):
            self.hidden.add(oid)
            self.reasons[oid] = None
            return
        if not (step.group in self.groups and self.shows(step.relevant)):
            self.hidden.add(oid)
            self.reasons[oid] = step.item.not_relevant_as
            return
        self.reasons[oid] = self.missing.get(oid)
        if step.derived:
            self._derive(step.item, step.derived)
        elif self.reasons[oid] is None:
            self.known[oid] = _answer(step.item, self.answers.get(oid))

    def _is_asked(self, item: ItemDef) -> bool:
        """A retired question stands only where it was answered."""
        return not item.retired or item.oid in self.answers or item.oid in self.missing

    def _derive(self, item: ItemDef, expr: Expr) -> None:
        """Rules compute with what is stored: the text is made first and read back."""
        value = expr.evaluate(self)
        text = None if value is UNKNOWN else _storable(item, value)
        self.known[item.oid] = _answer(item, text)
        if text is not None and self.known[item.oid] is not UNKNOWN:
            self.derived[item.oid] = text


def evaluate(
    study: StudyDef,
    form_oid: str,
    answers: Mapping[str, str],
    missing: Mapping[str, str] | None = None,
    outside: Context | None = None,
) -> Outcome:
    """What the rules of a form say.

    `answers`: {item OID: canonical text}, hidden ones may be among them; `missing`: {item OID: code}; `outside`: the
    Context of everything but this form instance. A text that is not canonical counts as no answer.
    """
    plan = _plan(study, form_oid)
    context = settled(study, form_oid, answers, missing or {}, outside or Nothing())
    return Outcome(
        groups=frozenset(context.groups),
        items=frozenset(plan.steps.keys() - context.hidden),
        derived=context.derived,
        by_rule={oid: code for oid in context.hidden if (code := context.reasons[oid])},
        checks={oid: check.evaluate(context) for oid, check in plan.checks.items()},
    )


def settled(
    study: StudyDef, form_oid: str, answers: Mapping[str, str], missing: Mapping[str, str], outside: Context
) -> FormContext:
    """The Context of a form instance: what is hidden and what is derived have been found."""
    plan = _plan(study, form_oid)
    context = FormContext(SubjectContext(study, outside), answers, missing)
    for name in plan.order:
        if step := plan.steps.get(name):
            context.settle(step)
        elif context.shows(plan.groups[name.removeprefix(GROUP)]):
            context.groups.add(name.removeprefix(GROUP))
    return context


def _answer(item: ItemDef, text: str | None) -> Maybe:
    if not text:
        return UNKNOWN
    try:
        return typed(item, text)
    except ValueError:
        return UNKNOWN


def _storable(item: ItemDef, value: Value) -> str | None:
    try:
        return canonical(item, value)
    except ArithmeticError:  # more digits than any item can hold
        return None
