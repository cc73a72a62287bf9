"""The flow of participants through the trial (CONSORT): which answers its boxes are counted from."""

from __future__ import annotations

from dataclasses import dataclass

from trials.definition.texts import CODE, OID, TEXT, Text
from trials.reading import SOURCE, choice, many, may, needs, record, whole


@dataclass(frozen=True, kw_only=True)
class FlowStep:
    """Those for whom one of `codes` is the answer to `item` on any form; `why`: the item that tells the reason."""

    oid: str = needs(OID)
    label: Text = needs(TEXT)
    item: str = needs(OID)
    codes: tuple[str, ...] = needs(many(CODE, least=1))
    why: str | None = may(OID)
    source: str = needs(SOURCE)

    @property
    def items(self) -> list[str]:
        return [oid for oid in (self.item, self.why) if oid]


@dataclass(frozen=True, kw_only=True)
class AnalysisSet:
    """Of the randomised, those who `have` all of it: the primary answer, the treatment received."""

    oid: str = needs(OID)
    label: Text = needs(TEXT)
    have: tuple[str, ...] = may(many(choice("answered", "received")), ())
    source: str = needs(SOURCE)


@dataclass(frozen=True, kw_only=True)
class FlowPlan:
    """`received` and `not_received`: what became of the allocated treatment, and `steps` of it afterwards; without
    them nothing is said of treatment. The primary answer is `answer` at the visit `event`; the item `not_answered` of
    its form tells why there is none. With less than `warn_below` percent of them the follow-up page warns.
    """

    received: FlowStep | None = may(record(FlowStep))
    not_received: FlowStep | None = may(record(FlowStep))
    steps: tuple[FlowStep, ...] = may(many(record(FlowStep)), ())
    event: str = needs(OID)
    answer: str = needs(OID)
    not_answered: str | None = may(OID)
    sets: tuple[AnalysisSet, ...] = may(many(record(AnalysisSet)), ())
    warn_below: int | None = may(whole(least=1, most=100))
    source: str = needs(SOURCE)

    @property
    def treatment(self) -> list[FlowStep]:
        return [step for step in (self.received, self.not_received, *self.steps) if step]
