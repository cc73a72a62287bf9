"""From syntax tree to typed closures. A node that has no method here is not in the language."""

import ast
import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from trials.expressions import functions
from trials.expressions.errors import ExpressionError
from trials.expressions.operators import ARITHMETIC, COMPARE, COMPARE_DATES, all_of, any_of, applied
from trials.expressions.terms import NUMBER, TEXT, TRUTH, Run, Term, Type
from trials.values import EXACT

if TYPE_CHECKING:
    from trials.expressions import Env

_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")
_PLAIN_TEXT = re.compile(r"'[^']*'|\"[^\"]*\"")


class Compiler:
    """Compiles one expression; `names` collects its references, in order: {reference: over all repeats?}."""

    def __init__(self, source: str, env: "Env") -> None:
        self.source = source
        self.env = env
        self.names: dict[str, bool] = {}

    def term(self, node: ast.expr) -> Term:
        method: Callable[[Any], Term] | None = getattr(self, f"_{type(node).__name__.lower()}", None)
        if method is None:
            raise self.error(node, "is not part of the language")
        return method(node)

    def expect(self, node: ast.expr, wanted: Type) -> Run:
        """The closure of `node`, which must have the type `wanted`."""
        term = self.term(node)
        if term.type.name != wanted.name:
            raise self.error(node, f"is {term.type.name}, needs to be {wanted.name}")
        return term.run

    def error(self, node: ast.expr, message: str) -> ExpressionError:
        return ExpressionError(f"{self.text(node)} {message}", node.col_offset + 1)

    def text(self, node: ast.expr) -> str:
        return self.source[node.col_offset : node.end_col_offset]

    def reference(self, node: ast.expr) -> str:
        """The reference that `node` is: NAME or PREFIX.NAME."""
        if isinstance(node, ast.Name):
            return node.id
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            return f"{node.value.id}.{node.attr}"
        raise self.error(node, "is not a reference")

    def look_up(self, node: ast.expr, repeats: bool = False) -> tuple[str, Type]:
        """The reference that `node` is, noted in `names`, and its type."""
        ref = self.reference(node)
        try:
            found = self.env.type_of(ref, repeats)
        except LookupError as error:
            raise self.error(node, str(error.args[0])) from None
        self.names[ref] = repeats
        return ref, found

    def text_literal(self, node: ast.expr) -> str:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _PLAIN_TEXT.fullmatch(self.text(node)):
            return node.value
        raise self.error(node, "is not a text in quotes")

    def same_kind(self, node: ast.expr, left: Type, right: Type) -> None:
        """Refuse a comparison that has no meaning or can never be true."""
        if left.name != right.name:
            raise self.error(node, f"compares {left.name} with {right.name}")
        if left.codes is None or right.codes is None or left.codes & right.codes:
            return
        allowed, given = (left, right) if len(left.codes) >= len(right.codes) else (right, left)
        raise self.error(node, f"can never be equal: {_listed(given)} is not among {_listed(allowed)}")

    # One method per node of the whitelist, named after it.

    def _name(self, node: ast.Name) -> Term:
        ref, found = self.look_up(node)
        return Term(found, lambda context: context.value(ref))

    def _attribute(self, node: ast.Attribute) -> Term:
        ref, found = self.look_up(node)
        return Term(found, lambda context: context.value(ref))

    def _constant(self, node: ast.Constant) -> Term:
        if _NUMBER.fullmatch(self.text(node)):
            number = Decimal(self.text(node))
            return Term(NUMBER, lambda context: number)
        text = self.text_literal(node)
        return Term(Type(TEXT.name, frozenset([text])), lambda context: text)

    def _boolop(self, node: ast.BoolOp) -> Term:
        parts = [self.expect(value, TRUTH) for value in node.values]
        return Term(TRUTH, (all_of if isinstance(node.op, ast.And) else any_of)(parts))

    def _unaryop(self, node: ast.UnaryOp) -> Term:
        if isinstance(node.op, ast.Not):
            return Term(TRUTH, applied(lambda value: not value, self.expect(node.operand, TRUTH)))
        if isinstance(node.op, ast.USub):
            return Term(NUMBER, applied(EXACT.minus, self.expect(node.operand, NUMBER)))
        raise self.error(node, "is not part of the language")

    def _binop(self, node: ast.BinOp) -> Term:
        function = ARITHMETIC.get(type(node.op).__name__)
        if function is None:
            raise self.error(node, "uses a sign that is not part of the language")
        return Term(NUMBER, applied(function, self.expect(node.left, NUMBER), self.expect(node.right, NUMBER)))

    def _compare(self, node: ast.Compare) -> Term:
        sides = [node.left, *node.comparators]
        links = [self._link(node, *link) for link in zip(sides, node.ops, sides[1:], strict=False)]
        return Term(TRUTH, links[0] if len(links) == 1 else all_of(links))

    def _call(self, node: ast.Call) -> Term:
        name = node.func.id if isinstance(node.func, ast.Name) else None
        function = functions.FUNCTIONS.get(name or "")
        if function is None:
            raise self.error(node.func, "is not a function of the language")
        if node.keywords or any(isinstance(arg, ast.Starred) for arg in node.args):
            raise self.error(node, "takes plain values only")
        return function(self, node)

    def _link(self, node: ast.Compare, left: ast.expr, sign: ast.cmpop, right: ast.expr) -> Run:
        operator = type(sign).__name__
        if operator in ("In", "NotIn"):
            return self.membership(left, self._tuple_of_texts(right), negated=operator == "NotIn")
        if operator not in COMPARE:
            raise self.error(node, "uses a sign that is not part of the language")
        first, second = self.term(left), self.term(right)
        self.same_kind(node, first.type, second.type)
        if first.type.name == TRUTH.name:
            raise self.error(node, "compares conditions: join them with and, or, not")
        if first.type.name == TEXT.name and operator not in ("Eq", "NotEq"):
            raise self.error(node, "puts texts in order: only == and != compare texts")
        table = COMPARE_DATES if first.type.name == "date" else COMPARE
        return applied(table[operator], first.run, second.run)

    def membership(self, node: ast.expr, options: Sequence[ast.expr], negated: bool = False) -> Run:
        """Whether the text `node` is one of the literals `options`."""
        one = self.term(node)
        if one.type.name != TEXT.name:
            raise self.error(node, f"is {one.type.name}, needs to be text")
        for option in options:
            self.same_kind(option, one.type, Type(TEXT.name, frozenset([self.text_literal(option)])))
        texts = frozenset(self.text_literal(option) for option in options)
        return applied(lambda value: (value in texts) is not negated, one.run)

    def _tuple_of_texts(self, node: ast.expr) -> Sequence[ast.expr]:
        if isinstance(node, ast.Tuple) and node.elts:
            return node.elts
        raise self.error(node, "is not a list such as ('A', 'B')")


def _listed(codes: Type) -> str:
    return ", ".join(sorted(codes.codes or ()))
