"""Visits as they happen: dated, marked as not done; a new attempt at screening."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from django.utils.translation import gettext as _

from crf.answers import SubjectAnswers
from crf.models import EventState, StudyEvent
from crf.policies import check_can_add_event, check_can_become, check_can_change_event, check_may_collect
from crf.selectors.place import standing
from crf.services.planning import place_events
from crf.services.recalculation import recalculate
from crf.services.visits import check_happened, explained, lock_subject, stored
from pallsoft.accounts.models import User
from pallsoft.errors import InvalidInput, NotAllowedNow
from sites.acting import acting
from sites.models import Subject, SubjectStatus
from sites.participation import participation_of
from sites.permissions import Permission
from sites.selectors import definition_at
from trials.definition import StudyDef

REASON_LENGTH = 200  # StudyEvent.not_done_reason


def record_visit_date(*, event: StudyEvent, happened_on: date, by: User, reason: str = "") -> StudyEvent:
    """The day a visit took place. `reason` is needed to correct a day that was stored before. Raises InvalidInput,
    NotAllowedNow for a visit that is marked as not done."""
    check_happened(event.subject, happened_on)
    reason = explained(reason, "")
    with _changing(event, by, "crf.record_visit_date", reason, EventState.DONE) as (event, study):
        check_may_collect(event, participation_of(event.subject), happened_on)
        if event.happened_on not in (None, happened_on):
            explained(reason, _("Say why the date is changed."))
        event.happened_on = happened_on
        event.save(update_fields=["happened_on"])
        recalculate(
            SubjectAnswers(event.subject, study),
            {"event.happened_on", "form.observed_at", "form.observed_on"},
            by,
        )
        return event


def mark_not_done(*, event: StudyEvent, by: User, code: str = "", reason: str = "") -> StudyEvent:
    """A visit that did not take place, and why: one of the definition's reasons, or another in words.

    The day of a visit at which nothing is saved goes with it. Raises InvalidInput without a reason, NotAllowedNow if it
    was done or is marked already.
    """
    reason = _why_not_done(definition_at(event.subject.site), code, reason)
    with _changing(event, by, "crf.mark_not_done", reason, EventState.NOT_DONE) as (event, _study):
        event.not_done_code, event.not_done_reason, event.happened_on = code, reason, None
        event.save(update_fields=["not_done_code", "not_done_reason", "happened_on"])
        return event


def clear_not_done(*, event: StudyEvent, by: User, reason: str) -> StudyEvent:
    """Take the mark away: the visit is expected again. Raises InvalidInput without a reason."""
    reason = explained(reason, _("Say why the mark is taken away."))
    with _changing(event, by, "crf.clear_not_done", reason, EventState.EXPECTED) as (event, study):
        event.not_done_code, event.not_done_reason, event.closed_for = "", "", ""
        event.save(update_fields=["not_done_code", "not_done_reason", "closed_for"])
        place_events(SubjectAnswers(event.subject, study), by)  # day 0 may have moved meanwhile
        event.refresh_from_db(fields=["target_on", "window_from", "window_to", "provisional"])
        return event


def _why_not_done(study: StudyDef, code: str, reason: str) -> str:
    """The reason as it is stored: the words of a code in the study's first language, or what was typed."""
    if not code:
        return explained(reason, _("Say why the visit was not done."))[:REASON_LENGTH]
    listed = study.why_not_done
    if listed is None or code not in listed.codes:
        raise InvalidInput({"code": [_("Choose one of the reasons on the list.")]})
    words: str = getattr(listed.label_of(code), study.languages[0])
    return words[:REASON_LENGTH]


def add_unscheduled_visit(*, subject: Subject, event_oid: str, happened_on: date, by: User) -> StudyEvent:
    """A visit that nobody planned, on the day it took place. It gets the next number and keeps it (PC016).

    Asked twice it is there once: one of that day at which nothing is saved yet is taken. Raises InvalidInput for an
    impossible day, NotAllowedNow for what is no unscheduled visit.
    """
    check_happened(subject, happened_on)
    with acting(
        Permission.ENTER_DATA,
        study=subject.study,
        by=by,
        action="crf.add_unscheduled_visit",
        site=subject.site,
    ):
        subject = lock_subject(subject)
        event = StudyEvent(study=subject.study, subject=subject, event_oid=event_oid, happened_on=happened_on)
        check_can_add_event(event, definition_at(subject.site))
        check_may_collect(event, participation_of(subject), happened_on)
        there = list(subject.events.filter(event_oid=event_oid).order_by("ordinal"))
        event.ordinal = there[-1].ordinal + 1 if there else 1
        begun = next((one for one in there if one.happened_on == happened_on and not one.forms.exists()), None)
        return begun or stored(event)


def start_screening_attempt(*, subject: Subject, by: User) -> StudyEvent:
    """Screen again under the same number: a new visit whose forms are all asked anew (S03).

    Raises NotAllowedNow unless the last attempt ended as a screen failure.
    """
    study = definition_at(subject.site)
    screening = next(event for event in study.events if event.kind == "screening")
    reason = _("Screened again")
    with acting(
        Permission.ENTER_DATA,
        study=subject.study,
        by=by,
        action="crf.start_screening_attempt",
        reason=reason,
        site=subject.site,
    ):
        subject = lock_subject(subject)
        if subject.status != SubjectStatus.SCREEN_FAILURE:
            raise NotAllowedNow(_("Only a subject who was a screen failure can be screened again."))
        attempts = subject.events.filter(event_oid=screening.oid).count()
        subject.status = SubjectStatus.SCREENING
        subject.save(update_fields=["status"])
        return StudyEvent.objects.create(
            study=subject.study, subject=subject, event_oid=screening.oid, ordinal=attempts + 1
        )


@contextmanager
def _changing(
    event: StudyEvent, by: User, action: str, reason: str, to: EventState
) -> Iterator[tuple[StudyEvent, StudyDef]]:
    """The stored visit, which may become `to`, and its study; the subject locked, inside a change set."""
    subject = event.subject
    with acting(Permission.ENTER_DATA, study=subject.study, by=by, action=action, reason=reason, site=subject.site):
        event.subject = lock_subject(subject)
        event, study = standing(event), definition_at(event.subject.site)
        check_can_change_event(event)
        check_can_become(event, to, study)
        yield stored(event), study
