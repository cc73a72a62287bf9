"""Items as plain dicts for templates/crf/_item.html: no widgets, because a page of 30 must be quick (design §4)."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import get_language

from crf.entry.document import Answer
from crf.entry.parse import shown
from crf.entry.posted import Typed
from trials.definition import MISSING_CODES, ItemDef, StudyDef
from trials.scope import compiled

Field = dict[str, Any]
MOST_SOURCES = 12  # a score may be computed from a whole questionnaire


def field_of(study: StudyDef, item: ItemDef, typed: Typed) -> Field:
    """What a template needs of one item; the page adds errors, links and states."""
    return _asked(study, item.oid) | {"value": typed.text, "missing": typed.missing, "errors": []}


@lru_cache(maxsize=4096)
def _asked(study: StudyDef, oid: str) -> Field:
    """The question, which the definition alone decides; `question` names it."""
    item = study.item(oid)
    listed = study.codes_of(item)
    return {
        "question": (study, oid),
        "oid": item.oid,
        "name": item.oid,
        "label": item.label,
        "hint": item.hint,
        "kind": item.kind,
        "layout": item.layout,
        "missing_choices": [(code, MISSING_CODES[code]) for code in item.missing],
        "codes": [(one.code, one.label) for one in listed.items] if listed else [],
        "unit": item.unit,
        "anchors": item.anchors,
        "required": item.required,
        "derived": bool(item.derived),
        "length": item.length,
        "offers_terms": bool(study.safety and study.safety.term == oid),
    }


def typed_of(item: ItemDef, answer: Answer, zone: ZoneInfo) -> Typed:
    """What stands in the field for a stored answer."""
    return Typed(shown(item, answer.value, zone=zone) if answer.value else "", answer.missing)


def source_words(study: StudyDef, form_oid: str, item: ItemDef) -> str:
    """The questions that a derived item is computed from, by their labels; of a long row the first and the last."""
    return _source_words(study, form_oid, item.oid, get_language())


@lru_cache(maxsize=4096)
def _source_words(study: StudyDef, form_oid: str, item_oid: str, language: str | None) -> str:
    """`language`: that of the labels."""
    names = compiled(study, study.item(item_oid).derived or "", form_oid).names
    items = (name.rpartition(".")[2] for name in names if not name.partition(".")[0].islower())
    labels = list(dict.fromkeys(str(study.item(oid).label) for oid in items))
    return "; ".join(labels) if len(labels) <= MOST_SOURCES else f"{labels[0]} … {labels[-1]}"


def errors_on(fields: Mapping[str, Field], errors: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Put the sentences at their items; returns those that belong to none that is shown."""
    loose = dict(errors)
    for oid in errors:
        if oid in fields and not fields[oid].get("hidden"):
            fields[oid]["errors"] = loose.pop(oid)
    return loose
