"""The repeats of a repeating form at one visit."""

from dataclasses import dataclass
from typing import Any

from django.http import Http404
from django.urls import reverse

from crf.answers import SubjectAnswers
from crf.entry.document import Document
from crf.models import FormData, FormStatus, StudyEvent
from crf.policies import can_enter_form
from crf.selectors.loading import sees_arm
from crf.selectors.secrets import betrays_arm
from crf.selectors.unchanged import Unchanged, unchanged_offer
from crf.selectors.visit import next_form_url
from crf.selectors.words import answer_words
from pallsoft.audit.models import ChangeSet
from sites.permissions import AnyUser, Permission, has_permission
from trials.definition import FormDef, ItemDef

COLUMNS = 4  # as many questions as fit beside the chip, where the study does not choose; the form itself shows all


@dataclass(frozen=True)
class Repeats:
    """`rows`: [{key, url, status, answers}]; `add_url`: "" when nothing can be added; `go_on_url`: the next form;
    `removed`: [{key, answers, removal, copy_url}].
    """

    form: FormDef
    columns: list[ItemDef]
    rows: list[dict[str, Any]]
    add_url: str
    go_on_url: str
    removed: list[dict[str, Any]]
    unchanged: Unchanged | None


def repeats_of(answers: SubjectAnswers, event: StudyEvent, form_oid: str, user: AnyUser) -> Repeats:
    """Raises Http404 for a form that does not repeat at this visit, or that would tell the arm."""
    study, subject = answers.study, answers.subject
    asked = {ref.form for ref in study.event(event.event_oid).forms}
    form = study.form(form_oid) if form_oid in asked else None
    if form is None or not form.repeating or (betrays_arm(study, form) and not sees_arm(user, subject)):
        raise Http404
    listed = [item for item in form.items if item.in_list]
    columns = listed or [item for item in form.items if not item.derived][:COLUMNS]
    saved = [row for row in answers.forms if row.event.key == event.key and row.form_oid == form_oid]
    address = [subject.study.oid, subject.number, *event.key, form_oid]
    may_enter = has_permission(user, Permission.ENTER_DATA, subject.study, subject.site)
    may_add = may_enter and can_enter_form(event, form, consented=answers.consent is not None)
    rows = [
        {
            "key": row.repeat_key,
            "url": reverse("form", args=[*address, row.repeat_key]),
            "void_url": reverse("form-void", args=[*address, row.repeat_key]) if may_add else "",
            "status": "complete" if row.status == FormStatus.COMPLETE else "in_progress",
            "answers": _words(answers, columns, row),
        }
        for row in sorted(saved, key=lambda row: (len(row.repeat_key), row.repeat_key))
    ]
    return Repeats(
        form,
        columns,
        rows,
        reverse("form", args=[*address, "new"]) if may_add else "",
        next_form_url(answers, user, event, form),
        _removed(event, form, columns, answers),
        unchanged_offer(answers, event, form) if may_add else None,
    )


def _removed(event: StudyEvent, form: FormDef, columns: list[ItemDef], answers: SubjectAnswers) -> list[dict[str, Any]]:
    """What was taken away, with who and why: nothing vanishes from a list."""
    if event._state.adding:
        return []
    rows = event.forms.filter(form_oid=form.oid).exclude(removed_in=None).order_by("repeat_key")
    told = {one.pk: one for one in ChangeSet.objects.filter(pk__in=[row.removed_in for row in rows])}
    subject = answers.subject
    return [
        {
            "key": row.repeat_key,
            "answers": _words(answers, columns, row),
            "removal": told[row.removed_in],
            "copy_url": reverse("form-copy", args=[subject.study.oid, subject.number, row.pk]),
        }
        for row in rows
        if row.removed_in
    ]


def _words(answers: SubjectAnswers, columns: list[ItemDef], row: FormData) -> list[str]:
    document = Document(row.data, row.marks)
    return [answer_words(answers.study, item, document.answer(item.oid), answers.zone) for item in columns]
