"""The words of a form: of its scales, and of a licensed instrument as a pack brings them (trials/packs.py)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from trials.definition.texts import OID, TEXT, Text
from trials.reading import WORDS, mapping, may, needs, record


@dataclass(frozen=True, kw_only=True)
class NrsAnchors:
    """The words at the two ends of a numeric rating scale."""

    low: Text = needs(TEXT)
    high: Text = needs(TEXT)


@dataclass(frozen=True, kw_only=True)
class Wording:
    """Whose words a form asks in, and by which licence. `notice` stands under the form."""

    instrument: str = needs(WORDS)
    version: str = needs(WORDS)
    licence: str = needs(WORDS)
    notice: Text | None = may(TEXT)


@dataclass(frozen=True, kw_only=True)
class ItemWords:
    """The words of one question of a pack."""

    label: Text = needs(TEXT)
    hint: Text | None = may(TEXT)
    anchors: NrsAnchors | None = may(record(NrsAnchors))


@dataclass(frozen=True, kw_only=True)
class PackContent:
    """`study`: whose licence it is. `items`: each question that the patient is asked. `groups`: headings of sections.
    `answers`: {code list: {code: label}}. The rest as in Wording.
    """

    study: str = needs(OID)
    form: str = needs(OID)
    instrument: str = needs(WORDS)
    version: str = needs(WORDS)
    licence: str = needs(WORDS)
    notice: Text | None = may(TEXT)
    title: Text | None = may(TEXT)
    instructions: Text | None = may(TEXT)
    groups: Mapping[str, Text] = may(mapping(TEXT), {})
    items: Mapping[str, ItemWords] = needs(mapping(record(ItemWords)))
    answers: Mapping[str, Mapping[str, Text]] = may(mapping(mapping(TEXT)), {})
