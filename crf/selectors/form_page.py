"""One form as its page shows it: what is stored, or what was just typed, under the rules as they stand now."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from crf.entry.document import Answer, Settled
from crf.entry.fields import Field, errors_on, field_of, source_words, typed_of
from crf.entry.parse import shown
from crf.entry.posted import Posted, Typed
from crf.models import LockKind
from crf.policies import check_can_enter_form, check_may_collect, lock_words, standing_lock
from crf.safety.picker import Picker, picker_for
from crf.selectors.beside import beside
from crf.selectors.locks import CHIPS
from crf.selectors.migration import newer_version
from crf.selectors.place import Place
from crf.selectors.words import answer_words
from pallsoft.audit.selectors import last_changes
from pallsoft.errors import NotAllowedNow
from sites.permissions import AnyUser, Permission, rights_at
from trials.definition import ItemDef

_UNSEEN = {"trail_url": "", "old": "", "beside": None}  # of an item on the patient's page


@dataclass
class FormPage:
    """What crf/form.html shows. `closed`: why nothing can be entered, "" when it can; `lock`: the chip of a lock.

    `ended`: why only what was observed earlier can be entered, for whoever writes when it was.
    `tab`, `opened`: of its draft.
    """

    place: Place
    groups: list[dict[str, Any]]
    closed: str
    may_enter: bool
    seen_version: int
    ended: str = ""
    lock: str = ""
    lock_url: str = ""  # for who freezes and locks
    newer: int = 0  # the version that the site uses now, for who may take the form to it
    observed_at: str = ""
    ask_identity: bool = False
    errors: list[dict[str, Any]] = field(default_factory=list)
    key: uuid.UUID = field(default_factory=uuid.uuid4)
    tab: str = field(default_factory=lambda: uuid.uuid4().hex)
    opened: int = 0

    @property
    def items(self) -> list[Field]:
        return [item for group in self.groups for item in group["items"]]

    def for_patient(self) -> "FormPage":
        """The patient's questions alone: nothing of the staff's, nothing computed, no earlier score, no history."""
        groups = []
        for group in self.groups:
            items = [item | _UNSEEN for item in group["items"] if not item["derived"]]
            if items and not group["by_staff"]:
                groups.append(group | {"items": items})
        return replace(self, groups=groups)

    @property
    def shown_oids(self) -> str:
        """What the browser shows, so that a preview needs to send only what differs."""
        return " ".join(item["oid"] for item in self.items if not (item["hidden"] or item["derived"]))

    @cached_property
    def picker(self) -> Picker | None:
        """The terms of adverse events that are offered on this form."""
        typed = {item["oid"]: item["value"] for item in self.items if not item["hidden"]}
        return picker_for(self.place.study, self.place.form.oid, typed)

    @property
    def by_proxy(self) -> bool:
        """Did somebody else answer for the patient? Then neither answers nor scores are the patient's (S08)."""
        by_link, plan = self.place.form.by_link, self.place.study.links
        return bool(by_link and plan and self.place.current.answer(by_link.who).value == plan.proxy)

    @property
    def title(self) -> str:
        repeat = f" {self.place.repeat_key}" if self.place.form.repeating and self.place.row else ""
        return f"{self.place.form.title}{repeat}"


def form_page(
    place: Place,
    user: AnyUser,
    posted: Posted | None = None,
    seen_version: int | None = None,
    *,
    looking_back: bool = False,
) -> FormPage:
    """The form; with `posted`, as it was typed, whether it could be read or not. `looking_back`: to read only."""
    posted = posted or Posted()
    settled = place.rules.settle(place.current, posted.answers, {})
    rights = rights_at(user, place.subject.study, place.subject.site)
    may_enter = Permission.ENTER_DATA in rights and not looking_back
    lock = None if looking_back else standing_lock(place.event, place.form.oid)
    ended = _ended(place) if may_enter else ""
    closed = _closed(place, ended) if may_enter else lock_words(lock) if lock else ""
    fields = _fields(place, rights, posted, settled, readonly=not may_enter or bool(closed))
    for oid, notes in beside(place, user, looking_back=looking_back).items():
        if oid in fields:
            fields[oid]["beside"] = notes
    version = place.row.version if place.row else 0
    return FormPage(
        place,
        _groups(place, settled, fields),
        closed,
        may_enter and not closed,
        version if seen_version is None else seen_version,
        ended="" if closed else ended,
        lock=CHIPS[LockKind(lock.kind)] if lock else "",
        lock_url=_lock_url(place, rights),
        newer=0 if looking_back else _newer(place, rights),
    )


