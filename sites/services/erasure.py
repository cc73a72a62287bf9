"""Erasing a participant's data after a withdrawal with deletion: the site records the wish, two persons confirm (S18).

What goes and what stays is told in pallsoft/audit/sql/erase.sql: values, free text and drafts go from the tables and
from the trail; number, site, slot and treatment, when consent was signed and withdrawn, and the erasure itself stay.
"""

from django.db import connection
from django.utils.translation import gettext as _

from pallsoft.accounts.models import User
from pallsoft.audit.context import change_set
from pallsoft.errors import NotAllowedNow
from sites.clock import database_now, local_today
from sites.erasing import held_by, let_go
from sites.models import Erasure, StopKind, Subject
from sites.participation import participation_of
from sites.permissions import Permission, require
from sites.services.holding import changing, lock_subject, needed

REASON = "the participant withdrew and asked for erasure"  # why the values change; read by inspectors


def request_erasure(*, subject: Subject, by: User) -> Erasure:
    """The wish, told after the withdrawal; one that stands is returned. Raises NotAllowedNow without a withdrawal."""
    with changing(subject, permission=Permission.RECORD_CONSENT, by=by, action="sites.request_erasure") as (
        subject,
        _change,
    ):
        standing = participation_of(subject)
        if standing.erasure:
            return standing.erasure
        if standing.withdrawn_on is None:
            raise NotAllowedNow(_("Record first that the participant withdraws the consent."))
        wished_on = local_today(subject.site.timezone)
        return Erasure.objects.create(study=subject.study, subject=subject, wished_on=wished_on)


def decline_erasure(*, erasure: Erasure, by: User, reason: str) -> Erasure:
    """Taken back by the participant, or not allowed by law. Raises InvalidInput without a reason, NotAllowedNow."""
    reason = needed(reason, _("Say why the data are not erased."))
    subject = erasure.subject
    role = require(by, Permission.ERASE, subject.study, subject.site)
    with change_set(
        study=subject.study, by=by, action="sites.decline_erasure", reason=reason, role=role, site=subject.site
    ) as change:
        lock_subject(subject)
        erasure = standing_wish(erasure)
        erasure.declined_in = change
        erasure.save(update_fields=["declined_in"])
    return erasure


def confirm_erasure(*, erasure: Erasure, exceptions: str = "", by: User) -> Erasure:
    """The first person confirms and may note what the law asks to keep; the second one's word erases, for good.

    Raises NotAllowedNow for the same person twice, NotPermitted. Files that hold the values are noted by name.
    """
    subject = erasure.subject
    role = require(by, Permission.ERASE, subject.study, subject.site)
    first = Erasure.objects.get(pk=erasure.pk).first_confirmed_by_id is None  # asked again under the lock
    action = "sites.confirm_erasure" if first else "audit.erase"
    with change_set(study=subject.study, by=by, action=action, reason=REASON, role=role, site=subject.site):
        subject = lock_subject(subject)
        erasure = standing_wish(erasure)
        if (erasure.first_confirmed_by_id is None) != first:
            raise NotAllowedNow(_("Somebody confirmed the erasure meanwhile. Open the page again."))
        if not first and erasure.first_confirmed_by_id == by.pk:
            raise NotAllowedNow(_("You have confirmed this already. Another person has to confirm it too."))
        if first:
            _confirm_first(erasure, exceptions, by)
        else:
            _erase(erasure, subject)
    erasure.refresh_from_db()
    return erasure


def standing_wish(erasure: Erasure) -> Erasure:
    """The wish as it is now. Raises NotAllowedNow when it was carried out or taken back, or the withdrawal was."""
    erasure = Erasure.objects.select_related("subject__site", "study").get(pk=erasure.pk)
    standing = participation_of(erasure.subject)
    if erasure.erased_at or erasure.declined_in or StopKind.CONSENT not in standing.stops:
        raise NotAllowedNow(_("This wish stands no longer. Open the page again to see what happened."))
    return erasure


def _confirm_first(erasure: Erasure, exceptions: str, by: User) -> None:
    erasure.first_confirmed_by, erasure.first_confirmed_at = by, database_now()
    erasure.exceptions = exceptions.strip()
    erasure.save(update_fields=["first_confirmed_by", "first_confirmed_at", "exceptions"])


def _erase(erasure: Erasure, subject: Subject) -> None:
    erasure.held_by = held_by(subject)
    erasure.save(update_fields=["held_by"])
    let_go(subject)
    with connection.cursor() as cursor:
        cursor.execute("SELECT audit.erase_subject(%s)", [erasure.pk])
