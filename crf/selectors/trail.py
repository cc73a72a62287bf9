"""The trail of a form in the reader's words."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.http import Http404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crf.entry.document import Answer
from crf.models import FormData, FormStatus
from crf.selectors.loading import sees_arm
from crf.selectors.place import Place
from crf.selectors.words import answer_words
from pallsoft.audit.selectors import TrailRow, trail_for
from pallsoft.templatetags.ui import moment
from sites.models import Role
from sites.permissions import AnyUser
from trials.definition import MISSING_CODES, ItemDef

ACTIONS = {
    "crf.save_form": gettext_lazy("Saved"),
    "crf.save_new_forms": gettext_lazy("Saved"),
    "crf.recalculate": gettext_lazy("Computed again"),
    "crf.void_form": gettext_lazy("Removed"),
}
COLUMNS = {
    "status": gettext_lazy("Status of the form"),
    "observed_at": gettext_lazy("Time of observation"),
    "removed_in": gettext_lazy("Removed"),
}
MARKS = {
    "missing": gettext_lazy("missing: %(value)s"),
    "by_rule": gettext_lazy("by rule"),
    "entered": gettext_lazy("typed as “%(value)s”"),
    "unit": gettext_lazy("unit: %(value)s"),
    "set_aside": gettext_lazy("set aside: %(value)s"),
    "set_aside_missing": gettext_lazy("set aside: %(value)s"),
    "checks": gettext_lazy("explained: %(value)s"),
}


@dataclass(frozen=True)
class Line:
    """One change as a reader sees it."""

    at: datetime
    by: str
    role: str
    action: str
    what: str
    old: str
    new: str
    reason: str


@dataclass(frozen=True)
class Trail:
    """`item`: the one asked for, None for the whole form."""

    item: ItemDef | None
    lines: list[Line]


def form_trail(place: Place, form: FormData, user: AnyUser, item_oid: str) -> Trail:
    """Of the form stored at `place`, newest first, without items that the reader may not see (AUD-11).

    Raises Http404 for an item that is none.
    """
    with_arm = sees_arm(user, place.subject)
    items = {item.oid: item for item in place.form.items if with_arm or not item.reveals_arm}
    if item_oid and item_oid not in items:
        raise Http404
    rows = trail_for(table="crf_formdata", row_id=form.pk, item=item_oid or None)
    lines = [_line(place, items, row) for row in rows if (row.item in items if row.part else row.item in COLUMNS)]
    return Trail(items.get(item_oid), lines)


def _line(place: Place, items: dict[str, ItemDef], row: TrailRow) -> Line:
    what, words = _reading(place, items, row)
    return Line(
        at=row.at,
        by=row.actor_name,
        role=str(Role(row.role).label) if row.role else _("The system"),
        action=str(ACTIONS.get(row.action, row.action)),
        what=what,
        old=words(row.old),
        new=words(row.new),
        reason=row.reason,
    )


def _reading(place: Place, items: dict[str, ItemDef], row: TrailRow) -> tuple[str, Callable[[Any], str]]:
    """What was changed, and how its values are said."""
    if row.part == "data":
        item = items[row.item]
        return str(item.label), partial(_value, place, item)
    if row.part == "marks":
        item = items[row.item]
        return _("%(question)s (note)") % {"question": item.label}, partial(_mark, place, item)
    return str(COLUMNS[row.item]), _COLUMN_WORDS[row.item]


_COLUMN_WORDS: dict[str, Callable[[Any], str]] = {
    "status": lambda value: str(FormStatus(value).label) if value else "",
    "observed_at": lambda at: moment(datetime.fromisoformat(at)) if at else "",
    "removed_in": lambda change_set: _("Yes") if change_set else "",
}


def _value(place: Place, item: ItemDef, value: Any) -> str:
    return answer_words(place.study, item, Answer(value), place.zone) if value else ""


def _mark(place: Place, item: ItemDef, mark: dict[str, Any] | None) -> str:
    return "; ".join(_note(place, item, key, value) for key, value in (mark or {}).items())


def _note(place: Place, item: ItemDef, key: str, value: Any) -> str:
    if key in {"missing", "set_aside_missing"}:
        value = MISSING_CODES.get(value, value)
    if key == "set_aside":
        value = _value(place, item, value)
    if key == "checks":
        value = "; ".join(text for text in value.values() if text)
    return str(MARKS[key]) % {"value": value} if key in MARKS else str(value)
