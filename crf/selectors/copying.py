"""Values of a form that stands in the wrong place, offered where they belong (issue C2)."""

from typing import Any
from uuid import UUID

from django.urls import reverse

from crf.answers import SubjectAnswers
from crf.entry.document import Document
from crf.entry.fields import typed_of
from crf.entry.posted import Posted
from crf.models import FormData
from crf.selectors.matrix import matrix_of, visit_label
from crf.selectors.place import Place
from sites.models import Subject
from sites.permissions import AnyUser
from sites.selectors import definition_at, subjects_for


def copied_answers(user: AnyUser, place: Place, form_id: str) -> Posted | None:
    """The answers of another form as if typed here; None when there is nothing to copy or something stands here."""
    source = _source(user, place, form_id)
    if source is None or place.row:
        return None
    document = Document(source.data, source.marks)
    items = [item for item in place.form.items if not item.derived and document.given(item.oid)]
    posted = Posted()
    for item in items:
        posted.typed[item.oid] = typed_of(item, document.given(item.oid), place.zone)
        posted.answers[item.oid] = document.given(item.oid)
    return posted


def earlier_one(place: Place) -> dict[str, Any] | None:
    """{label, url}: the newest earlier instance of a form not begun here, to start from; never a patient's form."""
    if place.row or place.form.kind == "patient" or place.form.repeating:
        return None
    saved = [form for form in place.answers.forms if form.form_oid == place.form.oid and form.event.happened_on]
    if not saved:
        return None
    newest = max(saved, key=lambda form: (form.event.happened_on, form.event.ordinal))
    label = visit_label(newest.event, place.study.event(newest.event.event_oid))
    return {"label": label, "url": f"?from={newest.pk}"}


def last_time(place: Place) -> dict[str, Any] | None:
    """{label, on}: when a form that looks back was filled in before; `on` None when it never was."""
    if place.form.recall != "last_time":
        return None
    day = place.event.happened_on
    earlier = [
        form.event
        for form in place.answers.forms
        if form.form_oid == place.form.oid
        and form.event.key != place.event.key
        and form.event.happened_on
        and (day is None or form.event.happened_on <= day)
    ]
    if not earlier:
        return {"label": "", "on": None}
    newest = max(earlier, key=lambda event: (event.happened_on, event.ordinal))
    return {"label": visit_label(newest, place.study.event(newest.event_oid)), "on": newest.happened_on}


def _source(user: AnyUser, place: Place, form_id: str) -> FormData | None:
    """The form that is named, when the person may see its subject."""
    try:
        wanted = UUID(form_id)
    except ValueError:
        return None
    subjects = subjects_for(user, place.subject.study)
    return FormData.objects.filter(pk=wanted, form_oid=place.form.oid, subject__in=subjects).first()


def targets_for(subject: Subject, source: FormData, user: AnyUser) -> list[dict[str, Any]]:
    """[{label, url}]: visits of a subject where such a form can still be begun."""
    answers = SubjectAnswers(subject, definition_at(subject.site))
    repeating = answers.study.form(source.form_oid).repeating
    found = []
    for visit in matrix_of(answers, user).visits:
        cell = visit.cells.get(source.form_oid)
        taken = any(form.event.key == visit.event.key and form.form_oid == source.form_oid for form in answers.forms)
        if cell and (repeating or not taken):
            address = [
                subject.study.oid,
                subject.number,
                *visit.event.key,
                source.form_oid,
                "new" if repeating else "1",
            ]
            found.append({"label": visit.label, "url": f"{reverse('form', args=address)}?from={source.pk}"})
    return found
