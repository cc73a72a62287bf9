"""What a subject's page tells about day 0."""

from typing import Any

from crf.answers import SubjectAnswers
from crf.day_zero import clock_of, days_waited
from crf.models import StudyEvent
from crf.selectors.matrix import visit_url
from trials.definition import StudyDef


def day_zero_of(answers: SubjectAnswers) -> dict[str, Any]:
    """`clock`, `anchor`, `waited` (days, when they are too many) and `anchor_url`, where day 0 is recorded."""
    return {
        "clock": clock_of(answers),
        "anchor": answers.study.anchor,
        "waited": days_waited(answers, answers.today_at_site),
        "anchor_url": anchor_url(answers),
    }


def anchor_url(answers: SubjectAnswers) -> str:
    """The visit at which day 0 is recorded; "" in a study that counts from randomisation."""
    oid = _anchor_event(answers.study)
    subject = answers.subject
    return visit_url(StudyEvent(study=subject.study, subject=subject, event_oid=oid)) if oid else ""


def _anchor_event(study: StudyDef) -> str:
    events = study.events_with(study.anchor.form) if study.anchor.form else []
    return events[0].oid if events else ""
