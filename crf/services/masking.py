"""Taking out identity that was typed by mistake: asked for by one person, done by another (AUD-14)."""

import uuid
from collections.abc import Sequence

from django.db import connection
from django.utils.translation import gettext as _

from crf.entry.document import NOTHING
from crf.models import Draft, FormData, MaskRequest
from crf.policies import lock_words, standing_lock
from crf.selectors.masking import places_of
from crf.selectors.place import place_of
from crf.services.recalculation import follow, write
from crf.services.visits import explained, lock_subject
from pallsoft.accounts.models import User
from pallsoft.audit.anchors import anchor
from pallsoft.audit.context import change_set
from pallsoft.errors import InvalidInput, NotAllowedNow, NotPermitted
from sites.permissions import Permission, require


def request_masking(
    *,
    form: FormData,
    item_oid: str,
    changes: Sequence[int],
    messages: Sequence[str],
    reason: str,
    key: uuid.UUID,
    by: User,
) -> MaskRequest:
    """Ask that values of an item (rows of its trail, 0 the first values) and messages of its queries be emptied.

    Nothing changes until another person confirms. `key`: a double click asks once. Raises InvalidInput, also for what
    the person does not see, and NotPermitted.
    """
    site = form.subject.site
    role = require(by, Permission.MASK, form.study, site)
    reason = explained(reason, _("Say what was typed by mistake, without repeating it."))
    chosen = {*map(str, changes), *messages}
    if not chosen or not chosen <= {place.value for place in places_of(form, item_oid, by)}:
        raise InvalidInput({"chosen": [_("Choose at least one of the texts.")]})
    with change_set(study=form.study, by=by, action="crf.request_masking", reason=reason, role=role, site=site):
        lock_subject(form.subject)
        standing = MaskRequest.objects.filter(request_key=key, requested_by=by).first()
        if standing:
            return standing
        return MaskRequest.objects.create(
            study=form.study,
            subject=form.subject,
            form_data=form,
            item_oid=item_oid,
            changes=sorted(set(changes)),
            messages=sorted(set(messages)),
            reason=reason,
            requested_by=by,
            request_key=key,
        )


def confirm_masking(*, request: MaskRequest, by: User) -> int:
    """Empty what was asked for: in the form, its trail, deviations, messages and drafts. Who, when and why stay.

    Returns how many rows of the trail were emptied. Raises NotPermitted for who asked, NotAllowedNow when it was
    decided already or the form is locked.
    """
    site = request.subject.site
    role = require(by, Permission.MASK, request.study, site)
    _check_other(request, by)
    with change_set(
        study=request.study, by=by, action="audit.mask", reason=request.reason, role=role, site=site
    ) as act:
        subject = lock_subject(request.subject)
        request = MaskRequest.objects.select_related("study", "form_data__event").get(pk=request.pk)
        _check_waiting(request)
        form = request.form_data
        form.subject = form.event.subject = subject
        if lock := standing_lock(form.event, form.form_oid):
            raise NotAllowedNow(lock_words(lock))
        texts = _texts(request)
        request.confirmed_in = act
        request.save(update_fields=["confirmed_in"])
        _take_out(form, request.item_oid, texts, by)
        _forget_drafts(form, texts)
        with connection.cursor() as cursor:
            cursor.execute("SELECT audit.mask(%s)", [request.pk])
            (emptied,) = cursor.fetchone()
        anchor(request.study, "mask")
    return int(emptied)


def refuse_masking(*, request: MaskRequest, reason: str, by: User) -> MaskRequest:
    """Decide that nothing is masked. Raises InvalidInput without a reason."""
    site = request.subject.site
    role = require(by, Permission.MASK, request.study, site)
    _check_other(request, by)
    reason = explained(reason, _("Say why nothing is masked."))
    with change_set(
        study=request.study, by=by, action="crf.refuse_masking", reason=reason, role=role, site=site
    ) as act:
        lock_subject(request.subject)
        request = MaskRequest.objects.get(pk=request.pk)
        _check_waiting(request)
        request.refused_in = act
        request.save(update_fields=["refused_in"])
    return request


def _check_other(request: MaskRequest, by: User) -> None:
    if request.requested_by_id == by.pk:
        raise NotPermitted(_("Another person than the one who asked has to confirm this."))


def _check_waiting(request: MaskRequest) -> None:
    if not request.is_waiting:
        raise NotAllowedNow(_("This has been decided already."))


def _texts(request: MaskRequest) -> set[str]:
    """What the chosen rows of the trail say, as the database reads them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT audit.texts_of(t.new) FROM audit.trail t WHERE t.tbl = 'crf_formdata' AND t.row_id = %s"
            " AND t.item = %s AND t.part <> '' AND t.change = ANY (%s)",
            [request.form_data_id, request.item_oid, request.changes],
        )
        return {text for (text,) in cursor.fetchall()}


def _take_out(form: FormData, oid: str, texts: set[str], by: User) -> None:
    """What the form holds now, when it is one of these texts; the rules then settle the form without it."""
    mark = form.marks.get(oid, {})
    explained_as = set(mark.get("checks", {}).values())
    held = {form.data.get(oid, ""), mark.get("entered", ""), mark.get("set_aside", "")} | explained_as
    if held.isdisjoint(texts):
        return
    place = None if form.removed_in else place_of(form.event, form.form_oid, form.repeat_key)
    if place is None or place.row is None:
        form.data.pop(oid, None)
        form.marks.pop(oid, None)
        form.version += 1
        form.save(update_fields=["data", "marks", "version"])
        return
    row = place.row
    write(row, place.rules.settle(place.current, {oid: NOTHING}, {}))
    if not explained_as.isdisjoint(texts):
        row.marks.pop(oid, None)
    row.version += 1
    row.save()
    follow(place.answers, row, {oid}, by)


def _forget_drafts(form: FormData, texts: set[str]) -> None:
    """Nobody's draft of the form keeps it."""
    drafts = Draft.objects.filter(
        subject=form.subject,
        event_oid=form.event.event_oid,
        ordinal=form.event.ordinal,
        form_oid=form.form_oid,
        repeat_key=form.repeat_key,
    )
    for draft in drafts:
        kept = {name: typed for name, typed in draft.raw.items() if not any(text in str(typed) for text in texts)}
        if kept != draft.raw:
            draft.raw = kept
            draft.save(update_fields=["raw"])
