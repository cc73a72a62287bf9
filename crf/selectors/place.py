"""Where a form stands: its visit, its row if there is one, the definition it is read by."""

from copy import copy
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from crf.answers import SubjectAnswers, saved_forms, visits_of
from crf.entry.document import Document, Rules
from crf.models import FormData, StudyEvent
from crf.selectors.definitions import definition_for
from sites.clock import database_now
from sites.models import Subject
from sites.selectors import version_at
from trials.definition import FormDef, StudyDef, definition_of
from trials.models import StudyVersion

NEW = "new"  # the repeat key of a repeat that gets its number when it is saved (PC049)


@dataclass(frozen=True)
class Place:
    """`row` and `version`: one of them is None; a row keeps its version, a new form takes the one of its site."""

    event: StudyEvent
    form: FormDef
    repeat_key: str
    row: FormData | None
    version: StudyVersion | None
    answers: SubjectAnswers
    observed_at: datetime | None = None  # as told with a save; what is stored stands in the row

    @property
    def subject(self) -> Subject:
        return self.event.subject

    @property
    def study(self) -> StudyDef:
        return self.answers.study

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.subject.site.timezone)

    @property
    def current(self) -> Document:
        return Document(self.row.data, self.row.marks) if self.row else Document()

    @property
    def rules(self) -> Rules:
        observed_at = self.observed_at or (self.row.observed_at if self.row else None)
        return Rules(self.study, self.form, self.answers.at(self.event, observed_at))

    def observed_on(self, told: datetime | None = None) -> date:
        """The day of the answers, as far as it is known; `told`: when it was, as said with a save."""
        told = told or (self.row.observed_at if self.row else None)
        if told is None and self.event.happened_on:
            return self.event.happened_on
        told = told or (self.row.first_saved_at if self.row else database_now())
        return told.astimezone(self.zone).date()


def place_of(event: StudyEvent, form_oid: str, repeat_key: str) -> Place:
    """The place that a visit, stored or not, and a form name. Raises KeyError for a form that the study has not."""
    events = visits_of(event.subject)
    event = next((one for one in events if one.key == event.key), event)
    forms = saved_forms(event.subject, events)
    row = next((copy(form) for form in forms if _address(form) == (event.pk, form_oid, repeat_key)), None)
    version = None if row else version_at(event.subject.site)
    study = definition_for(row) if row else definition_of(version)
    if row:
        row.subject, row.event = event.subject, event
    read = None if event._state.adding else events  # a visit that is stored by a save comes to them
    answers = SubjectAnswers(event.subject, study, events=read, forms=forms)
    return Place(event, study.form(form_oid), repeat_key, row, version, answers)


def new_row(place: Place) -> FormData:
    """An unsaved row; a repeat gets the next number of its visit, counting those that were removed."""
    return FormData(
        study=place.event.study,
        subject=place.subject,
        event=place.event,
        form_oid=place.form.oid,
        repeat_key=_next_key(place) if place.repeat_key == NEW else place.repeat_key,
        definition_version=place.version,
        version=0,
    )


def _address(form: FormData) -> tuple[UUID, str, str]:
    return form.event_id, form.form_oid, form.repeat_key


def _next_key(place: Place) -> str:
    if place.event._state.adding:
        return "1"
    keys = place.event.forms.filter(form_oid=place.form.oid).values_list("repeat_key", flat=True)
    return str(max((int(key) for key in keys if key.isdecimal()), default=0) + 1)


def standing(event: StudyEvent) -> StudyEvent:
    """The stored visit that `event` names; `event` itself when there is none yet."""
    found = StudyEvent.objects.filter(subject=event.subject, event_oid=event.event_oid, ordinal=event.ordinal).first()
    if found is None:
        return event
    found.subject = event.subject
    return found
