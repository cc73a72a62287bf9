"""The death of a participant, also told late or known only to the month or the year; and one told of the wrong person.

The visits *after* it are closed, every message to the participant is cancelled and the contact data are deleted in the
same transaction. What was owed before it stays: forms of the staff, queries, signatures, reports of serious events,
samples (S09).
"""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from pallsoft.accounts.models import User
from pallsoft.errors import NotAllowedNow
from pallsoft.outbox.services import cancel_to_participant
from sites.following import follow
from sites.models import Death, DeathCause, DeathPlace, Subject, ToldBy
from sites.participation import participation_of
from sites.permissions import Permission
from sites.services.contact import forget_contact
from sites.services.holding import PARTICIPATION, changing, check_day, needed

DEATH = PARTICIPATION | {"fact.death_on", "fact.death_at"}  # as rules write them
CAUSE = "dead"  # stands with each cancelled message


@dataclass(frozen=True, kw_only=True)
class DeathFacts:
    """`day`: "2026-09-01", "2026-09" or "2026"."""

    day: str
    cause: DeathCause
    place: DeathPlace
    told_by: ToldBy


def record_death(*, subject: Subject, facts: DeathFacts, by: User) -> Death:
    """The page has read back number, year of birth and sex before. The same again gives the death that stands.

    Raises InvalidInput for a day to come or before the consent, NotAllowedNow when another death is recorded.
    """
    with changing(subject, permission=Permission.ENTER_DATA, by=by, action="sites.record_death") as (subject, change):
        standing = participation_of(subject).death
        if standing:
            return _same(standing, facts)
        check_day(subject, facts.day, "day")
        death = Death.objects.create(
            study=subject.study,
            subject=subject,
            day=facts.day,
            cause=facts.cause,
            place=facts.place,
            told_by=facts.told_by,
        )
        cancel_to_participant(subject_id=subject.pk, cause=CAUSE, change_set=change)
        forget_contact(subject)
        follow(subject, DEATH, by)
    return death


def undo_death(*, death: Death, by: User, reason: str) -> Death:
    """Recorded on the wrong person, or with a wrong day: the row stays, its visits reopen, nothing is sent by itself.

    Raises InvalidInput without a reason, NotAllowedNow when it was taken back already.
    """
    reason = needed(reason, _("Say why it is taken back."))
    with changing(death.subject, permission=Permission.ENTER_DATA, by=by, action="sites.undo_death", reason=reason) as (
        subject,
        change,
    ):
        if participation_of(subject).death != death:
            raise NotAllowedNow(_("This was taken back already. Open the page again to see what stands."))
        death.ended_in = change
        death.save(update_fields=["ended_in"])
        follow(subject, DEATH, by)
    return death


def _same(standing: Death, facts: DeathFacts) -> Death:
    stored = (standing.day, standing.cause, standing.place, standing.told_by)
    if stored != (facts.day, facts.cause, facts.place, facts.told_by):
        raise NotAllowedNow(_("A death is recorded already. Take it back first, with the reason, if it is wrong."))
    return standing
