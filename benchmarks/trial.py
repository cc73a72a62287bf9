"""A trial to measure on: PALLSOFT, one site, invented subjects who all answered one form of 30 items."""

import datetime as dt
import uuid
from dataclasses import dataclass

from django.conf import settings
from django.core.management import call_command
from django.utils import timezone

from crf.models import FormData, FormStatus, StudyEvent
from pallsoft.accounts.models import Profession, User
from pallsoft.audit.context import change_set
from sites.models import Assignment, Consent, Role, Site, Subject
from trials.definition import FormDef, ItemDef, StudyDef, definition_of
from trials.models import Status, Study, StudyVersion
from trials.selectors import live_version

ITEMS = 30
BATCH = 2_000


@dataclass(frozen=True)
class Trial:
    study: Study
    version: StudyVersion
    definition: StudyDef
    site: Site
    nurse: User
    form: FormDef
    event_oid: str


def make_trial() -> Trial:
    call_command("load_study", str(settings.BASE_DIR / "trials" / "definitions" / "pallsoft"), verbosity=0)
    study = Study.objects.get(oid="PALLSOFT")
    version = live_version(study)
    definition = definition_of(version)
    form = min(_asked_of_everybody(definition), key=lambda form: abs(_questions(form) - ITEMS))
    site, nurse = _people(study, version)
    return Trial(study, version, definition, site, nurse, form, definition.events_with(form.oid)[0].oid)


def _asked_of_everybody(definition: StudyDef) -> list[FormDef]:
    refs = [(ref, definition.form(ref.form)) for event in definition.events for ref in event.forms]
    return [form for ref, form in refs if not (ref.relevant or form.repeating)]


def _questions(form: FormDef) -> int:
    return sum(not item.derived for item in form.items)


def _people(study: Study, version: StudyVersion) -> tuple[Site, User]:
    today = dt.date.today()
    with change_set(study=study, by=None, action="benchmark", reason="benchmark"):
        study.status = Status.OPEN
        study.save()
        site = Site.objects.create(study=study, code="BEN", name="Målesykehuset", city="Målby", status=Status.OPEN)
        site.versions.create(
            study=study, version=version, active_from=today, ethics_approved_on=today, ethics_reference="-"
        )
        nurse = User(username="måler", full_name="Åse Måler", email="m@example.org", profession=Profession.NURSE)
        nurse.set_unusable_password()
        nurse.save()
        Assignment.objects.create(study=study, user=nurse, role=Role.STUDY_NURSE, site=site, valid_from=today)
    return site, nurse


def add_subjects(trial: Trial, count: int, *, answered: bool = True) -> list[StudyEvent]:
    """`count` more subjects, each with the visit of the form, in change sets of BATCH; returns the visits."""
    events: list[StudyEvent] = []
    first = Subject.objects.filter(study=trial.study).count()
    for start in range(first, first + count, BATCH):
        events += _batch(trial, range(start, min(start + BATCH, first + count)), answered)
    return events


def _batch(trial: Trial, numbers: range, answered: bool) -> list[StudyEvent]:
    with change_set(study=trial.study, by=trial.nurse, action="benchmark", site=trial.site):
        subjects = Subject.objects.bulk_create(
            Subject(
                study=trial.study, site=trial.site, number=f"BEN-{n:06d}", birth_year=1950, sex="F",
                request_key=uuid.uuid4(),
            )
            for n in numbers
        )  # fmt: skip
        events = StudyEvent.objects.bulk_create(
            StudyEvent(study=trial.study, subject=subject, event_oid=trial.event_oid, ordinal=1) for subject in subjects
        )
        Consent.objects.bulk_create(_consent(trial, subject) for subject in subjects)
        if answered:
            FormData.objects.bulk_create(form_row(trial, event) for event in events)
    return events


def _consent(trial: Trial, subject: Subject) -> Consent:
    return Consent(
        study=trial.study, subject=subject, version="1", signed_at=timezone.now(), language="nb",
        informed_by=trial.nurse, copy_given=True,
    )  # fmt: skip


def form_row(trial: Trial, event: StudyEvent) -> FormData:
    return FormData(
        study=trial.study, subject_id=event.subject_id, event=event, form_oid=trial.form.oid,
        definition_version=trial.version, status=FormStatus.COMPLETE, data=answers(trial),
    )  # fmt: skip


def answers(trial: Trial) -> dict[str, str]:
    """A valid canonical answer to every question of the form; those that may be left out would hide others."""
    asked = [item for item in trial.form.items if item.required and not item.derived]
    return {item.oid: _answer(trial.definition, item) for item in asked}


def _answer(definition: StudyDef, item: ItemDef) -> str:
    if codes := definition.codes_of(item):
        return codes.codes[0]
    by_kind = {"date": "2026-09-01", "partial_date": "2026-09", "time": "14:32", "datetime": "2026-09-01T12:00:00Z"}
    return by_kind.get(item.kind, "målt" if item.kind == "text" else str(item.min or 1).split(".")[0])
