"""Where a participant stands: derived from the rows that stand, never stored as one state (S09, S17, S18)."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection, models
from django.utils.translation import gettext_lazy as _

from sites.days import last_day
from sites.models import Death, Erasure, Stop, StopKind, Subject

LEFT_BY_CONSENT = frozenset({StopKind.REGISTERS, StopKind.SAMPLES})  # asked about on their own when a consent ends
SOMEBODY_LEFT = """EXISTS (SELECT FROM sites_death WHERE subject_id = ANY(%(subjects)s) AND ended_in IS NULL)
    OR EXISTS (SELECT FROM sites_erasure WHERE subject_id = ANY(%(subjects)s) AND declined_in IS NULL)
    OR EXISTS (SELECT FROM sites_stop WHERE subject_id = ANY(%(subjects)s) AND ended_in IS NULL)"""
SILENCED_BY = frozenset({StopKind.CONSENT, StopKind.QUESTIONNAIRES, StopKind.LOST})  # nobody is written to after these


class State(models.TextChoices):
    """The word for a participant who has left; the status of the subject stays what it is."""

    ERASED = "erased", _("Erased")
    DEAD = "dead", _("Dead")
    WITHDRAWN = "withdrawn", _("Withdrew")
    LOST = "lost", _("Lost to follow-up")

    @property
    def chip(self) -> str:
        """The chip whose tone fits (design §7)."""
        return "overdue" if self is State.LOST else "locked"


@dataclass(frozen=True)
class Participation:
    """What stands of a subject's leaving; empty for one who takes part in everything."""

    death: Death | None = None
    erasure: Erasure | None = None
    stops: dict[str, Stop] = field(default_factory=dict)

    @property
    def state(self) -> State | None:
        if self.is_erased:
            return State.ERASED
        if self.death:
            return State.DEAD
        if StopKind.CONSENT in self.stops:
            return State.WITHDRAWN
        return State.LOST if StopKind.LOST in self.stops else None

    @property
    def is_erased(self) -> bool:
        return bool(self.erasure and self.erasure.erased_at)

    @property
    def going_on(self) -> list[StopKind]:
        """What the participant still takes part in, and can stop; losing contact is not asked about."""
        kinds = LEFT_BY_CONSENT if StopKind.CONSENT in self.stops else set(StopKind) - {StopKind.LOST}
        return [kind for kind in StopKind if kind in kinds and kind not in self.stops]

    @property
    def withdrawn_on(self) -> date | None:
        """The last day on which data could still be collected."""
        stop = self.stops.get(StopKind.CONSENT)
        return latest_day(stop) if stop else None

    @property
    def last_possible_day(self) -> date | None:
        """The latest day on which the person can have been alive; None while no death is known, or not its day."""
        return latest_day(self.death) if self.death and self.death.day else None

    @property
    def may_be_written_to(self) -> bool:
        return not (self.death or self.is_erased or SILENCED_BY & set(self.stops))

    def collection_ends(self, *, from_registers: bool) -> date | None:
        """The day after which nothing may be collected: the law's own limit, not the protocol's (PRV-03)."""
        if from_registers and StopKind.REGISTERS not in self.stops:
            return None
        return self.withdrawn_on


def latest_day(row: Death | Stop) -> date:
    """The latest day that can be meant: none after it was recorded, on the clock of the site."""
    recorded_on = row.created_in.at.astimezone(ZoneInfo(row.subject.site.timezone)).date()
    return min(last_day(row.day), recorded_on)


def participation_of(subject: Subject) -> Participation:
    return participations({subject.pk})[subject.pk]


def participations(subjects: Collection[UUID]) -> dict[UUID, Participation]:
    """Of many subjects: one query when all of them take part, as most do, else three more."""
    if not _somebody_left(subjects):
        return {pk: Participation() for pk in subjects}
    told = ("created_in", "subject__site")
    found = Death.objects.standing().filter(subject__in=subjects).select_related(*told)
    deaths = {death.subject_id: death for death in found}
    wishes = Erasure.objects.filter(subject__in=subjects, declined_in=None)
    erasures = {erasure.subject_id: erasure for erasure in wishes}
    stops: dict[UUID, dict[str, Stop]] = {}
    for stop in Stop.objects.standing().filter(subject__in=subjects).select_related(*told):
        stops.setdefault(stop.subject_id, {})[stop.kind] = stop
    return {pk: Participation(deaths.get(pk), erasures.get(pk), stops.get(pk, {})) for pk in subjects}


def _somebody_left(subjects: Collection[UUID]) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {SOMEBODY_LEFT}", {"subjects": list(subjects)})
        left: bool = cursor.fetchone()[0]
    return left


def may_be_written_to(subject_id: UUID | None) -> bool:
    """May a message still go to this participant? Asked at the moment of sending."""
    return subject_id is None or participations({subject_id})[subject_id].may_be_written_to