def add_errors(page: FormPage, errors: Mapping[str, list[str]]) -> None:
    """Sentences at their items and in the summary; those of no item stand in the summary alone."""
    loose = errors_on({item["oid"]: item for item in page.items}, errors)
    page.errors += [{"text": text} for texts in loose.values() for text in texts]
    page.errors += [
        {"target": f"id_{item['name']}", "label": item["label"], "text": text}
        for item in page.items
        for text in item["errors"]
    ]


def form_url(place: Place, name: str = "form") -> str:
    subject, event = place.subject, place.event
    return reverse(name, args=[subject.study.oid, subject.number, *event.key, place.form.oid, place.repeat_key])


def _lock_url(place: Place, rights: frozenset[Permission]) -> str:
    if rights.isdisjoint({Permission.FREEZE, Permission.CONFIRM_UNLOCK}):
        return ""
    event = place.event
    return reverse("lock-form", args=[event.subject.study.oid, event.subject.number, *event.key, place.form.oid])


def _newer(place: Place, rights: frozenset[Permission]) -> int:
    version = newer_version(place) if Permission.MOVE_FORM in rights else None
    return version.number if version else 0


def _closed(place: Place, ended: str) -> str:
    """When a form is first saved, its page asks when that was observed; later it does not, so that nothing helps."""
    try:
        check_can_enter_form(place.event, place.form, consented=place.answers.consent is not None)
    except NotAllowedNow as refusal:
        return refusal.message
    return ended if place.row or place.answers.participation.is_erased else ""


def _ended(place: Place) -> str:
    """What a save would be refused with, when nothing else is said of when it was observed."""
    participation = place.answers.participation
    if not (participation.stops or participation.is_erased):  # as nearly always: no clock is asked
        return ""
    try:
        check_may_collect(place.event, participation, place.observed_on())
    except NotAllowedNow as refusal:
        return refusal.message
    return ""


def _fields(
    place: Place, rights: frozenset[Permission], posted: Posted, settled: Settled, readonly: bool
) -> dict[str, Field]:
    items = [item for item in place.form.items if not item.reveals_arm or Permission.VIEW_ARM in rights]
    earlier = _earlier(place)
    trail = form_url(place, "form-trail") if place.row and Permission.VIEW_TRAIL in rights else ""
    fields = {}
    for item in items:
        one = field_of(place.study, item, _typed(place, item, posted, settled))
        one["hidden"] = item.oid not in settled.outcome.items
        one["readonly"] = readonly
        one["old"] = earlier.get(item.oid, "")
        one["trail_url"] = f"{trail}?item={item.oid}" if trail else ""
        one["source"] = source_words(place.study, place.form.oid, item) if item.derived else ""
        fields[item.oid] = one
    return fields


def _typed(place: Place, item: ItemDef, posted: Posted, settled: Settled) -> Typed:
    if item.derived:
        value = settled.document.data.get(item.oid, "")
        return Typed(_derived_words(place, item, value))
    return posted.typed.get(item.oid) or typed_of(item, place.current.given(item.oid), place.zone)


def _derived_words(place: Place, item: ItemDef, value: str) -> str:
    listed = place.study.codes_of(item)
    if not value:
        return ""
    return str(listed.label_of(value)) if listed else shown(item, value, zone=place.zone)


def _groups(place: Place, settled: Settled, fields: Mapping[str, Field]) -> list[dict[str, Any]]:
    groups = []
    for group in place.form.groups:
        items = [fields[item.oid] for item in group.items if item.oid in fields]
        if items:
            visible = group.oid in settled.outcome.groups and not all(item["hidden"] for item in items)
            shown = {"oid": group.oid, "label": group.label, "hint": group.hint, "by_staff": group.by_staff}
            groups.append(shown | {"items": items, "hidden": not visible})
    return groups


def _earlier(place: Place) -> dict[str, str]:
    """The value before the newest change of each item; never a score, whose answer it would colour."""
    if place.row is None or place.form.kind == "patient":
        return {}
    changes = last_changes(table="crf_formdata", row_id=place.row.pk)
    return {
        oid: answer_words(place.study, place.study.item(oid), Answer(change.old), place.zone)
        for oid, change in changes.items()
        if change.part == "data" and change.old and oid in place.form.item_oids and place.study.item(oid).kind != "nrs"
    }


def read_back(place: Place) -> list[str]:
    """Dates that were typed in another form than they are stored in: the nurse sees what was understood."""
    dates = {"date", "partial_date", "datetime"}
    return [
        _("%(question)s: %(answer)s")
        % {
            "question": item.label,
            "answer": answer_words(place.study, item, place.current.answer(item.oid), place.zone),
        }
        for item in place.form.items
        if item.kind in dates and place.current.answer(item.oid).entered
    ]
