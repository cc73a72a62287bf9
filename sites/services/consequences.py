"""What a stop brings with it, within its change set: cancelled messages, ended ticks of the consent, samples."""

import uuid
from collections.abc import Collection, Set
from datetime import datetime, time, timedelta

from pallsoft.audit.models import ItemChange
from pallsoft.outbox.services import cancel_to_participant
from sites.clock import database_now, local_today
from sites.days import last_day
from sites.models import Consent, ConsentOption, SampleTask, Stop, StopKind, Subject
from sites.participation import SILENCED_BY
from sites.selectors import definition_at
from sites.services.holding import setting_at, zone_of

DESTRUCTION_DAYS = "sample_destruction_days"  # setting of a definition


def silence(subject: Subject, kinds: Set[str], change: uuid.UUID) -> None:
    """Cancel what waits to be sent to the participant, when one of the stops says so; the cause stands with it."""
    causes = [kind for kind in StopKind if kind in kinds & SILENCED_BY]
    if causes:
        cause = StopKind.CONSENT if StopKind.CONSENT in causes else causes[0]
        cancel_to_participant(subject_id=subject.pk, cause=cause, change_set=change)


def kinds_allowed_by(option: ConsentOption) -> frozenset[StopKind]:
    """What rests on one tick of the consent."""
    return frozenset(kind for kind, oids in _allowing(option.subject).items() if option.option in oids)


def withdraw_options(subject: Subject, stops: Collection[Stop]) -> None:
    """The ticks that the stops end: from the end of their day, at the latest from now."""
    for stop in stops:
        ends = min(datetime.combine(last_day(stop.day), time.max, zone_of(subject)), database_now())
        granted = ConsentOption.objects.filter(subject=subject, granted=True, withdrawn_at=None)
        granted.filter(option__in=_ended_by(subject, stop)).update(withdrawn_at=ends)


def give_back_options(subject: Subject, stops: Collection[Stop]) -> None:
    """The ticks that were withdrawn together with the stops, as the trail says, and by nothing else."""
    for stop in stops:
        withdrawn = ItemChange.objects.filter(
            change_set=stop.created_in_id, tbl="sites_consentoption", item="withdrawn_at"
        )
        ticks = ConsentOption.objects.filter(subject=subject, pk__in=list(withdrawn.values_list("row_id", flat=True)))
        ticks.filter(option__in=_ended_by(subject, stop)).update(withdrawn_at=None)


def is_allowed_again(consent: Consent, stop: Stop) -> bool:
    """Samples and registers only when the new consent ticks them; the treatment is a decision of its own."""
    if stop.kind in (StopKind.SAMPLES, StopKind.REGISTERS):
        oids = _allowing(consent.subject)[StopKind(stop.kind)]
        return consent.options.filter(option__in=oids, granted=True).exists()
    return stop.kind != StopKind.TREATMENT


def owe_destruction(subject: Subject, stop: Stop) -> None:
    """Only where samples were ever allowed: then some may lie somewhere."""
    oids = _allowing(subject)[StopKind.SAMPLES]
    if ConsentOption.objects.filter(subject=subject, option__in=oids, granted=True).exists():
        due_on = local_today(subject.site.timezone) + timedelta(days=setting_at(subject, DESTRUCTION_DAYS, 30))
        SampleTask.objects.create(study=subject.study, subject=subject, stop=stop, due_on=due_on)


def drop_destruction(stop: Stop) -> None:
    """Samples may be kept after all, unless they are destroyed already."""
    SampleTask.objects.filter(stop=stop, done_on=None, dropped_in=None).update(dropped_in=stop.ended_in)


def _allowing(subject: Subject) -> dict[StopKind, set[str]]:
    """{what stops: the options of the consent that allow it}"""
    consent = definition_at(subject.site).consent
    return {
        StopKind.SAMPLES: consent.covering("samples"),
        StopKind.REGISTERS: consent.covering("registers"),
        StopKind.CONSENT: consent.required,
    }


def _ended_by(subject: Subject, stop: Stop) -> set[str]:
    """With the consent go all options but those for samples and registers, which are asked about on their own."""
    allowing = _allowing(subject)
    if stop.kind != StopKind.CONSENT:
        return allowing.get(StopKind(stop.kind), set())
    options = {option.oid for option in definition_at(subject.site).consent.options}
    return options - allowing[StopKind.SAMPLES] - allowing[StopKind.REGISTERS]
