"""Translations without GNU gettext: .po → .mo in the format of the GNU gettext manual, "MO Files"."""

from __future__ import annotations

import ast
import os
import struct
from collections.abc import Iterator
from pathlib import Path

from tools.steps import ROOT

MAGIC = 0x950412DE


def compile_all(root: Path = ROOT) -> list[Path]:
    """Compiles each .po whose .mo is missing or older. Safe while others read or do the same."""
    fresh = [po for po in root.glob("locale/*/LC_MESSAGES/*.po") if _is_stale(po)]
    for po in fresh:
        partial = po.with_suffix(f".{os.getpid()}")
        partial.write_bytes(binary(entries(po.read_text(encoding="utf-8"))))
        partial.replace(po.with_suffix(".mo"))
    return fresh


def _is_stale(po: Path) -> bool:
    mo = po.with_suffix(".mo")
    return not mo.exists() or mo.stat().st_mtime_ns < po.stat().st_mtime_ns


def entries(text: str) -> dict[str, str]:
    """msgid → msgstr of a .po file; plural forms are joined by NUL, as the .mo wants them.
    Fuzzy and empty translations are left out, so that the English sentence shows."""
    found: dict[str, str] = {}
    for fields in _blocks(text):
        translation = "\0".join(value for name, value in fields.items() if name.startswith("msgstr"))
        is_header = not fields["msgid"]
        if translation.strip("\0") and (is_header or "fuzzy" not in fields["#"]):
            found[_key(fields)] = translation
    return found


def _key(fields: dict[str, str]) -> str:
    key = "\0".join(fields[name] for name in ("msgid", "msgid_plural") if name in fields)
    return f"{fields['msgctxt']}\x04{key}" if "msgctxt" in fields else key


def _blocks(text: str) -> Iterator[dict[str, str]]:
    """{"#": flags, "msgid": …, "msgstr[0]": …} for each entry, with or without an empty line between."""
    fields: dict[str, str] = {"#": ""}
    name = ""
    for line in filter(None, map(str.strip, text.splitlines())):
        if name.startswith("msgstr") and not line.startswith(('"', "msgstr")):
            yield fields
            fields, name = {"#": ""}, ""
        if line.startswith("#"):
            fields["#"] += line[2:] if line.startswith("#,") else ""
            continue
        if not line.startswith('"'):
            name, line = line.split(" ", 1)
            fields[name] = ""
        fields[name] += ast.literal_eval(line.strip())
    if name.startswith("msgstr"):
        yield fields


def binary(messages: dict[str, str]) -> bytes:
    """Two sorted tables of (length, offset) for originals and translations, then the texts."""
    pairs = sorted((k.encode(), v.encode()) for k, v in messages.items())
    count = len(pairs)
    texts = [key for key, _ in pairs] + [value for _, value in pairs]
    offset = 28 + 16 * count
    table = b""
    for text in texts:
        table += struct.pack("<2I", len(text), offset)
        offset += len(text) + 1
    header = struct.pack("<7I", MAGIC, 0, count, 28, 28 + 8 * count, 0, 0)
    return header + table + b"".join(text + b"\0" for text in texts)
