"""The functions of the language. Each takes the compiler and the call, checks the arguments and returns a Term."""

import ast
from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from trials.expressions.operators import applied
from trials.expressions.terms import DATE, DATETIME, NUMBER, TEXT, TRUTH, Term, Type
from trials.instruments import PAIN_RESPONSES, RESPONSES, instrument_named, pain_response, response, score_scale
from trials.values import EXACT, UNKNOWN, Maybe, PartialDate, rounded, span

if TYPE_CHECKING:
    from trials.expressions.compiler import Compiler


def _arguments(compiler: "Compiler", call: ast.Call, count: int, or_more: bool = False) -> list[ast.expr]:
    if len(call.args) == count or (or_more and len(call.args) > count):
        return call.args
    raise compiler.error(call, f"takes {count}{' or more' if or_more else ''} value(s), not {len(call.args)}")


def _fixed(function: Callable[..., Maybe], result: Type, *wanted: Type) -> Callable[["Compiler", ast.Call], Term]:
    """A function whose arguments have these types; unknown when one of them is."""

    def build(compiler: "Compiler", call: ast.Call) -> Term:
        nodes = _arguments(compiler, call, len(wanted))
        runs = [compiler.expect(node, kind) for node, kind in zip(nodes, wanted, strict=True)]
        return Term(result, applied(function, *runs))

    return build


def _missing(compiler: "Compiler", call: ast.Call) -> Term:
    """True when there is no value, for whatever reason; never unknown."""
    (node,) = _arguments(compiler, call, 1)
    run = compiler.term(node).run
    return Term(TRUTH, lambda context: run(context) is UNKNOWN)


def _reason(compiler: "Compiler", call: ast.Call) -> Term:
    """The missing-data code, '' when there is none; never unknown."""
    (node,) = _arguments(compiler, call, 1)
    ref, _type = compiler.look_up(node)
    codes = compiler.env.reasons_of(ref) | {""}
    return Term(Type(TEXT.name, codes), lambda context: context.reason(ref) or "")


def _if(compiler: "Compiler", call: ast.Call) -> Term:
    """The second value when the first is true, the third when it is false."""
    condition, *branches = _arguments(compiler, call, 3)
    decide = compiler.expect(condition, TRUTH)
    yes, no = (compiler.term(branch) for branch in branches)
    if yes.type.name != no.type.name:
        raise compiler.error(call, f"gives {yes.type.name} or {no.type.name}: both must be alike")

    def run(context: Any) -> Maybe:
        decision = decide(context)
        if decision is UNKNOWN:
            return UNKNOWN
        return yes.run(context) if decision else no.run(context)

    return Term(yes.type.joined_with(no.type), run)


def _one_of(compiler: "Compiler", call: ast.Call) -> Term:
    node, *options = _arguments(compiler, call, 2, or_more=True)
    return Term(TRUTH, compiler.membership(node, options))


def _lookup(compiler: "Compiler", call: ast.Call) -> Term:
    """The number that the table has for a text; unknown when it has no such row."""
    key, name = _arguments(compiler, call, 2)
    try:
        rows = compiler.env.table(compiler.text_literal(name))
    except LookupError as error:
        raise compiler.error(name, str(error.args[0])) from None
    return Term(NUMBER, applied(lambda text: rows.get(text, UNKNOWN), compiler.expect(key, TEXT)))


def _scale(compiler: "Compiler", call: ast.Call) -> Term:
    """A score of an instrument: its name with version, the scale, then the scale's items in the instrument's order.

    What is missing counts as not answered; the score is unknown when the instrument says that too little was.
    """
    instrument_name, scale_code, *nodes = _arguments(compiler, call, 3, or_more=True)
    name, code = compiler.text_literal(instrument_name), compiler.text_literal(scale_code)
    try:
        instrument = instrument_named(name)
    except LookupError as error:
        raise compiler.error(instrument_name, str(error.args[0])) from None
    try:
        items = instrument.scale(code).items
    except LookupError as error:
        raise compiler.error(scale_code, str(error.args[0])) from None
    if len(nodes) != len(items):
        raise compiler.error(call, f"takes the {len(items)} items {', '.join(items)}, not {len(nodes)}")
    runs = [_answer_to(compiler, node, instrument.limits[item]) for node, item in zip(nodes, items, strict=True)]

    def run(context: Any) -> Maybe:
        values = [one(context) for one in runs]
        answers = {i: None if v is UNKNOWN else int(v) for i, v in zip(items, values, strict=True)}
        value = score_scale(name, code, answers).value
        return UNKNOWN if value is None else value

    return Term(NUMBER, _unless_refused(run))


def _answer_to(compiler: "Compiler", node: ast.expr, answers: range) -> Callable[[Any], Any]:
    term = compiler.term(node)
    if term.type.codes != frozenset(map(str, answers)):
        raise compiler.error(node, f"needs to be a code of exactly {answers[0]} to {answers[-1]}")
    return term.run


def _unless_refused(function: Callable[..., Maybe]) -> Callable[..., Maybe]:
    """Unknown for values that `function` refuses: no answer can stop a form from being saved."""

    def run(*values: Any) -> Maybe:
        try:
            return function(*values)
        except ValueError:
            return UNKNOWN

    return run


