"""Guarded loaders: visits and forms are reached through the subject, so a foreign site's are 404 like their subject."""

from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

from django.http import Http404

from crf.models import FormData, StudyEvent
from crf.selectors.place import NEW, Place, place_of, standing
from pallsoft.errors import NotAllowedNow
from sites.models import Subject
from sites.permissions import AnyUser, Permission, has_permission
from sites.selectors import definition_at, subject_for
from trials.definition import FormDef, StudyDef, StudyEventDef
from trials.scope import compiled

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
    if betrays_arm(place.study, place.form) and not sees_arm(user, place.subject):
        raise Http404
    return place


def saved_form_for(user: AnyUser, study_oid: str, number: str, form_id: UUID) -> FormData:
    """A saved form, also a removed one. Raises Http404."""
    subject = subject_for(user, study_oid, number)
    form = subject.forms.select_related("event", "definition_version").filter(pk=form_id).first()
    if form is None:
        raise Http404
    form.subject = form.event.subject = subject
    return form


def sees_arm(user: AnyUser, subject: Subject) -> bool:
    return has_permission(user, Permission.VIEW_ARM, subject.study, subject.site)


def betrays_arm(study: StudyDef, form: FormDef) -> bool:
    """Would its being there tell the arm? The number of its repeats, or that it is asked at all."""
    if form.repeating and any(item.reveals_arm for item in form.items):
        return True
    rules = [ref.relevant for event in study.events for ref in event.forms if ref.form == form.oid]
    return any(rule and _asks_for_arm(study, rule) for rule in rules)


def event_betrays_arm(study: StudyDef, event: StudyEventDef) -> bool:
    return bool(event.relevant) and _asks_for_arm(study, event.relevant or "")


def proposal_betrays_arm(study: StudyDef, form: FormDef) -> bool:
    """Would being told of it on the worklist tell the arm, by its form or by what its rule asks about?"""
    if form.propose is None:
        return False
    names = compiled(study, form.propose.when, form.oid).names
    items = [name.rpartition(".")[2] for name in names if not name.islower()]
    by_rule = "fact.arm" in names or any(study.item(oid).reveals_arm for oid in items if study.has_item(oid))
    return by_rule or betrays_arm(study, form)


def _asks_for_arm(study: StudyDef, rule: str) -> bool:
    return "fact.arm" in compiled(study, rule, at_event=True).names


def _can_be_begun(place: Place) -> bool:
    listed = {ref.form for ref in place.study.event(place.event.event_oid).forms}
    return place.form.oid in listed and place.repeat_key == (NEW if place.form.repeating else "1")


def _check_event(user: AnyUser, event: StudyEvent) -> None:
    """Raises Http404 for a visit that the study has not or that would tell the arm; and for one that is not stored,
    unless it is the only one of its kind: then it may be begun without having been planned as a row."""
    study = definition_at(event.subject.site)
    definition = _or_404(lambda: study.event(event.event_oid))
    if event_betrays_arm(study, definition) and not sees_arm(user, event.subject):
        raise Http404
    if event._state.adding and (event.ordinal != 1 or definition.kind in ("repeating", "unscheduled")):
        raise Http404


def _or_404(find: Callable[[], Found]) -> Found:
    try:
        return find()
    except (KeyError, NotAllowedNow):
        raise Http404 from None
