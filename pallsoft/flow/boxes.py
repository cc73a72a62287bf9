"""The boxes of the flow: what each is called, who is in it, and how many."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from django.utils.translation import gettext as _

from crf.models import ClosedFor
from pallsoft.flow.persons import (
    ANSWERED,
    CONSIDERED,
    DEAD,
    EXCLUDED,
    MISSING,
    NOT_RECEIVED,
    NOT_RECORDED,
    RANDOMIZED,
    RECEIVED,
    TO_COME,
    WITHDRAWN,
    Question,
    Standing,
    Where,
    standings,
)
from pallsoft.recruiting_sites import AFTER_CONSENT
from sites.selectors import reasons_in
from trials.definition import FlowPlan

ENROLMENT, ALLOCATION, FOLLOW_UP, ANALYSIS = "enrolment", "allocation", "follow_up", "analysis"
NEEDS = {"answered": ("follow", (ANSWERED,)), "received": ("treatment", (RECEIVED,))}


@dataclass(frozen=True)
class Box:
    """A number of the flow. `key` names it in addresses; `counts`: of all, then, from the allocation on, of each arm
    when they are told apart.

    `depth` 1: a part of the box before it, such as a reason. `listed`: may who asks know who is in it?
    """

    section: str
    key: str
    label: str
    where: Where
    depth: int = 0
    counts: tuple[int, ...] = ()
    listed: bool = True

    @property
    def of_all(self) -> int:
        return self.counts[0]


@dataclass(frozen=True)
class Flow:
    """`arms`: codes, in the order of the counts after that of all; none when arms are not told apart."""

    question: Question
    arms: tuple[str, ...]
    boxes: list[Box]

    def box(self, key: str) -> Box:
        """Raises KeyError for one that is not shown."""
        return {box.key: box for box in self.boxes}[key]

    def section(self, name: str) -> list[Box]:
        return [box for box in self.boxes if box.section == name]


def flow_of(question: Question) -> Flow:
    """Every box, those for reasons that occur; one query."""
    found = standings(question)
    arms = tuple(arm.code for arm in question.definition.arms) if question.by_arm else ()
    boxes = [_counted(box, found, arms) for box in _boxes(question, [standing for standing, _n in found])]
    return Flow(question, arms, boxes)


def in_arm(where: Where, arm: str) -> Where:
    return {**where, "arm": (arm,)} if arm else where


def _counted(box: Box, found: Sequence[tuple[Standing, int]], arms: Sequence[str]) -> Box:
    told = ("",) if box.section == ENROLMENT else ("", *arms)
    counts = [sum(n for standing, n in found if standing.fits(in_arm(box.where, arm))) for arm in told]
    return replace(box, counts=tuple(counts))


def _boxes(question: Question, found: Sequence[Standing]) -> Iterator[Box]:
    yield from _enrolment(question, found)
    yield Box(ALLOCATION, "allocated", _("Allocated to treatment"), {"stage": (RANDOMIZED,)})
    yield from _treatment(question, found)
    yield from _follow_up(question, found)
    for one in question.plan.sets:
        where = {"stage": (RANDOMIZED,), "within": (one.oid,)} | dict(NEEDS[need] for need in one.have)
        yield Box(ANALYSIS, f"set:{one.oid}", str(one.label), where, listed=question.lists(one))


def _enrolment(question: Question, found: Sequence[Standing]) -> Iterator[Box]:
    yield Box(ENROLMENT, "assessed", _("Assessed for eligibility"), {})
    excluded = {"stage": (EXCLUDED,)}
    yield Box(ENROLMENT, EXCLUDED, _("Not randomised"), excluded)
    words = excluded_words(question)
    for code in _in_order({one.why for one in found if one.stage == EXCLUDED}, words):
        yield Box(ENROLMENT, f"{EXCLUDED}:{code}", words.get(code, code), {**excluded, "why": (code,)}, 1)
    yield Box(ENROLMENT, CONSIDERED, _("Being considered or in screening"), {"stage": (CONSIDERED,)})
    yield Box(ENROLMENT, RANDOMIZED, _("Randomised"), {"stage": (RANDOMIZED,)})


def _treatment(question: Question, found: Sequence[Standing]) -> Iterator[Box]:
    plan = question.plan
    told = [step for step in (plan.received, plan.not_received) if step and question.tells(step)]
    for step in told:
        state = RECEIVED if step is plan.received else NOT_RECEIVED
        where = {"treatment": (state,)}
        yield Box(ALLOCATION, state, str(step.label), where)
        if step.why and state == NOT_RECEIVED:
            words = code_words(question, step.why)
            for code in _in_order({one.treatment_why for one in found if one.treatment == state}, words):
                label = words.get(code) or code or _("Reason not given")
                yield Box(ALLOCATION, f"{state}:{code}", label, {**where, "treatment_why": (code,)}, 1)
    if told:
        yield Box(ALLOCATION, NOT_RECORDED, _("Nothing recorded of the treatment"), {"treatment": (NOT_RECORDED,)})
    for step in plan.steps:
        if question.tells(step):
            yield Box(ALLOCATION, f"step:{step.oid}", str(step.label), {"steps": (step.oid,)})


def _follow_up(question: Question, found: Sequence[Standing]) -> Iterator[Box]:
    for state, label in follow_words().items():
        where = {"follow": (state,)}
        yield Box(FOLLOW_UP, state, label, where)
        if state == MISSING:
            words = missing_words(question)
            for why in _in_order({one.follow_why for one in found if one.follow == state}, words):
                label = words.get(why, why.partition(":")[2])
                yield Box(FOLLOW_UP, f"{state}:{why}", label, {**where, "follow_why": (why,)}, 1)


def follow_words() -> dict[str, str]:
    """{state at the primary time point: words}, in the order of the figure."""
    return {
        ANSWERED: _("Answered"),
        MISSING: _("Not answered though alive"),
        DEAD: _("Dead before"),
        WITHDRAWN: _("Withdrew before"),
        ClosedFor.STOPPED: _("Wanted no more visits"),
        ClosedFor.LOST: _("Lost to follow-up"),
        TO_COME: _("Still to come"),
    }


def excluded_words(question: Question) -> dict[str, str]:
    """{why somebody was not randomised: words}; of a criterion its code and wording."""
    known = dict(choice for choices in reasons_in(question.definition).values() for choice in choices)
    return known | {
        AFTER_CONSENT: _("Screen failure after the consent"),
        DEAD: _("Died before randomisation"),
        WITHDRAWN: _("Withdrew before randomisation"),
    }


def missing_words(question: Question) -> dict[str, str]:
    """{why there is no primary answer: words}; said on the form, else of the visit."""
    plan: FlowPlan = question.plan
    on_form = code_words(question, plan.not_answered) if plan.not_answered else {}
    of_visit = question.definition.why_not_done
    return {
        **{f"form:{code}": label for code, label in on_form.items()},
        **{f"visit:{item.code}": str(item.label) for item in (of_visit.items if of_visit else ())},
        "visit:": _("The visit was not done, for another reason"),
        "": _("No reason recorded"),
    }


def code_words(question: Question, item_oid: str) -> dict[str, str]:
    listed = question.definition.codes_of(question.definition.item(item_oid))
    return {item.code: str(item.label) for item in listed.items} if listed else {}


def _in_order(codes: set[str], words: dict[str, str]) -> list[str]:
    """As the definition has them; what it no longer has comes last."""
    return [code for code in words if code in codes] + sorted(codes - set(words))
