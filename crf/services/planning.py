"""Visits planned from day 0: created when it is known, moved when it moves."""

from collections.abc import Set

from django.db import transaction
from django.utils.translation import gettext as _

from crf.answers import SubjectAnswers
from crf.day_zero import Clock, clock_items, clock_of, plan_of
from crf.models import StudyEvent
from crf.policies import check_can_move
from crf.schedule import Planned
from crf.services.closing_visits import settle_visits
from crf.services.visits import lock_subject
from pallsoft.accounts.models import User
from pallsoft.audit.context import change_set
from sites.models import Subject
from sites.selectors import definition_at
from trials.subject_rules import is_shown


def schedule_events(*, subject: Subject, by: User | None) -> list[StudyEvent]:
    """Create or move the visits that are counted from day 0; those that have begun are never touched (PC017).

    Until the first real day 0 the visits stand provisionally from a planned day. Returns the visits that changed.
    """
    with transaction.atomic():
        subject = lock_subject(subject)
        return place_events(SubjectAnswers(subject, definition_at(subject.site)), by)


def place_events(answers: SubjectAnswers, by: User | None) -> list[StudyEvent]:
    """`schedule_events` for a subject that is locked already and whose answers are known."""
    clock = clock_of(answers)
    if clock is None:
        return []
    known = {event.key: event for event in answers.events}
    begun = {form.event.key for form in answers.forms}
    new, moved = [], []
    for planned in plan_of(answers, clock):
        event = known.get((planned.event_oid, planned.ordinal))
        if event is None:
            new += _new_event(answers, planned, clock)
        elif event.key not in begun and not event.is_settled and _move(event, planned, clock):
            moved.append(event)
    if new or moved:
        _store(answers, clock, new, moved, by)
    return new + moved


def moves_day_0(answers: SubjectAnswers, form_oid: str, changed: Set[str]) -> bool:
    """May visits have to be planned anew after these items of a form changed?"""
    return form_oid == answers.study.anchor.form or not clock_items(answers.study).isdisjoint(changed)


def follow_participation(subject: Subject, by: User | None) -> None:
    """Visits of a subject that is locked fall away, or are expected again and planned by the day 0 of now."""
    settled = settle_visits(subject, by)
    if any(not event.closed_for for event in settled):
        place_events(SubjectAnswers(subject, definition_at(subject.site)), by)


def _new_event(answers: SubjectAnswers, planned: Planned, clock: Clock) -> list[StudyEvent]:
    event = StudyEvent(
        study=answers.subject.study, subject=answers.subject, event_oid=planned.event_oid, ordinal=planned.ordinal
    )
    if not is_shown(answers.study, answers.study.event(planned.event_oid), answers.at(event)):
        return []
    _move(event, planned, clock)
    return [event]


def _move(event: StudyEvent, planned: Planned, clock: Clock) -> bool:
    """Set the plan on the visit; was it another one before?"""
    before = (event.target_on, event.window_from, event.window_to, event.provisional)
    after = (planned.target_on, planned.window_from, planned.window_to, clock.provisional)
    event.target_on, event.window_from, event.window_to, event.provisional = after
    return before != after


def _store(
    answers: SubjectAnswers, clock: Clock, new: list[StudyEvent], moved: list[StudyEvent], by: User | None
) -> None:
    subject = answers.subject
    for event in new + moved:
        event.subject = subject
    check_can_move(new + moved, answers.study)
    reason = _("Day 0 is %(day)s") % {"day": f"{clock.day:%d.%m.%Y}"}
    with change_set(study=subject.study, by=by, action="crf.schedule_events", reason=reason, site=subject.site):
        StudyEvent.objects.bulk_create(new)
        StudyEvent.objects.bulk_update(moved, ["target_on", "window_from", "window_to", "provisional"])
    answers.events = answers.events + new
    settle_visits(subject, by)
