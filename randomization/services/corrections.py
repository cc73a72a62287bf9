"""Correct what a randomisation was made with: both values stay, the allocation too (S13, S14)."""

from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from pallsoft.accounts.models import User
from pallsoft.errors import InvalidInput, NotAllowedNow, NotPermitted
from randomization.corrections import Correctable, correctable
from randomization.models import Correction
from sites.acting import acting
from sites.models import Subject
from sites.permissions import Permission
from sites.services.holding import lock_kept_subject


def request_correction(*, subject: Subject, factor: str, value: str, source: str, reason: str, by: User) -> Correction:
    """The principal investigator says what the true value was, where that stands and why it was wrong.

    Raises InvalidInput per field, NotAllowedNow while another request for the same waits, or after an erasure.
    """
    chosen = _checked(subject, factor, value, source, reason)
    with acting(
        Permission.REQUEST_CORRECTION,
        study=subject.study,
        by=by,
        action="randomization.request_correction",
        reason=reason,
        site=subject.site,
    ):
        lock_kept_subject(subject)
        return _store(
            study=subject.study,
            subject=subject,
            factor=factor,
            value_randomized=chosen.randomized,
            value_corrected=value,
            source=source.strip(),
            reason=reason.strip(),
            requested_by=by,
        )


def decide_correction(*, correction: Correction, confirmed: bool, by: User) -> Correction:
    """The coordinator confirms or declines. Raises NotPermitted for who requested it, NotAllowedNow when decided."""
    subject = correction.subject
    with acting(
        Permission.CONFIRM_CORRECTION,
        study=subject.study,
        by=by,
        action="randomization.confirm_correction" if confirmed else "randomization.decline_correction",
        site=subject.site,
    ):
        lock_kept_subject(subject)
        correction = Correction.objects.select_for_update(no_key=True, of=["self"]).get(pk=correction.pk)
        if correction.decided_at:
            raise NotAllowedNow(_("This correction is already decided."))
        if correction.requested_by_id == by.pk:
            raise NotPermitted(_("Whoever asked for the correction cannot decide on it."))
        correction.decided_by, correction.decided_at, correction.confirmed = by, Now(), confirmed
        correction.save(update_fields=["decided_by", "decided_at", "confirmed"])
        correction.refresh_from_db()
    return correction


def _checked(subject: Subject, factor: str, value: str, source: str, reason: str) -> Correctable:
    chosen = next((one for one in correctable(subject) if one.oid == factor), None)
    errors = {
        "factor": [] if chosen else [_("Choose what is to be corrected.")],
        "value": _value_errors(chosen, value) if chosen else [],
        "source": [] if source.strip() else [_("Say where the true value stands.")],
        "reason": [] if reason.strip() else [_("Say why it was wrong.")],
    }
    found = {field: sentences for field, sentences in errors.items() if sentences}
    if chosen is None or found:
        raise InvalidInput(found)
    return chosen


def _value_errors(chosen: Correctable, value: str) -> list[str]:
    if value not in chosen.codes.codes:
        return [_("Choose the true value.")]
    if value == chosen.actual:
        return [_("This is the value that already counts.")]
    return []


def _store(**values: object) -> Correction:
    try:
        with transaction.atomic():
            return Correction.objects.create(**values)
    except IntegrityError as error:
        raise NotAllowedNow(_("A correction of this is already waiting for the coordinator.")) from error
