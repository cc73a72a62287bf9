"""Find every message of the source without GNU gettext, and read a .po file."""

import ast
import re
from collections.abc import Iterable
from pathlib import Path

from django.utils.translation.template import templatize

CALLS = {"_", "gettext", "gettext_lazy", "gettext_noop", "ngettext", "ngettext_lazy", "pgettext", "pgettext_lazy"}
_LITERAL = r"""u?(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
LITERAL = re.compile(_LITERAL)
CALL = re.compile(rf"(n?p?gettext|_)\(\s*({_LITERAL}(?:\s*,\s*{_LITERAL})*)")


def messages_of_python(paths: Iterable[Path]) -> set[str]:
    return {message for path in paths for message in _messages(path.read_text(encoding="utf-8"))}


def _messages(source: str) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and _name(node.func) in CALLS:
            texts = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
            found.update(_keys(_name(node.func), texts))
    return found


def _name(function: ast.expr) -> str:
    return function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")


def messages_of_templates(paths: Iterable[Path]) -> set[str]:
    found: set[str] = set()
    for path in paths:
        code = templatize(path.read_text(encoding="utf-8"), origin=str(path))
        for function, call in CALL.findall(code):
            found.update(_keys(function, [ast.literal_eval(text) for text in LITERAL.findall(call)]))
    return found


def _keys(function: str, texts: list[str]) -> list[str]:
    """The messages of a call; one with a context is another message, as in gettext."""
    if "pgettext" not in function:
        return texts
    context, *messages = texts
    return [f"{context}\x04{message}" for message in messages]


def catalogue(path: Path) -> dict[str, str]:
    """{msgid: msgstr} of a .po file (plural forms: each msgid with its first form), after its context."""
    entries: dict[str, str] = {}
    for block in re.split(r"\n\s*\n", path.read_text(encoding="utf-8")):
        fields = _fields(block)
        if "#, fuzzy" in block or "msgid" not in fields:
            continue
        text = fields.get("msgstr") or fields.get("msgstr[0]", "")
        context = f"{fields['msgctxt']}\x04" if "msgctxt" in fields else ""
        entries[context + fields["msgid"]] = text
        if "msgid_plural" in fields:
            entries[context + fields["msgid_plural"]] = fields.get("msgstr[1]", "")
    return entries


def _fields(block: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    current = ""
    for line in block.splitlines():
        if match := re.match(r'(msgctxt|msgid|msgid_plural|msgstr(?:\[\d\])?)\s+(".*")', line):
            current = match[1]
            fields[current] = ast.literal_eval(match[2])
        elif line.startswith('"') and current:
            fields[current] += ast.literal_eval(line)
    return fields
