"""Saving a form: the one way in which answers get into the database (design.md §4)."""

import uuid
from collections.abc import Mapping
from copy import copy
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from crf.entry import limits
from crf.entry.document import Answer, Change, Settled
from crf.entry.drafted import ANY_PAGE, Page
from crf.entry.interruptions import AnswersNeeded
from crf.entry.refusal import Refused
from crf.models import FormData, StudyEvent
from crf.policies import check_can_enter_form, check_may_collect
from crf.selectors.meanwhile import changed_by_me
from crf.selectors.place import Place, new_row, place_of
from crf.services import replays
from crf.services.drafts import drop_saved
from crf.services.following import follow_form
from crf.services.recalculation import asked_outside, follow, write
from crf.services.visits import check_happened, explained, lock_subject, stored
from pallsoft.accounts.models import User
from pallsoft.audit.context import change_set
from pallsoft.errors import InvalidInput
from sites.clock import database_now
from sites.permissions import Permission, require
from trials.definition import ItemDef


@dataclass(frozen=True)
class SaveResult:
    """What was stored. `changed` false: the form already said all this, and nothing was written."""

    form_id: str
    repeat_key: str
    version: int
    saved_at: str  # ISO 8601, UTC
    changed: bool


def save_form(
    *,
    event: StudyEvent,
    form_oid: str,
    repeat_key: str = "1",
    values: Mapping[str, str],
    missing: Mapping[str, str] | None = None,
    entered: Mapping[str, str] | None = None,
    seen_version: int,
    key: uuid.UUID,
    by: User,
    reason: str = "",
    why: Mapping[str, str] | None = None,
    observed_at: datetime | None = None,
    page: Page = ANY_PAGE,
) -> SaveResult:
    """Store answers of one form: one change set, settled by the rules, merged with what others saved meanwhile.

    `event`: a visit, stored or not yet. `repeat_key`: NEW for the next repeat. `values`: {item OID: canonical text},
    "" clears; `missing`: {item OID: code}; an item in neither stays as it is. `entered`: texts as typed, kept beside
    the canonical ones. `seen_version`: the version that the person looked at, 0 for none. `key`: the same one gives
    the same answer again. `reason`: needed when stored answers change or go. `why`: {check OID: explanation} of soft
    checks. `observed_at`: aware, when it was not now (DAT-17). `page`: the page it comes from, whose draft goes.

    Raises InvalidInput, AnswersNeeded, EditConflict, Conflict (key used for something else), NotPermitted,
    NotAllowedNow.
    """
    role = require(by, Permission.ENTER_DATA, event.study, event.subject.site)
    body = replays.digest(
        [event.subject_id, event.key, form_oid, repeat_key, values, missing, reason, why, observed_at, seen_version]
    )
    with transaction.atomic():
        event.subject = lock_subject(event.subject)
        reason, why = explained(reason, ""), _explanations(why or {})
        answer = replays.answered(key=key, by=by, body_sha256=body)
        if answer is not None:
            return SaveResult(**answer)
        place = replace(place_of(event, form_oid, repeat_key), observed_at=observed_at)
        given = Given(values, missing or {}, entered or {}, reason, why)
        result = store(place, given, seen_version=seen_version, author=Author(by, role, "crf.save_form"))
        drop_saved(event, form_oid, repeat_key, page, by)
        replays.remember(key=key, by=by, body_sha256=body, response=asdict(result))
    return result


@dataclass(frozen=True)
class Given:
    """What was answered, as `save_form` takes it."""

    values: Mapping[str, str]
    missing: Mapping[str, str]
    entered: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""
    why: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Author:
    """Under whose name a change stands; `by` None is a participant, whose number is the name."""

    by: User | None
    role: str
    action: str
    name: str = ""


def store(place: Place, given: Given, *, seen_version: int, author: Author) -> SaveResult:
    """Part of a save, under the lock of the subject: check, settle, and store in a change set of its own.

    Raises InvalidInput, AnswersNeeded, EditConflict, NotAllowedNow.
    """
    observed_at, subject = place.observed_at, place.subject
    check_can_enter_form(place.event, place.form, consented=place.answers.consent is not None)
    check_observed(place, observed_at)
    check_collected(place, observed_at)
    mine = changed_by_me(place, checked(place, given.values, given.missing, given.entered), seen_version)
    row = place.row or new_row(place)
    settled = settle(place, row, mine, given.why)
    changes = place.rules.changes(place.current, settled.document)
    check_settled(place, settled, changes, given.reason)
    told = given.reason or _cause(changes)
    with change_set(
        study=subject.study,
        by=author.by,
        action=author.action,
        reason=told,
        role=author.role,
        site=subject.site,
        name=author.name,
    ):
        return _write_row(place, row, settled, changes, observed_at, author.by)


