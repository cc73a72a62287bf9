"""Randomise: one transaction, one slot, no way back (RND-01 … RND-04, RND-08)."""

import uuid
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _
from psycopg2.extras import Json

from crf.services import schedule_events
from pallsoft import __version__
from pallsoft.accounts.models import User
from pallsoft.errors import InvalidInput, NotAllowedNow
from randomization.messages import owe_confirmations, owe_low_list_alerts
from randomization.models import Allocation
from randomization.readiness import Readiness, digest, readiness_of
from randomization.refusals import refusing
from sites.acting import acting
from sites.models import Subject, SubjectStatus, Task
from sites.permissions import Permission, require_task

ALLOCATE = "SELECT randomization_allocate(%s, %s, %s, %s, %s, %s, %s)"


class AlreadyRandomized(NotAllowedNow):
    """The subject has its allocation; `allocation` tells when and by whom."""

    def __init__(self, allocation: Allocation) -> None:
        super().__init__(
            _("%(subject)s is already randomised, by %(name)s. There is no second draw.")
            % {"subject": allocation.subject, "name": allocation.allocated_by}
        )
        self.allocation = allocation


def randomize(*, subject: Subject, key: uuid.UUID, by: User, typed_number: str) -> Allocation:
    """Give the subject the next slot of its stratum. The same `key` gives the same allocation again.

    Everything is looked at again under lock: study, site, subject, then stratum. The arm is read after the commit
    (`facts.arm_for`). Raises InvalidInput (typed number), NotPermitted, NotAllowedNow with what is missing,
    AlreadyRandomized, Conflict (the key belongs to another subject).
    """
    require_task(by, Task.RANDOMIZE, subject.site)
    if typed_number.strip() != subject.number:
        raise InvalidInput({"typed_number": [_("Type %(number)s to randomise.") % {"number": subject.number}]})
    try:
        check_new(subject)
        return _randomize(subject, key, by)
    except AlreadyRandomized as refusal:
        if refusal.allocation.key != key:
            raise
        return refusal.allocation


def _randomize(subject: Subject, key: uuid.UUID, by: User) -> Allocation:
    with acting(
        Permission.RANDOMIZE,
        study=subject.study,
        by=by,
        action="randomization.randomize",
        reason="randomised",  # why the state of the subject changes
        site=subject.site,
    ):
        subject = hold(subject)
        check_new(subject)
        ready = readiness_of(subject)
        check_ready(ready)
        allocation = take(ALLOCATE, subject, ready, key, by)
        finish(allocation, subject, by)
    return allocation


def hold(subject: Subject) -> Subject:
    """Lock study, site and subject to the commit; the subject as it is now. Raises NotAllowedNow when stopped."""
    with refusing(), connection.cursor() as cursor:
        cursor.execute("SELECT randomization_hold(%s)", [subject.pk])
    return Subject.objects.select_related("site", "study").get(pk=subject.pk)


def check_ready(ready: Readiness) -> None:
    """Raises NotAllowedNow with every gate that is closed."""
    if ready.closed:
        missing = " ".join(gate.sentence for gate in ready.closed)
        raise NotAllowedNow(_("Nobody is randomised before this holds: %(gates)s") % {"gates": missing})


def take(function: str, subject: Subject, ready: Readiness, key: uuid.UUID, by: User, *more: Any) -> Allocation:
    """Let the database give out the slot; only the allocation's id comes back (data_model §3)."""
    inputs = [Json(ready.document), digest(ready.document), __version__]
    with refusing(), connection.cursor() as cursor:
        cursor.execute(function, [subject.pk, ready.stratum, key, by.pk, *inputs, *more])
        found = cursor.fetchone()[0]
    return Allocation.objects.select_related("subject__site", "study", "allocated_by").get(pk=found)


def finish(allocation: Allocation, subject: Subject, by: User) -> None:
    """What follows from an allocation, in its transaction."""
    subject.status = SubjectStatus.RANDOMIZED
    subject.save(update_fields=["status"])
    schedule_events(subject=subject, by=by)
    owe_confirmations(allocation)
    owe_low_list_alerts(allocation)


def check_new(subject: Subject) -> None:
    """Raises AlreadyRandomized when the subject has its allocation."""
    found = Allocation.objects.select_related("subject", "allocated_by").filter(subject=subject).first()
    if found:
        raise AlreadyRandomized(found)
