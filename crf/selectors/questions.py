"""The panels above a form that waits for a person: reasons and explanations, or two versions side by side."""

from collections.abc import Mapping
from typing import Any

from crf.entry.document import Answer
from crf.entry.interruptions import AnswersNeeded, EditConflict
from crf.selectors.place import Place
from crf.selectors.words import answer_words


def questions_panel(place: Place, needed: AnswersNeeded, why: Mapping[str, str]) -> dict[str, Any]:
    """`changes`: [{label, old, new}] that need one reason; `checks`: [{oid, message, why}] that ask why."""
    messages = {check.oid: check.message for check in place.form.checks}
    return {
        "changes": [
            {
                "label": change.item.label,
                "old": _words(place, change.item.oid, change.old),
                "new": _words(place, change.item.oid, change.new),
            }
            for change in needed.changes
        ],
        "checks": [
            {"oid": one.oid, "message": messages[one.oid], "why": why.get(one.oid, "")} for one in needed.checks
        ],
    }


def conflict_panel(place: Place, conflict: EditConflict) -> dict[str, Any]:
    """`clashes`: [{oid, label, theirs, mine, by, at}]."""
    return {
        "clashes": [
            {
                "oid": one.clash.item_oid,
                "label": place.study.item(one.clash.item_oid).label,
                "theirs": _words(place, one.clash.item_oid, one.clash.theirs),
                "mine": _words(place, one.clash.item_oid, one.clash.mine),
                "by": one.by,
                "at": one.at,
            }
            for one in conflict.clashes
        ]
    }


def _words(place: Place, oid: str, answer: Answer) -> str:
    return answer_words(place.study, place.study.item(oid), answer, place.zone)
