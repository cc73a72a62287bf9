"""The expressions: they compile, give what their place needs, and do not go in circles."""

from collections.abc import Collection, Iterator
from graphlib import CycleError, TopologicalSorter
from typing import Any

from trials.consistency.fault import Fault
from trials.definition import (
    Anchor,
    CommonCheck,
    Contact,
    Criterion,
    Fact,
    Factor,
    FormRef,
    ItemDef,
    ItemGroupDef,
    StudyDef,
    StudyEventDef,
    VerificationRule,
)
from trials.evaluate import GROUP, dependencies
from trials.expressions import DATE, DATETIME, NUMBER, TEXT, TIME, TRUTH, Expr, ExpressionError, Type, compile
from trials.reading import Path, parts, rules
from trials.scope import Scope, compiled, fact_types

DAY_0 = {"fact.anchor_on", "fact.anchor_at"}
_DERIVED_FROM = {
    "integer": NUMBER,
    "decimal": NUMBER,
    "date": DATE,
    "partial_date": DATE,
    "time": TIME,
    "datetime": DATETIME,
}


def rules_make_sense(study: StudyDef) -> Iterator[Fault]:
    for path, part in parts(study):
        for key, source in rules(part):
            place = (*path, key)
            if (form := _form_of(study, path, part)) and not study.has_form(form):
                continue  # told about where the form is named
            try:
                expr = _compiled(study, part, source, form)
            except ExpressionError as error:
                yield Fault(place, f"{key}: {error}")
                continue
            if message := _misfit(study, part, key, expr.type):
                yield Fault(place, f"{key}: {message}")


def _form_of(study: StudyDef, path: Path, part: Any) -> str | None:
    """The form in whose instance a rule is asked, None for a rule of the subject."""
    if isinstance(part, Criterion):
        return study.eligibility.form
    if isinstance(part, Anchor | Contact):
        return part.form
    if isinstance(part, CommonCheck):
        return study.forms[0].oid
    if isinstance(part, VerificationRule):
        return study.form_of(part.item).oid if part.item and study.has_item(part.item) else part.form
    return study.forms[int(path[1])].oid if path[:1] == ("forms",) else None


def _compiled(study: StudyDef, part: Any, source: str, form: str | None) -> Expr:
    if isinstance(part, Fact):
        above = study.facts[: [fact.oid for fact in study.facts].index(part.oid)]
        types = fact_types(study)
        return compile(source, Scope(study, facts={fact.oid: types[fact.oid] for fact in above if fact.oid in types}))
    return compiled(study, source, form, at_event=isinstance(part, StudyEventDef | FormRef))


def _misfit(study: StudyDef, part: Any, key: str, found: Type) -> str:
    """What is wrong with a rule that gives `found`, "" for nothing."""
    if isinstance(part, Factor):
        return _not_codes(study, found, part.code_list)
    if isinstance(part, Fact):
        return _not_codes(study, found, part.code_list) if part.code_list else ""
    if isinstance(part, ItemDef) and key == "derived":
        return _not_derivable(study, part, found)
    if key == "counted_from":
        return "" if found.name == NUMBER.name else f"gives {found.name}, needs to be a number of days"
    return "" if found.name == TRUTH.name else f"gives {found.name}, needs to be true/false"


def _not_derivable(study: StudyDef, item: ItemDef, found: Type) -> str:
    if item.kind == "yesno" and found.name == TRUTH.name:
        return ""
    if item.kind in ("code", "yesno"):
        return _not_codes(study, found, item.code_list or "")
    wanted = _DERIVED_FROM.get(item.kind)
    if wanted is None or found.name == wanted.name:
        return ""
    return f"gives {found.name}, but an item of kind {item.kind} needs {wanted.name}"


def _not_codes(study: StudyDef, found: Type, code_list: str) -> str:
    if not study.has_code_list(code_list):
        return ""
    if found.name != TEXT.name or found.codes is None:
        return f"is not a code: needs the codes of {code_list}"
    strangers = found.codes - set(study.code_list(code_list).codes)
    return f"can give {', '.join(sorted(strangers))}, which is not in code list {code_list}" if strangers else ""


def derived_values_have_an_order(study: StudyDef) -> Iterator[Fault]:
    paths = {part.oid: path for path, part in parts(study) if isinstance(part, ItemDef)}
    groups = {GROUP + part.oid: path for path, part in parts(study) if isinstance(part, ItemGroupDef)}
    told: set[str] = set()
    for graph in _graphs(study):
        cycle = _cycle(graph)
        if cycle and not told.intersection(cycle):
            told.update(cycle)
            yield Fault((paths | groups)[cycle[0]], f"goes in a circle: {' needs '.join(reversed(cycle))}")


def _graphs(study: StudyDef) -> Iterator[dict[str, set[str]]]:
    """Each form's own order, then that of derived values over all forms."""
    over_all: dict[str, set[str]] = {}
    for form in study.forms:
        try:
            yield dependencies(study, form.oid)
            for item in form.items:
                names = compiled(study, item.derived, form.oid).names if item.derived else ()
                over_all[item.oid] = {name.rpartition(".")[2] for name in names}
        except ExpressionError:
            continue
    yield {oid: {name for name in names if over_all.get(name)} for oid, names in over_all.items()}


def _cycle(graph: dict[str, set[str]]) -> list[str]:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def day_0_needs_no_day_0(study: StudyDef) -> Iterator[Fault]:
    """What the form of the anchor hides and computes has to be found before day 0 is."""
    for path, part in parts(study):
        if not isinstance(part, ItemDef | ItemGroupDef) or _form_of(study, path, part) != study.anchor.form:
            continue
        for key, source in rules(part):
            if _asks_for_day_0(study, _names(study, path, part, source)):
                yield Fault((*path, key), f"{key}: day 0 comes from this form, so it cannot ask for it")


def _asks_for_day_0(study: StudyDef, names: Collection[str]) -> bool:
    own = {f"fact.{fact.oid}": fact for fact in study.facts}
    facts = (own[name] for name in names if name in own)
    return not DAY_0.isdisjoint(names) or any(
        _asks_for_day_0(study, _names(study, (), fact, fact.expr)) for fact in facts
    )


def arms_stay_hidden(study: StudyDef) -> Iterator[Fault]:
    """Warns of items that are asked or computed by arm and would tell it in lists and exports (decision D8)."""
    for path, part in parts(study):
        by_arm = [key for key, source in rules(part) if "fact.arm" in _names(study, path, part, source)]
        open_items = [item.oid for item in _items_under(study, part) if not item.reveals_arm]
        if by_arm and open_items:
            message = f"depends on the arm, so {', '.join(open_items[:5])} should say reveals_arm: true"
            yield Fault((*path, by_arm[0]), message, warning=True)


def _items_under(study: StudyDef, part: Any) -> Collection[ItemDef]:
    if isinstance(part, ItemDef):
        return [part]
    if isinstance(part, ItemGroupDef):
        return part.items
    return study.form(part.form).items if isinstance(part, FormRef) and study.has_form(part.form) else ()


def _names(study: StudyDef, path: Path, part: Any, source: str) -> tuple[str, ...]:
    try:
        return _compiled(study, part, source, _form_of(study, path, part)).names
    except (ExpressionError, KeyError):
        return ()
