"""What a signer sees before signing, in words, and what has changed since it was shown or signed."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import models
from django.utils.translation import gettext as _

from crf.entry.document import Document
from crf.models import FormData, StudyEvent
from crf.selectors.definitions import definition_for
from crf.selectors.history import undone
from crf.selectors.signing import Signable, event_title, form_title
from crf.selectors.words import answer_words
from pallsoft.audit.selectors import TrailRow, changes_after
from pallsoft.templatetags.ui import moment, short_date
from trials.definition import ItemDef

TABLES = ["crf_formdata", "crf_studyevent"]
COLUMNS = {"removed_in", "observed_at", "definition_version_id"}
DATES = {"happened_on", "not_done_reason"}


@dataclass(frozen=True)
class Line:
    """One answer. `notes`: what was explained to a check."""

    label: str
    value: str
    notes: list[str]


@dataclass(frozen=True)
class ShownForm:
    row: FormData
    title: str
    visit: str
    lines: list[Line]


@dataclass(frozen=True)
class Difference:
    """One answer before and now, and who changed it last."""

    where: str
    what: str
    was: str
    now: str
    by: str
    at: datetime
    why: str


@dataclass
class Changes:
    """What the trail says of some rows, read once; see `changes_of`."""

    by_row: dict[UUID, list[TrailRow]] = field(default_factory=dict)

    def after(self, row_id: UUID, seal_n: int) -> list[TrailRow]:
        return [one for one in self.by_row.get(row_id, []) if (one.seal_n or 0) > seal_n]


def shown_form(row: FormData) -> ShownForm:
    """Every answer that counts, computed ones too, by the definition that the form was filled in under."""
    study, zone = definition_for(row), _zone(row)
    document = Document(row.data, row.marks)
    items = [item for item in study.form(row.form_oid).items if document.answer(item.oid)]
    lines = [
        Line(str(item.label), answer_words(study, item, document.answer(item.oid), zone), _notes(document, item))
        for item in items
    ]
    return ShownForm(row, form_title(row), event_title(row.event, [row]), lines)


def differences(signable: Signable, seal_n: int) -> list[Difference]:
    """What has changed in its scope after that link of the chain: forms, also those added or removed, and visits."""
    forms = _forms_of(signable)
    events = _events_of(signable)
    changes = changes_of([*forms, *events], seal_n)
    found = [line for row in forms for line in differences_of(row, changes.after(row.pk, seal_n))]
    return found + [line for event in events for line in _of_event(event, list(forms), changes.after(event.pk, seal_n))]


def changes_of(rows: Iterable[models.Model], seal_n: int) -> Changes:
    """One query for all rows."""
    found = Changes()
    for change in changes_after(tables=TABLES, rows=[row.pk for row in rows], seal_n=seal_n):
        found.by_row.setdefault(change.row_id, []).append(change)
    return found


def differences_of(row: FormData, changes: list[TrailRow]) -> list[Difference]:
    """Item by item; several changes of one item are one difference. `changes`: the oldest first."""
    if not changes:
        return []
    study, zone = definition_for(row), _zone(row)
    before, now = undone(row, changes[::-1]), Document(row.data, row.marks)  # type: ignore[arg-type]
    where = f"{event_title(row.event, [row])}: {form_title(row)}"
    found = [_of_column(where, row, change) for change in changes if not change.part and _is_told(change)]
    for item in study.form(row.form_oid).items:
        last = next((change for change in reversed(changes) if change.part and change.item == item.oid), None)
        if last is None or (before.answer(item.oid), _notes(before, item)) == (now.answer(item.oid), _notes(now, item)):
            continue
        was, is_now = (
            _with_notes(answer_words(study, item, doc.answer(item.oid), zone), doc, item) for doc in (before, now)
        )
        found.append(Difference(where, str(item.label), was, is_now, last.actor_name, last.at, last.reason))
    return found


def _zone(row: FormData) -> ZoneInfo:
    return ZoneInfo(row.subject.site.timezone)


def _notes(document: Document, item: ItemDef) -> list[str]:
    return [text for text in document.marks.get(item.oid, {}).get("checks", {}).values() if text]


def _with_notes(words: str, document: Document, item: ItemDef) -> str:
    return " – ".join([words, *_notes(document, item)])


def _is_told(change: TrailRow) -> bool:
    return change.item in COLUMNS and change.change > 0


def _of_column(where: str, row: FormData, change: TrailRow) -> Difference:
    if change.item == "removed_in":
        words = (_("The form"), _("there"), _("removed"))
    elif change.item == "observed_at":
        was, now = (moment(datetime.fromisoformat(at)) if at else "–" for at in (change.old, change.new))
        words = (_("Time of observation"), was, now)
    else:
        words = (_("Version of the form"), _("the earlier one"), str(definition_for(row).version))
    return Difference(where, *words, change.actor_name, change.at, change.reason)


def _of_event(event: StudyEvent, rows: list[FormData], changes: list[TrailRow]) -> list[Difference]:
    labels = {"happened_on": _("The visit took place on"), "not_done_reason": _("Not done")}
    return [
        Difference(
            event_title(event, rows),
            labels[change.item],
            _event_words(change.old),
            _event_words(change.new),
            change.actor_name,
            change.at,
            change.reason,
        )
        for change in changes
        if change.item in DATES and (change.old or change.new)
    ]


def _event_words(value: Any) -> str:
    return short_date(value) if value and str(value)[:4].isdecimal() else str(value or "–")


def _forms_of(signable: Signable) -> list[FormData]:
    """Those that were removed too."""
    wanted: dict[str, Any] = {"subject": signable.subject}
    if signable.form:
        wanted["pk"] = signable.form.pk
    elif signable.event:
        wanted["event"] = signable.event
    rows = list(FormData.objects.filter(**wanted).select_related("event"))
    for row in rows:
        row.subject = signable.subject
    return rows


def _events_of(signable: Signable) -> list[StudyEvent]:
    if signable.form:
        return []
    return [signable.event] if signable.event else list(signable.subject.events.all())
