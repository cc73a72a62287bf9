"""The entries of the visit before, taken over unchanged: a statement of today, so each becomes a form of its own."""

import uuid

from django.db import transaction
from django.utils.translation import gettext as _

from crf.entry.document import Document
from crf.models import FormData, StudyEvent
from crf.selectors.place import NEW, Place, place_of
from crf.selectors.unchanged import unchanged_offer
from crf.services.saving import SaveResult, save_form
from crf.services.visits import lock_subject
from pallsoft.accounts.models import User
from pallsoft.errors import Conflict
from sites.permissions import Permission, require


def take_over_unchanged(*, event: StudyEvent, form_oid: str, seen: str, key: uuid.UUID, by: User) -> list[SaveResult]:
    """Store the entries that were offered as unchanged. `seen`: the digest of what the person looked at.

    Explanations that were given for an entry are taken over with it. The same `key` stores nothing twice. Raises
    Conflict when something else would be taken over than was shown, and whatever `save_form` raises.
    """
    require(by, Permission.ENTER_DATA, event.study, event.subject.site)
    with transaction.atomic():
        event.subject = lock_subject(event.subject)
        place = place_of(event, form_oid, NEW)
        offer = unchanged_offer(place.answers, place.event, place.form)
        if offer is None:
            return []
        if offer.digest != seen:
            raise Conflict(_("The entries of the visit before have changed meanwhile. Look at them again."))
        return [_take_over(place, row, uuid.uuid5(key, str(row.pk)), by) for row in offer.rows]


def _take_over(place: Place, row: FormData, key: uuid.UUID, by: User) -> SaveResult:
    document = Document(row.data, row.marks)
    given = {item.oid: document.given(item.oid) for item in place.form.items if not item.derived}
    return save_form(
        event=place.event,
        form_oid=place.form.oid,
        repeat_key=NEW,
        values={oid: answer.value for oid, answer in given.items() if answer.value},
        missing={oid: answer.missing for oid, answer in given.items() if answer.missing},
        seen_version=0,
        key=key,
        by=by,
        why=_told(row),
    )


def _told(row: FormData) -> dict[str, str]:
    """{check OID: why} as it was explained at the visit before."""
    checks = (mark.get("checks", {}) for mark in row.marks.values())
    return {key.partition("@")[0]: why for told in checks for key, why in told.items() if why}
