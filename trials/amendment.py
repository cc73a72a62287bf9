"""What a new version of a trial changes, and what it must not: two definitions compared (pure).

Stored answers live longer than versions. So nothing that could hold one ever vanishes or comes to mean something else:
an item that is no longer asked is `retired: true` (DAT-11).
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from trials.definition import CodeList, FormDef, ItemDef, StudyDef, StudyEventDef

ADDED, CHANGED, RETIRED, GONE = "added", "changed", "retired", "gone"


@dataclass(frozen=True)
class Difference:
    """`act`: added, changed, retired or gone. `what`: form, item, visit, check, criterion, consent … by its class."""

    act: str
    what: str
    oid: str
    label: str
    where: str = ""
    details: tuple[str, ...] = ()


def differences(old: StudyDef, new: StudyDef) -> list[Difference]:
    """Every part that is added, changed, retired or gone, in the order of the definition."""
    return [
        *_compared("visit", _events(old), _events(new)),
        *_compared("form", _by_oid(old.forms), _by_oid(new.forms), inside=("groups", "checks")),
        *_items(old, new),
        *_compared("check", _checks(old), _checks(new)),
        *_compared("code list", _by_oid(old.code_lists), _by_oid(new.code_lists)),
        *_compared("criterion", _by_oid(old.eligibility.criteria), _by_oid(new.eligibility.criteria)),
        *_compared("fact", _by_oid(old.facts), _by_oid(new.facts)),
        *_compared("gate", _by_oid(old.gates), _by_oid(new.gates)),
        *_compared("reminder", _by_oid(old.reminders.rules), _by_oid(new.reminders.rules)),
        *_consents(old, new),
    ]


def broken_promises(old: StudyDef, new: StudyDef) -> list[str]:
    """Why the new version may not follow the old one; nothing when it may."""
    return [*_lost(old, new), *_altered_items(old, new), *_altered_codes(old, new)]


def _lost(old: StudyDef, new: StudyDef) -> Iterator[str]:
    for event in old.events:
        if not new.has_event(event.oid):
            yield _("Visit %(oid)s is gone. A visit that was ever planned stays.") % {"oid": event.oid}
    for form in old.forms:
        if not new.has_form(form.oid):
            yield _("Form %(oid)s is gone. Keep it, and take it away from the visits that ask it no more.") % {
                "oid": form.oid
            }
        elif form.repeating != new.form(form.oid).repeating:
            yield _("Form %(oid)s was a list and is none now, or the other way. Ask with a new form.") % {
                "oid": form.oid
            }
    for form in old.forms:
        for item in form.items:
            if not new.has_item(item.oid):
                yield _("Item %(oid)s is gone. An item that was ever asked stays, with “retired: true”.") % {
                    "oid": item.oid
                }
            elif new.form_of(item.oid).oid != form.oid:
                yield _("Item %(oid)s has moved to another form. Give the new place an item of its own.") % {
                    "oid": item.oid
                }


def _altered_items(old: StudyDef, new: StudyDef) -> Iterator[str]:
    for before, now in _kept_items(old, new):
        if before.kind != now.kind:
            yield _("Item %(oid)s was %(old)s and is %(new)s. Retire it, and ask with a new item.") % {
                "oid": now.oid,
                "old": before.kind,
                "new": now.kind,
            }
        if before.unit != now.unit:
            yield _("Item %(oid)s has another unit. Retire it, and ask with a new item.") % {"oid": now.oid}
        if now.derived and not before.derived:
            yield _("Item %(oid)s was answered and is computed now. Retire it, and compute a new item.") % {
                "oid": now.oid
            }
        if narrowed := _narrowed(before, now):
            yield _("Item %(oid)s allows less than before (%(what)s), so stored answers would not fit.") % {
                "oid": now.oid,
                "what": ", ".join(narrowed),
            }


def _narrowed(before: ItemDef, now: ItemDef) -> list[str]:
    """The keys by which an answer that was right is refused now; what is unlikely is asked about by a check instead."""
    return [
        *(key for key in ("length", "decimals", "max") if _upper(now, key) < _upper(before, key)),
        *(["min"] if _lower(now) > _lower(before) else []),
        *(["missing"] if set(before.all_missing_codes) - set(now.all_missing_codes) else []),
    ]


def _upper(item: ItemDef, key: str) -> Decimal:
    limit = getattr(item, key)
    return Decimal("Infinity") if limit is None else Decimal(limit)


def _lower(item: ItemDef) -> Decimal:
    return Decimal("-Infinity") if item.min is None else item.min


def _altered_codes(old: StudyDef, new: StudyDef) -> Iterator[str]:
    for before, now in _kept_items(old, new):
        if old.form_of(before.oid).lacks_wording:  # a placeholder says nothing that could be altered
            continue
        was, is_now = old.codes_of(before), new.codes_of(now)
        if was and is_now:
            for code in was.codes:
                if message := _altered_code(was, is_now, code):
                    yield message % {"oid": now.oid, "code": code}


def _altered_code(was: CodeList, is_now: CodeList, code: str) -> str:
    if code not in is_now.codes:
        return _("Code %(code)s of item %(oid)s is gone. Codes that were ever given stay.")
    before, now = was.label_of(code), is_now.label_of(code)
    if before.nb != now.nb and before.en != now.en:  # one language alone is a better translation
        return _("Code %(code)s of item %(oid)s means something else now. Give the new meaning a code of its own.")
    return ""


def _kept_items(old: StudyDef, new: StudyDef) -> Iterator[tuple[ItemDef, ItemDef]]:
    for form in old.forms:
        for item in form.items:
            if new.has_item(item.oid):
                yield item, new.item(item.oid)


def _items(old: StudyDef, new: StudyDef) -> Iterator[Difference]:
    before = {item.oid: item for form in old.forms for item in form.items}
    for form in new.forms:
        for item in form.items:
            known = before.pop(item.oid, None)
            if known is None:
                yield Difference(ADDED, "item", item.oid, str(item.label), str(form.title))
            elif item.retired and not known.retired:
                yield Difference(RETIRED, "item", item.oid, str(item.label), str(form.title))
            elif details := _details(known, item):
                yield Difference(CHANGED, "item", item.oid, str(item.label), str(form.title), details)
    for item in before.values():
        yield Difference(GONE, "item", item.oid, str(item.label))


def _consents(old: StudyDef, new: StudyDef) -> Iterator[Difference]:
    known = {version.version for version in old.consent.versions}
    for version in new.consent.versions:
        if version.version not in known:
            yield Difference(ADDED, "consent", version.version, f"{version.approved_on:%d.%m.%Y}")


def _compared(
    what: str, old: dict[str, Any], new: dict[str, Any], inside: tuple[str, ...] = ()
) -> Iterator[Difference]:
    """`inside`: parts that are compared by themselves."""
    for oid, part in new.items():
        if oid not in old:
            yield Difference(ADDED, what, oid, _label(part))
        elif details := _details(old[oid], part, inside):
            yield Difference(CHANGED, what, oid, _label(part), "", details)
    for oid, part in old.items():
        if oid not in new:
            yield Difference(GONE, what, oid, _label(part))


def _details(old: Any, new: Any, inside: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The keys that differ, with both values: "min: 0 → 10"."""
    names = [item.name for item in fields(new) if item.name not in inside]
    differing = [name for name in names if getattr(old, name) != getattr(new, name)]
    return tuple(f"{name}: {_said(getattr(old, name))} → {_said(getattr(new, name))}" for name in differing)


def _said(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(_said(one) for one in value) or "–"
    if is_dataclass(value):
        return str(getattr(value, "oid", "") or getattr(value, "form", "") or getattr(value, "code", "") or value)
    return "–" if value is None else str(value)


def _label(part: Any) -> str:
    return str(getattr(part, "label", None) or getattr(part, "title", None) or getattr(part, "message", ""))


def _by_oid(found: tuple[Any, ...]) -> dict[str, Any]:
    return {one.oid: one for one in found}


def _events(study: StudyDef) -> dict[str, StudyEventDef]:
    return {event.oid: event for event in study.events}


def _checks(study: StudyDef) -> dict[str, Any]:
    forms: tuple[FormDef, ...] = study.forms
    return {check.oid: check for form in forms for check in form.checks} | {check.oid: check for check in study.checks}
