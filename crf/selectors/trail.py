"""The trail of a form in the reader's words, with what was asked and verified beside it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.http import Http404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crf.entry.document import Answer
from crf.models import PARTICIPANT, FormData, FormStatus, Query, Verification
from crf.selectors.loading import secrets_for
from crf.selectors.place import Place
from crf.selectors.secrets import Secret
from crf.selectors.words import answer_words
from pallsoft.audit.models import ChangeSet
from pallsoft.audit.selectors import TrailRow, trail_for
from pallsoft.templatetags.ui import moment
from sites.models import Role
from sites.permissions import AnyUser
from trials.definition import MISSING_CODES, FormDef, ItemDef, StudyDef

ACTIONS = {
    "audit.mask": gettext_lazy("Masked"),
    "crf.save_form": gettext_lazy("Saved"),
    "crf.save_new_forms": gettext_lazy("Saved"),
    "crf.answer_by_link": gettext_lazy("Answered by link"),
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
    """One change as a reader sees it. `masked`: identity was taken out of it since."""

    at: datetime
    by: str
    role: str
    action: str
    what: str
    old: str
    new: str
    reason: str
    masked: bool


@dataclass(frozen=True)
class Step:
    """A message of a query, or a verification given or dropped."""

    at: datetime
    by: str
    what: str
    text: str
    about: str


@dataclass(frozen=True)
class Trail:
    """`item`: the one asked for, None for the whole form. Each list with the newest first."""

    item: ItemDef | None
    lines: list[Line]
    queries: list[Step] = field(default_factory=list)
    verifications: list[Step] = field(default_factory=list)


def form_trail(place: Place, form: FormData, user: AnyUser, item_oid: str) -> Trail:
    """Of the form stored at `place`, newest first, without items that the reader may not see (AUD-11).

    Raises Http404 for an item that is none.
    """
    reader = Reader(place.study, place.form, place.zone, secrets_for(user, place.subject))
    if item_oid and item_oid not in reader.items:
        raise Http404
    rows = trail_for(table="crf_formdata", row_id=form.pk, item=item_oid or None)
    return Trail(
        reader.items.get(item_oid),
        [reader.line(row) for row in rows if reader.shows(row)],
        _query_steps(form, reader, item_oid),
        _verification_steps(form, reader, item_oid),
    )


def action_words(action: str) -> str:
    return str(ACTIONS.get(action, action))


def role_words(role: str) -> str:
    if role == PARTICIPANT:
        return _("The participant")
    return str(Role(role).label) if role else _("The system")


class Reader:
    """Says what changed in a form. Of a form read under `study`; `secret`: what the reader may not be told."""

    def __init__(self, study: StudyDef, form: FormDef, zone: ZoneInfo, secret: Secret) -> None:
        self.study, self.zone, self.secret = study, zone, secret
        self.items = {item.oid: item for item in form.items if item.oid not in secret.items}

    def shows(self, row: TrailRow) -> bool:
        if not row.part:
            return row.item in COLUMNS
        return row.item in self.items and not (row.part == "marks" and self._betrays(row))

    def _betrays(self, row: TrailRow) -> bool:
        """Does the note answer a check that tells the arm, beside an item that does not?"""
        keys = [key for mark in (row.old, row.new) for key in (mark or {}).get("checks", {})]
        return any(key.partition("@")[0] in self.secret.checks for key in keys)

    def line(self, row: TrailRow) -> Line:
        what, old, new = self.words(row)
        return Line(
            at=row.at,
            by=row.actor_name,
            role=role_words(row.role),
            action=action_words(row.action),
            what=what,
            old=old,
            new=new,
            reason=row.reason,
            masked=row.masked,
        )

    def words(self, row: TrailRow) -> tuple[str, str, str]:
        """What was changed, from what, to what."""
        what, words = self._reading(row)
        return what, words(row.old), words(row.new)

    def _reading(self, row: TrailRow) -> tuple[str, Callable[[Any], str]]:
        if row.part == "data":
            item = self.items[row.item]
            return str(item.label), partial(self._value, item)
        if row.part == "marks":
            item = self.items[row.item]
            return _("%(question)s (note)") % {"question": item.label}, partial(self._mark, item)
        return str(COLUMNS[row.item]), _COLUMN_WORDS[row.item]

    def _value(self, item: ItemDef, value: Any) -> str:
        return answer_words(self.study, item, Answer(value), self.zone) if value else ""

    def _mark(self, item: ItemDef, mark: dict[str, Any] | None) -> str:
        return "; ".join(self._note(item, key, value) for key, value in (mark or {}).items())

    def _note(self, item: ItemDef, key: str, value: Any) -> str:
        if key in {"missing", "set_aside_missing"}:
            value = MISSING_CODES.get(value, value)
        if key == "set_aside":
            value = self._value(item, value)
        if key == "checks":
            value = "; ".join(text for text in value.values() if text)
        return str(MARKS[key]) % {"value": value} if key in MARKS else str(value)


_COLUMN_WORDS: dict[str, Callable[[Any], str]] = {
    "status": lambda value: str(FormStatus(value).label) if value else "",
    "observed_at": lambda at: moment(datetime.fromisoformat(at)) if at else "",
    "removed_in": lambda change_set: _("Yes") if change_set else "",
}


def queries_told(form: FormData, reader: Reader) -> QuerySet[Query]:
    """Those at the form, without what a check that tells the arm asks, also at an item that does not."""
    queries = Query.objects.filter(event=form.event_id, form_oid=form.form_oid, repeat_key=form.repeat_key)
    return queries.exclude(reader.secret.queries)


def _query_steps(form: FormData, reader: Reader, item_oid: str) -> list[Step]:
    steps = [
        Step(
            message.at,
            message.created_in.actor_name,
            message.get_kind_display(),
            message.words,
            str(reader.items[query.item_oid].label),
        )
        for query in queries_told(form, reader).prefetch_related("messages__created_in")
        if query.item_oid in reader.items and item_oid in ("", query.item_oid)
        for message in query.messages.all()
    ]
    return sorted(steps, key=lambda step: step.at, reverse=True)


def _verification_steps(form: FormData, reader: Reader, item_oid: str) -> list[Step]:
    """Each mark given, and each that fell because its value changed."""
    marks = [
        mark
        for mark in Verification.objects.filter(form_data=form).select_related("verified_by")
        if mark.item_oid in reader.items and item_oid in ("", mark.item_oid)
    ]
    ends = ChangeSet.objects.in_bulk([mark.dropped_in for mark in marks if mark.dropped_in])
    steps = []
    for mark in marks:
        about = str(reader.items[mark.item_oid].label)
        given = _("Verified against: %(source)s") % {"source": mark.get_source_type_display()}
        steps.append(Step(mark.verified_at, mark.verified_by.full_name, given, "", about))
        if mark.dropped_in:
            end = ends[mark.dropped_in]
            steps.append(Step(end.at, end.actor_name, _("Verification dropped"), end.reason, about))
    return sorted(steps, key=lambda step: step.at, reverse=True)
