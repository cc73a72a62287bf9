"""The words of a definition: translated texts, code lists and what names may look like."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from trials.reading import SOURCE, WORDS, many, matching, needs, record

MISSING_CODES = {
    "ND": _("Not done"),
    "UNK": _("Unknown"),
    "NA": _("Not applicable"),
    "REF": _("Refused"),
    "ILL": _("Too ill"),
}

OID = matching(r"[A-Z][A-Z0-9_]{0,39}", "a name of capital letters, digits and _ (at most 40)")
NAME = matching(r"[a-z][a-z0-9_]{0,39}", "a name of small letters, digits and _ (at most 40)")
CODE = matching(r"[A-Za-z0-9_.-]{1,32}", "a code of letters, digits, _ . - (at most 32)")


@dataclass(frozen=True, kw_only=True)
class Text:
    """The same sentence in bokmål and English; `str()` gives the one of the active language."""

    nb: str = needs(WORDS)
    en: str = needs(WORDS)

    def __str__(self) -> str:
        return self.nb if (get_language() or "").startswith(("nb", "no")) else self.en


TEXT = record(Text)


@dataclass(frozen=True, kw_only=True)
class CodeListItem:
    code: str = needs(CODE)
    label: Text = needs(TEXT)
    source: str = needs(SOURCE)


@dataclass(frozen=True, kw_only=True)
class CodeList:
    oid: str = needs(OID)
    label: Text = needs(TEXT)
    items: tuple[CodeListItem, ...] = needs(many(record(CodeListItem), least=1))
    source: str = needs(SOURCE)

    @cached_property
    def codes(self) -> tuple[str, ...]:
        return tuple(item.code for item in self.items)

    def label_of(self, code: str) -> Text:
        """Raises KeyError for a code that is not in the list."""
        return self._labels[code]

    @cached_property
    def _labels(self) -> dict[str, Text]:
        return {item.code: item.label for item in self.items}


YES_NO = CodeList(
    oid="YN",
    label=Text(nb="Ja eller nei", en="Yes or no"),
    items=(
        CodeListItem(code="Y", label=Text(nb="Ja", en="Yes"), source="protocol"),
        CodeListItem(code="N", label=Text(nb="Nei", en="No"), source="protocol"),
    ),
    source="protocol",
)
