"""A randomisation by telephone from the fallback list, entered afterwards by two persons (RND-12, S25)."""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from pallsoft.accounts.models import User
from pallsoft.errors import InvalidInput, NotAllowedNow, NotPermitted
from randomization.models import Allocation, LateEntry
from randomization.readiness import readiness_of
from randomization.services.allocate import check_new, finish, take
from sites.acting import acting
from sites.clock import database_now
from sites.models import Subject, Task
from sites.permissions import Permission, require_task
from sites.services.holding import lock_kept_subject

ALLOCATE_LATE = "SELECT randomization_allocate_late(%s, %s, %s, %s, %s, %s, %s, %s, %s)"


def report_late(*, subject: Subject, happened_at: datetime, reason: str, by: User) -> LateEntry:
    """The site tells when and why the subject was randomised by telephone. No arm is told here.

    It has happened, so a stopped trial or a closed gate does not refuse it; what was not in order stands in the
    allocation's inputs. Raises InvalidInput, AlreadyRandomized, NotAllowedNow when it is told already.
    """
    require_task(by, Task.RANDOMIZE, subject.site)
    check_new(subject)
    _check(subject, happened_at, reason)
    with acting(
        Permission.RANDOMIZE,
        study=subject.study,
        by=by,
        action="randomization.report_late",
        reason=reason,
        site=subject.site,
    ):
        lock_kept_subject(subject)
        return _store(subject, happened_at, reason.strip(), by)


def confirm_late(*, entry: LateEntry, position: int, by: User) -> Allocation:
    """The list holder confirms with the number of the slot that was read out: it must be the next of its stratum.

    Raises InvalidInput for another slot, NotPermitted for who reported it, NotAllowedNow when confirmed or when the
    stratum is not known.
    """
    subject = entry.subject
    with acting(
        Permission.HOLD_LIST,
        study=subject.study,
        by=by,
        action="randomization.confirm_late",
        reason=entry.reason,
    ):
        subject = lock_kept_subject(subject)
        entry = LateEntry.objects.select_for_update(no_key=True, of=["self"]).get(pk=entry.pk)
        _check_confirmation(entry, by)
        check_new(subject)
        ready = readiness_of(subject, entry.happened_at)
        if ready.stratum is None:
            raise NotAllowedNow(_("The stratum is not known yet. The site must complete the forms first."))
        allocation = take(ALLOCATE_LATE, subject, ready, entry.pk, entry.reported_by, entry.happened_at, position)
        entry.confirmed_by, entry.confirmed_at = by, Now()
        entry.save(update_fields=["confirmed_by", "confirmed_at"])
        finish(allocation, subject, by)
    return allocation


def _check(subject: Subject, happened_at: datetime, reason: str) -> None:
    errors: dict[str, list[str]] = {}
    if happened_at > database_now():
        errors["happened_at"] = [_("The time is in the future. Give the time of the telephone call.")]
    elif happened_at.year < subject.birth_year:
        errors["happened_at"] = [_("The time is before the subject was born. Check the year.")]
    if not reason.strip():
        errors["reason"] = [_("Say why the system could not be used.")]
    if errors:
        raise InvalidInput(errors)


def _check_confirmation(entry: LateEntry, by: User) -> None:
    if entry.confirmed_at:
        raise NotAllowedNow(_("This late entry is already confirmed."))
    if entry.reported_by_id == by.pk:
        raise NotPermitted(_("Whoever reported the late entry cannot confirm it."))


def _store(subject: Subject, happened_at: datetime, reason: str, by: User) -> LateEntry:
    try:
        with transaction.atomic():
            return LateEntry.objects.create(
                study=subject.study, subject=subject, happened_at=happened_at, reason=reason, reported_by=by
            )
    except IntegrityError as error:
        raise NotAllowedNow(_("This randomisation by telephone is told already.")) from error
