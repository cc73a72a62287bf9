"""Mails about allocations: that one was made (never the arm), and that a list runs low (list holders only)."""

from django.conf import settings
from django.db import connection
from django.db.models import Q
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from pallsoft.accounts.models import User
from pallsoft.outbox.models import Message
from pallsoft.outbox.registry import Mail
from pallsoft.outbox.services import owe
from randomization.models import Allocation, Stratum
from randomization.moments import moment_in
from sites.models import Role
from sites.permissions import Permission, has_permission, roles_held, roles_with
from trials.models import Study

CONFIRMATION = "randomization.confirmed"
LOW_LIST = "randomization.list_runs_low"


def owe_confirmations(allocation: Allocation) -> None:
    """To the investigators of the site and the coordinators of the trial (RND-11)."""
    for person in _told(allocation):
        owe(
            kind=CONFIRMATION,
            recipient_id=person.pk,
            study_id=allocation.study_id,
            subject_id=allocation.subject_id,
            payload={"allocation": str(allocation.pk)},
        )


def owe_low_list_alerts(allocation: Allocation) -> None:
    """To the list holders, once for each list, when four fifths of the stratum's slots are used (RND-13).

    `event_id` carries the stratum: it makes the message one of a kind.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT randomization_runs_low(%s)", [allocation.pk])
        runs_low = cursor.fetchone()[0]
    for person in list_holders(allocation.study) if runs_low else []:
        owe(kind=LOW_LIST, recipient_id=person.pk, study_id=allocation.study_id, event_id=allocation.stratum_id)


def list_holders(study: Study) -> list[User]:
    """Who holds the sealed list of the study today."""
    candidates = User.objects.filter(assignments__study=study, assignments__role__in=roles_with(Permission.HOLD_LIST))
    return [person for person in candidates.distinct() if has_permission(person, Permission.HOLD_LIST, study)]


def is_confirmation_owed(message: Message) -> bool:
    """A committed allocation stays for ever, so it is always told; to who still has a role there."""
    allocation = Allocation.objects.get(subject=message.subject_id)
    return message.recipient_id in {person.pk for person in _told(allocation)}


def is_low_list_owed(message: Message) -> bool:
    """Only to who still holds the list when it is sent."""
    assert message.study_id  # every message of this kind has a study
    study = Study.objects.get(pk=message.study_id)
    return message.recipient_id in {person.pk for person in list_holders(study)}


def render_confirmation(message: Message) -> Mail:
    """Subject number, time and site; what treatment it was stands in the system only."""
    allocation = Allocation.objects.select_related("subject", "study", "site").get(subject=message.subject_id)
    person = User.objects.get(pk=message.recipient_id)
    with translation.override(person.language):
        at = moment_in(allocation.happened_at or allocation.at, allocation.study)
        values = {
            "study": allocation.study.oid,
            "subject": allocation.subject.number,
            "site": str(allocation.site),
            "at": at,
            "url": _address("randomize", allocation),
        }
        return Mail(
            to=person.email,
            subject=_("%(study)s: %(subject)s is randomised") % values,
            body=_("%(subject)s at %(site)s was randomised %(at)s.\n\nOpen: %(url)s\n") % values,
        )


def render_low_list(message: Message) -> Mail:
    """Which stratum runs low: known to list holders, and to nobody else."""
    person = User.objects.get(pk=message.recipient_id)
    assert message.event_id  # every message of this kind has a stratum
    stratum = Stratum.objects.select_related("study", "scheme").get(pk=message.event_id)
    with translation.override(person.language):
        values = {
            "study": stratum.study.oid,
            "stratum": stratum.code,
            "purpose": stratum.scheme.get_purpose_display(),
        }
        return Mail(
            to=person.email,
            subject=_("%(study)s: a randomisation list runs low") % values,
            body=_("%(purpose)s, stratum %(stratum)s: four fifths of the slots are used. Prepare a further list.\n")
            % values,
        )


def _told(allocation: Allocation) -> list[User]:
    here = Q(assignments__site=allocation.site_id) | Q(assignments__site=None)
    roles = [Role.INVESTIGATOR, Role.PRINCIPAL_INVESTIGATOR, Role.COORDINATOR]
    candidates = User.objects.filter(here, assignments__study=allocation.study_id, assignments__role__in=roles)
    return [person for person in candidates.distinct() if _is_at(person, allocation, roles)]


def _is_at(person: User, allocation: Allocation, roles: list[Role]) -> bool:
    return any(
        held.study.pk == allocation.study_id and held.site in (None, allocation.site_id) and held.role in roles
        for held in roles_held(person)
    )


def _address(name: str, allocation: Allocation) -> str:
    path = reverse(name, kwargs={"study_oid": allocation.study.oid, "number": allocation.subject.number})
    return f"{settings.BASE_URL}{path}"
