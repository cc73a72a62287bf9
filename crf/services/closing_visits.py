"""Visits follow a participant's leaving: closed when it is recorded, open again when it is taken back (S09, S17)."""

from django.utils import translation
from django.utils.translation import gettext as _

from crf.leaving import closed_for
from crf.models import Lock, StudyEvent
from crf.policies import covers
from pallsoft.accounts.models import User
from pallsoft.audit.context import change_set
from sites.models import Subject
from sites.participation import participation_of
from sites.selectors import definition_at


def settle_visits(subject: Subject, by: User | None) -> list[StudyEvent]:
    """Close what falls away and open what is expected again; those done, and those that a person closed, stay.

    Locked visits stay as they are until they are opened again. Returns the visits that changed, within a change set of
    their own.
    """
    definition, participation = definition_at(subject.site), participation_of(subject)
    registers = {event.oid for event in definition.events if event.from_registers}
    locks = [lock for lock in Lock.objects.filter(study_id=subject.study_id, lifted_in=None) if not lock.form_oid]
    changed = []
    with translation.override(definition.languages[0]):  # what is stored does not hang on who was signed in
        for event in subject.events.filter(happened_on=None):
            wanted = closed_for(participation, event.target_on, from_registers=event.event_oid in registers)
            by_a_person = event.not_done_reason and not event.closed_for
            locked = any(covers(lock, event, "", subject.site_id) for lock in locks)
            if by_a_person or locked or (wanted or "") == event.closed_for:
                continue
            event.closed_for = wanted or ""
            event.not_done_reason = str(wanted.label) if wanted else ""
            changed.append(event)
    if changed:
        _store(subject, changed, by)
    return changed


def _store(subject: Subject, changed: list[StudyEvent], by: User | None) -> None:
    reason = _("Follows from a change in the participation")
    with change_set(study=subject.study, by=by, action="crf.settle_visits", reason=reason, site=subject.site):
        StudyEvent.objects.bulk_update(changed, ["not_done_reason", "closed_for"])
