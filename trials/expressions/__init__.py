"""The rules of a trial as data: a small language that cannot do harm (decision D7).

`compile(source, env)` checks names and types once, when a definition is published, and returns an `Expr`:

    expr = compile("NRS_PAIN >= 4 and not missing(fact.arm)", env)
    expr.names             # ("NRS_PAIN", "fact.arm"): what it asks for, in order, each once
    expr.type              # TRUTH
    expr.evaluate(context) # True, False or UNKNOWN

* Python's parser reads it, a whitelist decides: `and or not`, comparisons, `in`, `+ - * /`, names, `PREFIX.NAME`,
  text and decimal literals, the functions of `functions.py`. At most 500 characters and 100 nodes; no loops, so
  time is bounded.
* Numbers are exact decimals read from the source text. A comparison that partial dates do not decide is unknown.
* Logic is Kleene's: `false and unknown` is false, `true or unknown` is true, all else with unknown is unknown.
* `env` says what a name is when compiling (`Env`); `context` gives its value when evaluating (`Context`). References
  are plain text ("ITEM", "EVENT.ITEM", "fact.arm"): what they mean is the business of `trials.scope`.
"""

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from trials.expressions.compiler import Compiler
from trials.expressions.errors import ExpressionError
from trials.expressions.syntax import parse
from trials.expressions.terms import DATE, DATETIME, NUMBER, TEXT, TIME, TRUTH, Run, Type
from trials.values import Maybe

__all__ = [
    "DATE", "DATETIME", "NUMBER", "TEXT", "TIME", "TRUTH",
    "Context", "Env", "Expr", "ExpressionError", "Type", "compile", "score_in",
]  # fmt: skip


class Env(Protocol):
    """What names mean, asked while compiling. Both raise LookupError with a sentence when there is no such thing."""

    def type_of(self, ref: str, repeats: bool) -> Type:
        """The type of `ref`; `repeats` when it is asked for over all repeats (`sum_of`, …)."""

    def reasons_of(self, ref: str) -> frozenset[str]:
        """The missing-data codes that `ref` can have."""

    def table(self, oid: str) -> Mapping[str, Decimal]:
        """The rows of a lookup table."""


class Context(Protocol):
    """Where values come from, asked while evaluating."""

    def value(self, ref: str) -> Maybe: ...

    def reason(self, ref: str) -> str | None:
        """The missing-data code of `ref`, None when it has a value or was never asked."""

    def values(self, ref: str) -> Sequence[Maybe]:
        """One value per repeat; UNKNOWN for a repeat without one."""


@dataclass(frozen=True)
class Expr:
    """A compiled expression. `names`: its references in order, each once; `repeats`: those over all repeats."""

    source: str
    type: Type
    names: tuple[str, ...]
    repeats: frozenset[str]
    evaluate: Run


def compile(source: str, env: Env) -> Expr:
    """Compile `source`. Raises ExpressionError, which names the column, for anything that is not in the language."""
    compiler = Compiler(source, env)
    term = compiler.term(parse(source))
    repeats = frozenset(ref for ref, over_all in compiler.names.items() if over_all)
    return Expr(source, term.type, tuple(compiler.names), repeats, term.run)


def score_in(source: str) -> tuple[str, str] | None:
    """(instrument with version, scale) of a rule that is a score of an instrument; None of any other rule."""
    match parse(source):
        case ast.Call(ast.Name("scale"), [ast.Constant(str(instrument)), ast.Constant(str(scale)), *_]):
            return instrument, scale
    return None