def checked(
    place: Place, values: Mapping[str, str], missing: Mapping[str, str], entered: Mapping[str, str]
) -> dict[str, Answer]:
    """The answers, each one that its item may hold. Raises InvalidInput with every fault."""
    items = {item.oid: item for item in place.form.items if not item.derived}
    errors: dict[str, list[str]] = {}
    given: dict[str, Answer] = {}
    for oid in {**values, **missing}:
        answer = Answer(values.get(oid, ""), missing.get(oid, ""), entered.get(oid, ""))
        try:
            _check_answer(place, items.get(oid), answer)
        except Refused as refusal:
            errors[oid] = [refusal.sentence]
        given[oid] = answer
    if errors:
        raise InvalidInput(errors)
    return given


def _check_answer(place: Place, item: ItemDef | None, answer: Answer) -> None:
    if item is None:
        raise Refused(_("The form has no such question to answer. Open the form again."))
    if answer.value and answer.missing:
        raise Refused(_("Give the value or the reason why it is missing, not both."))
    if answer.missing and answer.missing not in item.missing:
        raise Refused(_("Choose one of the reasons on the list."))
    if answer.value:
        listed = place.study.codes_of(item)
        limits.check(item, answer.value, listed.codes if listed else ())


def _explanations(why: Mapping[str, str]) -> dict[str, str]:
    return {oid: explained(text, "", f"why-{oid}") for oid, text in why.items()}


def check_observed(place: Place, observed_at: datetime | None) -> None:
    if observed_at is None:
        return
    try:
        check_happened(place.subject, observed_at.astimezone(place.zone).date())
    except InvalidInput as refusal:
        raise InvalidInput({"observed_at": refusal.errors["happened_on"]}) from None
    if observed_at > database_now():
        raise InvalidInput({"observed_at": [_("The time is in the future. Write when it was observed.")]})


def check_collected(place: Place, observed_at: datetime | None) -> None:
    """Raises NotAllowedNow for an answer that was observed, as far as is told, after the consent was withdrawn."""
    check_may_collect(place.event, place.answers.participation, place.observed_on(observed_at))


def settle(place: Place, row: FormData, mine: Mapping[str, Answer], why: Mapping[str, str]) -> Settled:
    """The document as the rules leave it; a form that asks for its own visit or repeats sees itself as it will be."""
    settled = place.rules.settle(place.current, mine, why)
    if place.form.item_oids.isdisjoint(asked_outside(place.study, place.form.oid)):
        return settled
    draft = copy(row)
    write(draft, settled)
    place.answers.put(draft)
    return place.rules.settle(place.current, mine, why)


def check_settled(place: Place, settled: Settled, changes: list[Change], reason: str) -> None:
    """Raises InvalidInput for what cannot be true, AnswersNeeded for what a person has to explain first."""
    impossible = place.rules.hard_violations(settled.outcome)
    if impossible:
        raise InvalidInput(impossible)
    unexplained = [] if reason else [change for change in changes if change.old and not change.by_rule]
    silent = {check.oid for check in place.form.checks if not check.asks_why}
    # Nobody asks a patient why an answer is what it is; the site sees the check afterwards.
    unasked = [check for check in settled.fired if not check.why and check.oid not in silent]
    unasked = [] if place.form.kind == "patient" else unasked
    if unexplained or unasked:
        raise AnswersNeeded(unexplained, unasked)


def _cause(changes: list[Change]) -> str:
    """Why stored answers change that nobody typed: the answers they follow from."""
    if not any(change.old for change in changes):
        return ""
    typed = ", ".join(str(change.item.label) for change in changes if not change.by_rule)
    return _("Follows from: %(items)s") % {"items": typed or _("another form")}


def _write_row(
    place: Place, row: FormData, settled: Settled, changes: list[Change], observed_at: datetime | None, by: User | None
) -> SaveResult:
    now = database_now()
    unchanged = place.row is not None and settled.document == place.current and observed_at in (None, row.observed_at)
    if not unchanged:
        dated = date_visit(place, observed_at or now)
        write(row, settled)
        row.observed_at = observed_at or row.observed_at
        row.version += 1
        row.save(force_insert=place.row is None)
        follow_form(row, place.study, place.current, settled, {change.item.oid for change in changes})
        follow(place.answers, row, {change.item.oid for change in changes} | dated, by)
    return SaveResult(str(row.pk), row.repeat_key, row.version, now.isoformat(), not unchanged)


def date_visit(place: Place, observed_at: datetime) -> set[str]:
    """The first thing saved of a visit dates it; a log has no day. Returns what changed for rules."""
    event = stored(place.event)
    if event.happened_on or place.study.event(event.event_oid).kind == "log":
        return set()
    event.happened_on = observed_at.astimezone(place.zone).date()
    event.save(update_fields=["happened_on"])
    return {"event.happened_on"}
