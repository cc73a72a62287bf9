"""The rules that are about the subject and not about one form: stratum, gates, facts, relevance of visits.

What is known of a subject comes from a `Context` (see `trials.expressions`) with the references of `trials.scope`.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from trials.definition import FormRef, Gate, StudyDef, StudyEventDef
from trials.expressions import Context, Expr
from trials.scope import compiled
from trials.values import UNKNOWN, Maybe


@dataclass(frozen=True)
class Answer:
    """What a rule says; `unknown`: the references without a value, when it could not be decided."""

    value: Maybe
    unknown: tuple[str, ...] = ()

    @property
    def is_true(self) -> bool:
        return self.value is True


class Nothing:
    """The Context of a place where nothing outside is known."""

    def value(self, ref: str) -> Maybe:
        return UNKNOWN

    def reason(self, ref: str) -> str | None:
        return None

    def values(self, ref: str) -> Sequence[Maybe]:
        return ()


class SubjectContext:
    """A Context that adds the definition's own facts to what `outside` knows."""

    def __init__(self, study: StudyDef, outside: Context) -> None:
        self._study = study
        self._outside = outside
        self._sources = {f"fact.{fact.oid}": fact.expr for fact in study.facts}

    def value(self, ref: str) -> Maybe:
        source = self._sources.get(ref)
        return compiled(self._study, source).evaluate(self) if source else self._outside.value(ref)

    def reason(self, ref: str) -> str | None:
        return self._outside.reason(ref)

    def values(self, ref: str) -> Sequence[Maybe]:
        return self._outside.values(ref)


def decide(expr: Expr, context: Context) -> Answer:
    """The value of a compiled rule and, when it is undecided, the references that have no value."""
    value = expr.evaluate(context)
    return Answer(value, without_value(expr, context) if value is UNKNOWN else ())


def without_value(expr: Expr, context: Context) -> tuple[str, ...]:
    """The references of `expr` that have no value."""

    def is_open(ref: str) -> bool:
        if ref in expr.repeats:
            return UNKNOWN in context.values(ref)
        return context.value(ref) is UNKNOWN

    return tuple(ref for ref in expr.names if is_open(ref))


def stratum_of(study: StudyDef, outside: Context) -> str | None:
    """The stratum of a subject, "GI|PAIN", "" for a trial without strata; None as long as a factor is unknown."""
    context = SubjectContext(study, outside)
    codes = [compiled(study, factor.expression).evaluate(context) for factor in study.strata]
    return None if UNKNOWN in codes else "|".join(str(code) for code in codes)


def facts_of(study: StudyDef, outside: Context) -> dict[str, Maybe]:
    """{own fact: value} in the definition's order."""
    context = SubjectContext(study, outside)
    return {fact.oid: context.value(f"fact.{fact.oid}") for fact in study.facts}


def gates_of(study: StudyDef, outside: Context) -> list[tuple[Gate, Answer]]:
    """Every gate with its answer: only `is_true` opens it."""
    context = SubjectContext(study, outside)
    return [(gate, decide(compiled(study, gate.open_if), context)) for gate in study.gates]


def is_shown(study: StudyDef, part: StudyEventDef | FormRef, outside: Context) -> bool:
    """Whether an event, or a form at an event, is asked for; unknown = yes."""
    if part.relevant is None:
        return True
    return compiled(study, part.relevant, at_event=True).evaluate(SubjectContext(study, outside)) is not False


def asked_for(study: StudyDef, names: Collection[str]) -> Iterator[str]:
    """What the references of rules ask for: item OIDs, and "fact.…", "event.…" as they are written.

    In the place of the definition's own facts stands what these ask for.
    """
    own_facts = {f"fact.{fact.oid}": fact.expr for fact in study.facts}
    for name in names:
        if name in own_facts:
            yield from asked_for(study, compiled(study, own_facts[name]).names)
        else:
            prefix, _dot, item = name.partition(".")
            yield name if prefix.islower() else item