def _round(compiler: "Compiler", call: ast.Call) -> Term:
    number, places = _arguments(compiler, call, 2)
    text = compiler.text(places)
    if len(text) != 1 or text not in "0123456":
        raise compiler.error(places, "is not a number of decimals from 0 to 6")

    def run(value: Decimal) -> Maybe:
        try:
            return rounded(value, int(text))
        except InvalidOperation:
            return UNKNOWN

    return Term(NUMBER, applied(run, compiler.expect(number, NUMBER)))


def _extreme(choose: Callable[..., Any]) -> Callable[["Compiler", ast.Call], Term]:
    """min and max of numbers or of whole dates."""

    def pick(*values: Any) -> Maybe:
        return UNKNOWN if any(isinstance(value, PartialDate) for value in values) else choose(values)

    def build(compiler: "Compiler", call: ast.Call) -> Term:
        first, *rest = _arguments(compiler, call, 2, or_more=True)
        term = compiler.term(first)
        if term.type not in (NUMBER, DATE, DATETIME):
            raise compiler.error(first, f"is {term.type.name}, needs to be number or date")
        return Term(term.type, applied(pick, term.run, *(compiler.expect(node, term.type) for node in rest)))

    return build


def _over_repeats(
    combine: Callable[[Sequence[Maybe]], Maybe], kinds: Sequence[Type], result: Type | None = None
) -> Callable[["Compiler", ast.Call], Term]:
    """A function of the values that one item has in all repeats of its form; `kinds` empty = any type."""

    def build(compiler: "Compiler", call: ast.Call) -> Term:
        (node,) = _arguments(compiler, call, 1)
        ref, found = compiler.look_up(node, repeats=True)
        if kinds and found not in kinds:
            raise compiler.error(node, f"is {found.name}, needs to be {' or '.join(kind.name for kind in kinds)}")
        return Term(result or found, lambda context: combine(context.values(ref)))

    return build


def _latest(compiler: "Compiler", call: ast.Call) -> Term:
    """The latest date that an item has among the repeats of its form, not after a given one.

    Repeats without a value do not count, nor do partial dates that may lie later.
    """
    node, until = _arguments(compiler, call, 2)
    ref, found = compiler.look_up(node, repeats=True)
    if found != DATE:
        raise compiler.error(node, f"is {found.name}, needs to be {DATE.name}")
    limit = compiler.expect(until, DATE)

    def run(context: Any) -> Maybe:
        last = limit(context)
        if not isinstance(last, date):  # unknown, or only known in part
            return UNKNOWN
        days = [day for day in context.values(ref) if isinstance(day, date) and day <= last]
        return max(days, default=UNKNOWN)

    return Term(DATE, run)


def _count(values: Sequence[Maybe]) -> Maybe:
    return Decimal(sum(value is not UNKNOWN for value in values))


def _sum(values: Sequence[Maybe]) -> Maybe:
    total = Decimal(0)
    for value in values:
        if not isinstance(value, Decimal):
            return UNKNOWN
        total = EXACT.add(total, value)
    return total


def _of_known(choose: Callable[..., Any]) -> Callable[[Sequence[Maybe]], Maybe]:
    def combine(values: Sequence[Maybe]) -> Maybe:
        undecided = not values or any(value is UNKNOWN or isinstance(value, PartialDate) for value in values)
        return UNKNOWN if undecided else choose(values)

    return combine


def _days(start: date | PartialDate, end: date | PartialDate) -> Maybe:
    if isinstance(start, PartialDate) or isinstance(end, PartialDate):
        return UNKNOWN
    return Decimal((end - start).days)


def _hours(start: datetime, end: datetime) -> Maybe:
    passed = end - start
    return EXACT.divide(Decimal(passed.days * 86400 + passed.seconds), Decimal(3600))


def _years(start: date | PartialDate, end: date | PartialDate) -> Maybe:
    """Full years, as ages are counted; decided only when every possible day gives the same."""
    (start_first, start_last), (end_first, end_last) = span(start), span(end)
    fewest, most = _full_years(start_last, end_first), _full_years(start_first, end_last)
    return Decimal(fewest) if fewest == most else UNKNOWN


def _full_years(start: date, end: date) -> int:
    return end.year - start.year - ((end.month, end.day) < (start.month, start.day))


def _year(day: date | PartialDate) -> Maybe:
    return Decimal(day.year)


FUNCTIONS: dict[str, Callable[["Compiler", ast.Call], Term]] = {
    "missing": _missing,
    "reason": _reason,
    "days": _fixed(_days, NUMBER, DATE, DATE),
    "hours": _fixed(_hours, NUMBER, DATETIME, DATETIME),
    "years": _fixed(_years, NUMBER, DATE, DATE),
    "year": _fixed(_year, NUMBER, DATE),
    "abs": _fixed(EXACT.abs, NUMBER, NUMBER),
    "min": _extreme(min),
    "max": _extreme(max),
    "round": _round,
    "lookup": _lookup,
    "scale": _scale,
    "response": _fixed(_unless_refused(response), Type(TEXT.name, RESPONSES), NUMBER, NUMBER, NUMBER),
    "pain_response": _fixed(
        _unless_refused(pain_response), Type(TEXT.name, PAIN_RESPONSES), NUMBER, NUMBER, NUMBER, NUMBER
    ),
    "if_": _if,
    "one_of": _one_of,
    "count_of": _over_repeats(_count, [], NUMBER),
    "sum_of": _over_repeats(_sum, [NUMBER]),
    "min_of": _over_repeats(_of_known(min), [NUMBER, DATE, DATETIME]),
    "latest_of": _latest,
    "max_of": _over_repeats(_of_known(max), [NUMBER, DATE, DATETIME]),
}
