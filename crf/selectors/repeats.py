"""The repeats of a repeating form at one visit."""

from dataclasses import dataclass
from typing import Any

from django.http import Http404
from django.urls import reverse

from crf.answers import SubjectAnswers
from crf.entry.document import Document
from crf.models import FormStatus, StudyEvent
from crf.policies import can_enter_form
from crf.selectors.loading import betrays_arm, sees_arm
from crf.selectors.words import answer_words
from sites.permissions import AnyUser, Permission, has_permission
from trials.definition import FormDef, ItemDef

COLUMNS = 4  # as many questions as fit beside the chip; the form itself shows all


@dataclass(frozen=True)
class Repeats:
    """`rows`: [{key, url, status, answers}]; `add_url`: "" when nothing can be added."""

    form: FormDef
    columns: list[ItemDef]
    rows: list[dict[str, Any]]
    add_url: str


def repeats_of(answers: SubjectAnswers, event: StudyEvent, form_oid: str, user: AnyUser) -> Repeats:
    """Raises Http404 for a form that does not repeat at this visit, or that would tell the arm."""
    study, subject = answers.study, answers.subject
    listed = {ref.form for ref in study.event(event.event_oid).forms}
    form = study.form(form_oid) if form_oid in listed else None
    if form is None or not form.repeating or (betrays_arm(study, form) and not sees_arm(user, subject)):
        raise Http404
    columns = [item for item in form.items if not item.derived][:COLUMNS]
    saved = [row for row in answers.forms if row.event.key == event.key and row.form_oid == form_oid]
    address = [subject.study.oid, subject.number, *event.key, form_oid]
    rows = [
        {
            "key": row.repeat_key,
            "url": reverse("form", args=[*address, row.repeat_key]),
            "status": "complete" if row.status == FormStatus.COMPLETE else "in_progress",
            "answers": [
                answer_words(study, item, Document(row.data, row.marks).answer(item.oid), answers.zone)
                for item in columns
            ],
        }
        for row in sorted(saved, key=lambda row: (len(row.repeat_key), row.repeat_key))
    ]
    may_enter = has_permission(user, Permission.ENTER_DATA, subject.study, subject.site)
    may_add = may_enter and can_enter_form(event, form, consented=answers.consent is not None)
    return Repeats(form, columns, rows, reverse("form", args=[*address, "new"]) if may_add else "")
