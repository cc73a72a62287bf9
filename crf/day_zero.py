"""What the visits of a subject are counted from: day 0, or what stands in for it until it comes (S10)."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache

from crf.answers import SubjectAnswers
from crf.schedule import Planned, planned_events
from trials.definition import StudyDef
from trials.scope import compiled
from trials.subject_rules import SubjectContext, asked_for, facts_of, is_shown
from trials.values import UNKNOWN

PLANNED = "planned_anchor_on"  # own fact of a definition: the day for which day 0 is planned


class Basis(StrEnum):
    """Where the day comes from that visits are counted from."""

    REAL = "real"
    PLANNED = "planned"
    PRESUMED = "presumed"  # nobody planned a day: randomisation and some days
    CANCELLED = (
        "cancelled"  # it was decided that day 0 never comes: the presumed day, for good unless it comes after all
    )


@dataclass(frozen=True)
class Clock:
    day: date
    basis: Basis

    @property
    def provisional(self) -> bool:
        return self.basis in (Basis.PLANNED, Basis.PRESUMED)


def clock_of(answers: SubjectAnswers) -> Clock | None:
    """None before randomisation, as long as there is no real day 0."""
    if answers.anchor:
        return Clock(answers.anchor.day, Basis.REAL)
    randomized_on = answers.known("fact.randomized_on")
    if randomized_on is None:
        return None
    presumed = randomized_on + timedelta(days=answers.study.days_of("anchor_fallback_days") or 0)
    if _is_cancelled(answers):
        return Clock(presumed, Basis.CANCELLED)
    planned = facts_of(answers.study, answers.whole).get(PLANNED, UNKNOWN)
    return Clock(planned, Basis.PLANNED) if isinstance(planned, date) else Clock(presumed, Basis.PRESUMED)


def plan_of(answers: SubjectAnswers, clock: Clock) -> list[Planned]:
    """The visits to come, counted from day 0 or from what the definition says instead."""
    study, outside = answers.study, SubjectContext(answers.study, answers.whole)
    starts = {
        event.oid: compiled(study, event.counted_from, at_event=True).evaluate(outside)
        for event in study.events
        if event.counted_from and is_shown(study, event, answers.whole)
    }
    return planned_events(study, clock.day, {oid: int(day) for oid, day in starts.items() if isinstance(day, Decimal)})


def days_waited(answers: SubjectAnswers, today: date) -> int | None:
    """Days since randomisation, when they are too many without day 0 or the decision that it never comes.

    None when nothing is wrong, and for who has died or left.
    """
    clock, limit = clock_of(answers), answers.study.days_of("anchor_late_days")
    if clock is None or not clock.provisional or limit is None or answers.participation.state:
        return None
    waited: int = (today - answers.known("fact.randomized_on")).days
    return waited if waited > limit else None


@lru_cache(maxsize=64)
def clock_items(study: StudyDef) -> frozenset[str]:
    """The OIDs of the items outside the anchor's own form that the clock and the plan read."""
    sources = [fact.expr for fact in study.facts if fact.oid == PLANNED]
    sources += [rule for event in study.events if event.day for rule in (event.counted_from, event.relevant) if rule]
    if study.anchor.cancelled:
        sources.append(study.anchor.cancelled.when)
    names = {name for source in sources for name in compiled(study, source, at_event=True).names}
    return frozenset(ref for ref in asked_for(study, names) if "." not in ref)


def _is_cancelled(answers: SubjectAnswers) -> bool:
    rule = answers.study.anchor.cancelled
    if rule is None:
        return False
    return compiled(answers.study, rule.when).evaluate(SubjectContext(answers.study, answers.whole)) is True
