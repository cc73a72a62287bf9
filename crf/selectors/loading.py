"""Guarded loaders: visits and forms are reached through the subject, so a foreign site's are 404 like their subject."""

from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

from django.http import Http404

from crf.models import FormData, StudyEvent
from crf.selectors.place import NEW, Place, place_of, standing
from crf.selectors.secrets import NO_SECRET, Secret, secrets_of
from pallsoft.errors import NotAllowedNow
from sites.models import Subject
from sites.permissions import AnyUser, Permission, has_permission
from sites.selectors import definition_at, subject_for

Found = TypeVar("Found")


def event_for(
    user: AnyUser, study_oid: str, number: str, event_oid: str, ordinal: int, *, reading: bool = True
) -> StudyEvent:
    """A visit of a subject whom the person may see, stored or planned. Raises Http404."""
    subject = subject_for(user, study_oid, number, reading=reading)
    event = standing(StudyEvent(study=subject.study, subject=subject, event_oid=event_oid, ordinal=ordinal))
    _check_event(user, event)
    return event


def place_for(
    user: AnyUser,
    study_oid: str,
    number: str,
    event_oid: str,
    ordinal: int,
    form_oid: str,
    repeat_key: str,
    *,
    reading: bool = True,
) -> Place:
    """Where a form stands, saved or not; nothing is created by looking. Raises Http404."""
    subject = subject_for(user, study_oid, number, reading=reading)
    event = StudyEvent(study=subject.study, subject=subject, event_oid=event_oid, ordinal=ordinal)
    place = _or_404(lambda: place_of(event, form_oid, repeat_key))
    _check_event(user, place.event)
    if place.row is None and not _can_be_begun(place):
        raise Http404
    if place.form.oid in secrets_for(user, place.subject).forms:
        raise Http404
    return place


def saved_form_for(user: AnyUser, study_oid: str, number: str, form_id: UUID) -> FormData:
    """A saved form, also a removed one. Raises Http404."""
    subject = subject_for(user, study_oid, number)
    form = subject.forms.select_related("event", "definition_version").filter(pk=form_id).first()
    secret = secrets_for(user, subject)
    if form is None or form.form_oid in secret.forms or form.event.event_oid in secret.events:
        raise Http404
    form.subject = form.event.subject = subject
    return form


def sees_arm(user: AnyUser, subject: Subject) -> bool:
    return has_permission(user, Permission.VIEW_ARM, subject.study, subject.site)


def secrets_for(user: AnyUser, subject: Subject) -> Secret:
    """What the person may not be told of the subject."""
    return NO_SECRET if sees_arm(user, subject) else secrets_of(subject.study)


def _can_be_begun(place: Place) -> bool:
    listed = {ref.form for ref in place.study.event(place.event.event_oid).forms}
    return place.form.oid in listed and place.repeat_key == (NEW if place.form.repeating else "1")


def _check_event(user: AnyUser, event: StudyEvent) -> None:
    """Raises Http404 for a visit that the study has not or that would tell the arm; and for one that is not stored,
    unless it is the only one of its kind: then it may be begun without having been planned as a row."""
    study = definition_at(event.subject.site)
    definition = _or_404(lambda: study.event(event.event_oid))
    if event.event_oid in secrets_for(user, event.subject).events:
        raise Http404
    if event._state.adding and (event.ordinal != 1 or definition.kind in ("repeating", "unscheduled")):
        raise Http404


def _or_404(find: Callable[[], Found]) -> Found:
    try:
        return find()
    except (KeyError, NotAllowedNow):
        raise Http404 from None
