"""Signs of life in the hospital record, of many participants at once: each counts as a day on which one was alive."""

from collections.abc import Collection
from datetime import date

from django.utils.translation import gettext as _

from crf.selectors.survival import known_of, why_not_alive
from pallsoft.accounts.models import User
from pallsoft.errors import InvalidInput, NotAllowedNow, NotPermitted
from sites.acting import acting
from sites.clock import local_today
from sites.models import AliveInRecord, Site, Subject
from sites.permissions import Permission
from sites.policies import check_can_enter
from sites.selectors import definition_at
from sites.services.holding import changing, lock_subjects, needed


def record_alive(*, site: Site, subjects: Collection[Subject], day: date, by: User) -> list[AliveInRecord]:
    """All of them, or none; who stands with that day already is left as it is. Returns what is new.

    Raises InvalidInput for a day to come, and {number: sentence} of each participant of whom it cannot be recorded;
    NotPermitted, also for participants of another site; NotAllowedNow at a site that is closed out.
    """
    with acting(Permission.ENTER_DATA, study=site.study, by=by, action="crf.record_alive", site=site):
        held = lock_subjects(subjects)
        if any(subject.site_id != site.pk for subject in held):
            raise NotPermitted(_("Your role does not allow this. Ask the user administrator of the trial."))
        check_can_enter(site)
        if day > local_today(site.timezone):
            raise InvalidInput({"day": [_("The day is in the future. Write the day on which it happened.")]})
        known = known_of(held, definition_at(site))
        refused = {answers.subject.number: [why] for answers in known if (why := why_not_alive(answers, day))}
        if refused:
            raise InvalidInput(refused)
        return AliveInRecord.objects.bulk_create(
            AliveInRecord(study=site.study, subject=answers.subject, day=day)
            for answers in known
            if day not in answers.alive_on
        )


def take_back_alive(*, alive: AliveInRecord, by: User, reason: str) -> AliveInRecord:
    """A tick at the wrong participant: the row stays, its day counts no more, and messages wait for a new look.

    Raises InvalidInput without a reason, NotAllowedNow when it was taken back already or the data are erased.
    """
    reason = needed(reason, _("Say why it is taken back."))
    permission, action = Permission.ENTER_DATA, "crf.take_back_alive"
    with changing(alive.subject, permission=permission, by=by, action=action, reason=reason) as (subject, change):
        standing = subject.alive_in_record.standing().filter(pk=alive.pk)
        if not standing.update(ended_in=change):
            raise NotAllowedNow(_("This was taken back already. Open the page again to see what stands."))
    return subject.alive_in_record.get(pk=alive.pk)
