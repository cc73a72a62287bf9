"""Freeze and lock, from one form up to the whole study (DAT-15), and the way back.

A freeze stops entry and lets queries and verification go on; a lock stops those too. What is closed can be signed.
Lifting one of a site or of the study takes two persons: one asks, another confirms. The database holds all of this
(lock_path, lock_reach).
"""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import replace
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext as _

from crf.models import Lock, LockKind
from crf.selectors.locks import Target, locks_over, still_possible
from crf.selectors.open_points import open_points
from crf.selectors.place import standing
from crf.services.planning import follow_participation
from crf.services.visits import explained, lock_subject, lock_subjects, stored
from pallsoft.accounts.models import User
from pallsoft.audit.anchors import anchor
from pallsoft.audit.models import ChangeSet
from pallsoft.errors import InvalidInput, NotAllowedNow
from sites.acting import acting
from sites.models import Subject
from sites.permissions import Permission

ACTIONS = {LockKind.FREEZE: "crf.freeze", LockKind.LOCK: "crf.lock"}


def freeze(*, target: Target, by: User, reason: str = "") -> Lock:
    """Stop entry under the target. What is closed already is refused; a double click gives the same freeze."""
    return _close(LockKind.FREEZE, target, by, explained(reason, ""))


def lock(*, target: Target, by: User, reason: str = "") -> Lock:
    """Stop every change under the target. Where something is still open, `reason` says why it is locked all the same.

    Raises InvalidInput without that reason, NotAllowedNow when it is locked already, NotPermitted.
    """
    return _close(LockKind.LOCK, target, by, explained(reason, ""))


def unlock(*, lock: Lock, by: User, reason: str) -> Lock:
    """Lift the lock or freeze of a form, a visit or a subject. For a site or the study see `request_unlock`."""
    if lock.takes_two:
        raise NotAllowedNow(_("Unlocking a site or the study takes two persons: one asks, another confirms."))
    return _lift(lock, Permission.FREEZE, "crf.unlock", by, reason)


def request_unlock(*, lock: Lock, by: User, reason: str) -> Lock:
    """Ask for the lifting of a lock of a site or the study; it stands until another person confirms."""
    reason = explained(reason, _("Say why it is opened again."))
    with _opening(lock, Permission.FREEZE, "crf.request_unlock", by, reason) as current:
        lock = _standing(lock)
        if lock.lift_requested_in:
            raise NotAllowedNow(_("Somebody has asked for this already. Another person has to confirm it."))
        lock.lift_requested_in = current
        lock.save(update_fields=["lift_requested_in"])
    return lock


def withdraw_unlock_request(*, lock: Lock, by: User, reason: str) -> Lock:
    """Who asked takes it back; what is closed stays closed, and can be asked for again."""
    reason = explained(reason, _("Say why the request is taken back."))
    with _opening(lock, Permission.FREEZE, "crf.withdraw_unlock_request", by, reason):
        lock = _standing(lock)
        if lock.lift_requested_in is None:
            raise NotAllowedNow(_("Nobody asks for this any more. Look at the list again."))
        if ChangeSet.objects.get(pk=lock.lift_requested_in).actor_id != by.pk:
            raise NotAllowedNow(_("Only who asked for it can take that back."))
        lock.lift_requested_in = None
        lock.save(update_fields=["lift_requested_in"])
    return lock


def confirm_unlock(*, lock: Lock, by: User, reason: str) -> Lock:
    """The second person lifts it. The database refuses who asked for it, and a lifting that nobody asked for."""
    return _lift(lock, Permission.CONFIRM_UNLOCK, "crf.confirm_unlock", by, reason)


def _close(kind: LockKind, target: Target, by: User, reason: str) -> Lock:
    with acting(Permission.FREEZE, study=target.study, by=by, action=ACTIONS[kind], reason=reason, site=target.place):
        target = _held(target)
        made, own = _insert(Lock(kind=kind, **target.path))
        if not own:
            return made
        _check_not_covered(kind, target, made)
        # Counted now that no save is in flight: what is open stays as it is until the lock stands.
        waiting = [point for point in open_points(target, by) if point.count] if kind == LockKind.LOCK else []
        if waiting and not reason:
            told = ", ".join(f"{point.label}: {point.count}" for point in waiting)
            raise InvalidInput(
                {"reason": [_("Still open: %(points)s. Say why it is locked all the same.") % {"points": told}]}
            )
        anchor(target.study, made.kind)
    return made


def _held(target: Target) -> Target:
    """The target as it stands: first the subject's row, then the key that every save holds shared, then the visit.

    A visit that is stored now takes that key shared; two persons who had it so would wait for each other for ever.
    """
    subject = lock_subject(target.subject) if target.subject else None
    with connection.cursor() as cursor:  # the key of audit.lock_key
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"crf_lock {target.study.pk}"])
    event = target.event
    if event and subject:
        event.subject = subject
        event = stored(standing(event))
    return replace(target, subject=subject, event=event)


def _insert(lock: Lock) -> tuple[Lock, bool]:
    """The stored lock, and whether it is new; one place is closed once in each way."""
    try:
        with transaction.atomic():
            lock.save(force_insert=True)
    except IntegrityError:
        same = {name: getattr(lock, name) for name in ("study", "kind", "site", "subject", "event", "form_oid")}
        return Lock.objects.get(**same, lifted_in=None), False
    return lock, True


def _check_not_covered(kind: LockKind, target: Target, made: Lock) -> None:
    others = [other for other in locks_over(target) if other != made]
    if kind not in still_possible(others):
        locked = any(other.kind == LockKind.LOCK for other in others)
        raise NotAllowedNow(
            _("This is locked already, here or further up.") if locked else _("This is frozen already, further up.")
        )


def _lift(lock: Lock, permission: Permission, action: str, by: User, reason: str) -> Lock:
    """Lift it, and let the visits under it follow what was recorded of the participants meanwhile."""
    reason = explained(reason, _("Say why it is opened again."))
    with _opening(lock, permission, action, by, reason) as current:
        subjects = lock_subjects(_under(lock))
        lock = _standing(lock)
        lock.lifted_in = current
        lock.save(update_fields=["lifted_in"])
        for subject in subjects:
            follow_participation(subject, by)
    return lock


def _opening(lock: Lock, permission: Permission, action: str, by: User, reason: str) -> AbstractContextManager[UUID]:
    site = lock.subject.site if lock.subject else lock.site
    return acting(permission, study=lock.study, by=by, action=action, reason=reason, site=site)


def _under(lock: Lock) -> Iterable[Subject]:
    """Whose visits it covers; a lock that names a form covers none."""
    if lock.subject:
        return [] if lock.form_oid else [lock.subject]
    subjects = lock.study.subjects.all()
    return subjects.filter(site=lock.site) if lock.site else subjects


def _standing(lock: Lock) -> Lock:
    lock = Lock.objects.select_for_update(no_key=True, of=["self"]).get(pk=lock.pk)
    if lock.lifted_in:
        raise NotAllowedNow(_("It has been opened already."))
    return lock
