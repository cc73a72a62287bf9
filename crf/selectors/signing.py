"""What one signature covers: a form, a visit or a subject's casebook; read anew each time it is shown or signed."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from crf.answers import saved_forms, visits_of
from crf.models import FormData, FormStatus, Signature, StudyEvent
from crf.selectors.definitions import definition_for
from crf.selectors.manifest import Manifest, digest, manifest_of
from crf.selectors.matrix import visit_label
from sites.models import Subject

PHYSICIAN = "physician"


@dataclass(frozen=True)
class Signable:
    """`event` and `form` as in crf.Signature: both for a form, the event alone for a visit, none for the casebook."""

    subject: Subject
    event: StudyEvent | None
    form: FormData | None
    rows: list[FormData]
    events: list[StudyEvent]

    def manifest(self, salt: UUID | None = None) -> Manifest:
        return manifest_of(self.rows, self.events, salt=salt)

    @cached_property
    def seen(self) -> str:
        """Stands on the page that shows it, and comes back with the signature."""
        return digest(self.manifest())

    @property
    def title(self) -> str:
        if self.form:
            return form_title(self.form)
        return (
            event_title(self.event, self.rows) if self.event else _("Casebook of %(number)s") % {"number": self.subject}
        )

    @property
    def unfinished(self) -> list[FormData]:
        """What cannot be signed yet."""
        return [row for row in self.rows if row.status != FormStatus.COMPLETE]

    @property
    def is_assessment(self) -> bool:
        """Is it a form that a physician answers for, whoever typed it?"""
        return self.form is not None and is_assessment(self.form)

    def of(self, meaning: str) -> "QuerySet[Signature]":
        """The signatures of exactly this that stand."""
        return Signature.objects.filter(
            subject=self.subject, event=self.event, form_data=self.form, meaning=meaning, voided_in=None
        )


def signable_form(form: FormData) -> Signable:
    return Signable(form.subject, form.event, form, [form], [])


def signable_visit(event: StudyEvent) -> Signable:
    """All forms saved at the visit, its date, and that it was not done."""
    rows = [row for row in _in_order(event.subject) if row.event_id == event.pk]
    return Signable(event.subject, event, None, rows, [event])


def signable_casebook(subject: Subject) -> Signable:
    """Every saved form and every visit that took place or did not; what is only planned is no data."""
    events = sorted(
        (event for event in subject.events.all() if event.is_settled),
        key=lambda event: (event.event_oid, event.ordinal),
    )
    return Signable(subject, None, None, _in_order(subject), events)


def _in_order(subject: Subject) -> list[FormData]:
    return sorted(saved_forms(subject, visits_of(subject)), key=sort_key)


def sort_key(row: FormData) -> tuple[Any, ...]:
    """As the definition orders visits and forms."""
    study = definition_for(row)
    places = {event.oid: place for place, event in enumerate(study.events)}
    forms = {form.oid: place for place, form in enumerate(study.forms)}
    key = int(row.repeat_key) if row.repeat_key.isdecimal() else 0
    return (places.get(row.event.event_oid, 0), row.event.ordinal, forms.get(row.form_oid, 0), key, str(row.pk))


def is_assessment(row: FormData) -> bool:
    return definition_for(row).form(row.form_oid).assessed_by == PHYSICIAN


def form_title(row: FormData) -> str:
    form = definition_for(row).form(row.form_oid)
    return f"{form.title} {row.repeat_key}" if form.repeating else str(form.title)


def event_title(event: StudyEvent, rows: list[FormData]) -> str:
    """By the definition of a form that stands at it; its OID when there is none."""
    for row in rows:
        if row.event_id == event.pk:
            return visit_label(event, definition_for(row).event(event.event_oid))
    return f"{event.event_oid} {event.ordinal}"
