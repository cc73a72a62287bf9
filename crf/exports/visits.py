"""The visits in an export: when each was planned and took place, how that lies to its window, why it was not done."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from crf.answers import SubjectAnswers
from crf.day_zero import clock_items, clock_of, plan_of
from crf.exports.dataset import Scope
from crf.models import FormData, StudyEvent
from crf.schedule import timing
from crf.selectors.secrets import secrets_of
from sites.models import Subject
from trials.definition import StudyDef, definition_of
from trials.models import Study
from trials.selectors import live_version

HEADER = [
    "SUBJECT", "EVENT", "ORDINAL", "TARGET", "WINDOW_FROM", "WINDOW_TO", "PROVISIONAL", "VISIT_DATE", "DAY", "TIMING",
    "NOT_DONE", "NOT_DONE_REASON",
]  # fmt: skip
OTHER = "OTHER"  # a reason that was typed


def visits(study: Study, scope: Scope) -> tuple[str, list[str], Iterable[Iterable[Any]]]:
    """Target and window are those that the visit was planned with; DAY and TIMING go by day 0 as it is."""
    definition = definition_of(live_version(study))
    return "VISITS.csv", HEADER, _rows(study, definition, scope)


def _rows(study: Study, definition: StudyDef, scope: Scope) -> Iterator[list[Any]]:
    hidden = frozenset() if scope.with_arm else secrets_of(study).events
    shown = {event.oid for event in definition.events if event.kind != "log"} - hidden
    subjects = Subject.objects.filter(study=study, site__code__in=scope.sites).select_related("site", "study")
    events, forms = _events(subjects), _forms_of_clock(subjects, definition)
    for subject in subjects.order_by("number"):
        answers = SubjectAnswers(subject, definition, forms=forms[subject.pk])
        answers.events = events[subject.pk]
        clock = clock_of(answers) if answers.events else None
        plan = {one.key: one for one in plan_of(answers, clock)} if clock else {}
        for event in answers.events:
            if event.event_oid in shown:
                day = (event.happened_on - clock.day).days if event.happened_on and clock else ""
                window = plan.get(event.key, event)
                lies = timing(event.happened_on, window.window_from, window.window_to) if event.happened_on else ""
                yield [*_planned(event), event.happened_on or "", day, lies, *_not_done(event)]


def _planned(event: StudyEvent) -> list[Any]:
    plan = [day or "" for day in (event.target_on, event.window_from, event.window_to)]
    return [event.subject.number, event.event_oid, event.ordinal, *plan, event.provisional]


def _not_done(event: StudyEvent) -> list[str]:
    if not event.not_done_reason:
        return ["", ""]
    return [event.closed_for.upper() or event.not_done_code or OTHER, event.not_done_reason]


def _events(subjects: QuerySet[Subject]) -> dict[UUID, list[StudyEvent]]:
    found: dict[UUID, list[StudyEvent]] = defaultdict(list)
    rows = StudyEvent.objects.filter(subject__in=subjects).select_related("subject")
    for event in rows.order_by("subject__number", "event_oid", "ordinal"):
        found[event.subject_id].append(event)
    return found


def _forms_of_clock(subjects: QuerySet[Subject], definition: StudyDef) -> dict[UUID, list[FormData]]:
    """The forms that say what day 0 is and what else visits are counted from."""
    read = {definition.form_of(oid).oid for oid in clock_items(definition)} | {definition.anchor.form or ""}
    found: dict[UUID, list[FormData]] = defaultdict(list)
    rows = FormData.objects.filter(subject__in=subjects, form_oid__in=read, removed_in=None).select_related("event")
    for form in rows.order_by("repeat_key"):
        found[form.subject_id].append(form)
    return found
