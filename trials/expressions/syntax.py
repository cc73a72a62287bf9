"""From text to a syntax tree of bounded size. What looks odd is refused before Python's parser sees it."""

import ast
import re

from trials.expressions.errors import ExpressionError

MAX_CHARACTERS = 500
MAX_NODES = 100

_QUOTED = re.compile(r"'[ -&(-\[\]-~]*'|\"[ !#-\[\]-~]*\"")  # printable ASCII but the backslash
_ODD = re.compile(r"[^A-Za-z0-9_.,()+\-*/<>=!'\" ]")
# Python would read 1e5, 0x10, 1_000, 1j and "1or"; people who check a protocol should not have to.
_ODD_NUMBER = re.compile(r"(?<![A-Za-z0-9_.])[0-9][0-9.]*[A-Za-z_]")


def parse(source: str) -> ast.expr:
    """The tree of `source`. Raises ExpressionError."""
    if len(source) > MAX_CHARACTERS:
        raise ExpressionError(f"is longer than {MAX_CHARACTERS} characters")
    line = re.sub(r"[\r\n\t]", " ", source).rstrip()
    _refuse_odd_signs(line)
    tree = _python_tree(line.lstrip(), indent=len(line) - len(line.lstrip()))
    if sum(isinstance(node, ast.expr) for node in ast.walk(tree)) > MAX_NODES:
        raise ExpressionError(f"has more than {MAX_NODES} parts")
    return tree


def _refuse_odd_signs(line: str) -> None:
    bare = _QUOTED.sub(lambda quoted: "'" + "x" * (len(quoted.group()) - 2) + "'", line)
    if odd := _ODD.search(bare):
        raise ExpressionError(f"{odd.group()!r} is not part of the language", odd.start() + 1)
    if odd := _ODD_NUMBER.search(bare):
        raise ExpressionError("numbers are written with digits and a point only", odd.start() + 1)


def _python_tree(text: str, indent: int) -> ast.expr:
    try:
        tree = ast.parse(text, mode="eval").body
    except SyntaxError as error:
        raise ExpressionError("cannot be read", indent + (error.offset or len(text) + 1)) from None
    except (ValueError, MemoryError, RecursionError):
        raise ExpressionError("cannot be read") from None
    for node in ast.walk(tree):
        if isinstance(node, ast.expr):
            node.col_offset += indent
            node.end_col_offset = (node.end_col_offset or 0) + indent
    return tree
