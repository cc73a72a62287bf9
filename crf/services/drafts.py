"""Drafts: what somebody types is on the server before it is saved, so that nothing typed is lost (DAT-10).

A draft is no data: no rule runs, no trail is written, nobody but its author sees it.
"""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime

from django.db import connection, transaction
from django.db.models import QuerySet

from crf.entry.drafted import Page, TypedText, check_text, joined, left, names_of
from crf.entry.refusal import Refused
from crf.models import Draft, StudyEvent
from crf.policies import check_can_enter_form
from crf.selectors.place import NEW, Place
from pallsoft.accounts.models import User
from pallsoft.audit.access import record_access
from pallsoft.errors import InvalidInput
from sites.models import Subject
from sites.permissions import Permission, require
from sites.policies import check_not_erased

KEPT_KEY = """
    SELECT statement_timestamp(), EXISTS (SELECT FROM crf_request WHERE user_id = %s AND key = %s),
        EXISTS (SELECT FROM sites_erasure WHERE subject_id = %s AND erased_at IS NOT NULL)
"""


def keep_draft(
    *, place: Place, typed: Mapping[str, TypedText], seen_version: int, page: Page, key: uuid.UUID, by: User
) -> datetime | None:
    """Keep what was typed in some fields of one form: {field name: text}. Returns when.

    Names that the form has not are passed over. `seen_version`: the version that the person looked at; the draft
    stays with the oldest one, so that saving it finds every change that came between. `key`: the one that the page
    will be saved by; None is returned when it has been, for a late message must not bring back a draft (PC026).

    Raises NotPermitted, NotAllowedNow for a closed form or an erased subject, InvalidInput for what cannot be kept.
    """
    require(by, Permission.ENTER_DATA, place.subject.study, place.subject.site)
    names = names_of(place.form)
    typed = {name: one for name, one in typed.items() if name in names}
    _check(typed)
    with transaction.atomic():
        _hold(place.subject)
        now, saved, erased = _standing(place.subject, by, key)
        if saved:
            return None
        check_not_erased(erased)
        check_can_enter_form(place.event, place.form, consented=place.answers.consent is not None)
        at = round(now.timestamp() * 1000)
        draft = drafts_at(place.event, place.form.oid, place.repeat_key, page, by).first()
        if draft is None:
            draft = _begun(place, page, by, seen_version)
        draft.raw = joined(draft.raw, typed, now=at, tab=page.tab)
        draft.base_version = min(draft.base_version, seen_version)
        draft.updated_at = now
        draft.save()
    return now


def discard_draft(*, place: Place, page: Page, by: User) -> None:
    """Throw a draft away because its author says so. The access log notes that there was one, not what it held."""
    require(by, Permission.ENTER_DATA, place.subject.study, place.subject.site)
    with transaction.atomic():
        gone, _tables = drafts_at(place.event, place.form.oid, place.repeat_key, page, by).delete()
        if gone:
            visit = f"{place.event.event_oid}-{place.event.ordinal}"
            record_access(user=by, subject=place.subject, what=f"discard draft of {place.form.oid}, {visit}")


def drop_saved(event: StudyEvent, form_oid: str, repeat_key: str, page: Page, by: User) -> None:
    """Part of a save: its draft goes along, but for what another page of the form still waits with."""
    for draft in drafts_at(event, form_oid, repeat_key, page, by):
        draft.raw = left(draft.raw, page)
        if draft.raw:
            draft.save(update_fields=["raw"])
        else:
            draft.delete()


def drafts_at(event: StudyEvent, form_oid: str, repeat_key: str, page: Page, by: User) -> QuerySet[Draft]:
    """The draft of one person at one place; at most one."""
    return Draft.objects.filter(
        user=by,
        subject_id=event.subject_id,
        event_oid=event.event_oid,
        ordinal=event.ordinal,
        form_oid=form_oid,
        repeat_key=_key(repeat_key, page),
    )


def _key(repeat_key: str, page: Page) -> str:
    return f"{NEW}-{page.tab}" if repeat_key == NEW else repeat_key


def _begun(place: Place, page: Page, by: User, seen_version: int) -> Draft:
    return Draft(
        study_id=place.subject.study_id,
        user=by,
        subject=place.subject,
        event_oid=place.event.event_oid,
        ordinal=place.event.ordinal,
        form_oid=place.form.oid,
        repeat_key=_key(place.repeat_key, page),
        base_version=seen_version,
    )


def _hold(subject: Subject) -> None:
    """Drafts and saves of one subject come one after the other."""
    list(Subject.objects.select_for_update(no_key=True).filter(pk=subject.pk).values_list("pk"))


def _standing(subject: Subject, by: User, key: uuid.UUID) -> tuple[datetime, bool, bool]:
    """The time; was the page saved; is the subject erased?"""
    with connection.cursor() as cursor:
        cursor.execute(KEPT_KEY, [by.pk, key, subject.pk])
        now, saved, erased = cursor.fetchone()
    return now.astimezone(UTC), saved, erased


def _check(typed: Mapping[str, TypedText]) -> None:
    errors: dict[str, list[str]] = {}
    for name, one in typed.items():
        try:
            check_text(one.text)
        except Refused as refusal:
            errors[name] = [refusal.sentence]
    if errors:
        raise InvalidInput(errors)
