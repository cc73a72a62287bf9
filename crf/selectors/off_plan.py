"""Visits that departed from the plan: an answer that never came, or one given outside the visit's window."""

from datetime import date, timedelta

from django.db.models import DateField, Exists, F, OuterRef, Q, QuerySet
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Lower

from crf.models import ClosedFor, FormData, StudyEvent
from sites.models import Site, Stop, StopKind, SubjectStatus
from trials.definition import Asked, DeviationRule, StudyDef, Unanswered

TOOK_PART = [SubjectStatus.RANDOMIZED, SubjectStatus.ENDED]


def off_plan(site: Site, definition: StudyDef, rule: DeviationRule, today: date) -> QuerySet[StudyEvent]:
    """The visits of randomised participants at the site that depart in the way of this rule."""
    found = Q()
    if rule.unanswered:
        found |= Q(pk__in=_unanswered(site, definition, rule.unanswered, today).values("pk"))
    if rule.outside:
        found |= Q(pk__in=_outside(site, definition, rule.outside).values("pk"))
    return _visits(site).filter(found) if found else StudyEvent.objects.none()


def _visits(site: Site) -> QuerySet[StudyEvent]:
    return StudyEvent.objects.filter(subject__site=site, subject__status__in=TOOK_PART, ordinal=1)


def _unanswered(site: Site, definition: StudyDef, asked: Unanswered, today: date) -> QuerySet[StudyEvent]:
    """Over since `asked.days`, of those who were there to answer."""
    answered = _forms(definition, asked).filter(data__has_key=asked.item)
    stopped = Stop.objects.standing().filter(subject=OuterRef("subject"), kind=StopKind.QUESTIONNAIRES)
    gone = [cause.value for cause in ClosedFor]  # a person may give the same reasons by their codes
    return (
        _visits(site)
        .filter(event_oid=asked.event, closed_for="", window_to__lt=today - timedelta(days=asked.days))
        .alias(why=Lower("not_done_code"))
        .exclude(why__in=gone)
        .exclude(Exists(answered))
        .exclude(Exists(stopped))
    )


def _outside(site: Site, definition: StudyDef, asked: Asked) -> QuerySet[StudyEvent]:
    visit = {"first": OuterRef("window_from"), "last": OuterRef("window_to")}
    days = (
        _forms(definition, asked)
        .filter(data__has_key=asked.item)
        .annotate(day=Cast(KeyTextTransform(asked.item, "data"), DateField()), **visit)
        .filter(Q(day__lt=F("first")) | Q(day__gt=F("last")))
    )
    return _visits(site).filter(Exists(days), event_oid=asked.event, provisional=False)


def _forms(definition: StudyDef, asked: Asked) -> QuerySet[FormData]:
    form = definition.form_of(asked.item).oid
    return FormData.objects.filter(event=OuterRef("pk"), form_oid=form, removed_in=None)
