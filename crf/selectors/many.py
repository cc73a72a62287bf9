"""What is known of many subjects of a study at once."""

from collections import defaultdict
from uuid import UUID

from crf.answers import SubjectAnswers
from crf.models import FormData, StudyEvent
from sites.models import Subject
from trials.definition import StudyDef


def answers_of(subjects: dict[UUID, Subject], study: StudyDef) -> dict[UUID, SubjectAnswers]:
    """Their visits and forms, in two queries: there is one subject for each of a site who has come so far."""
    visits: dict[UUID, list[StudyEvent]] = defaultdict(list)
    for event in StudyEvent.objects.filter(subject__in=subjects):
        visits[event.subject_id].append(event)
    forms: dict[UUID, list[FormData]] = defaultdict(list)
    rows = FormData.objects.filter(subject__in=subjects, removed_in=None).select_related("event")
    for row in rows.order_by("repeat_key"):
        forms[row.subject_id].append(row)
    return {pk: SubjectAnswers(subject, study, events=visits[pk], forms=forms[pk]) for pk, subject in subjects.items()}
