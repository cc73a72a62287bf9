"""The flow of participants is counted from items, codes and a visit that exist."""

from collections.abc import Iterator

from trials.consistency.fault import Fault
from trials.definition import FlowPlan, FlowStep, StudyDef
from trials.reading import Path


def flow_fits(study: StudyDef) -> Iterator[Fault]:
    plan = study.flow
    if plan is None:
        return
    for key in ("received", "not_received"):
        step = getattr(plan, key)
        if step:
            yield from _step_fits(study, step, ("flow", key))
    for place, step in enumerate(plan.steps):
        yield from _step_fits(study, step, ("flow", "steps", place))
    yield from _primary_fits(study, plan)
    for place, one in enumerate(plan.sets):
        if "received" in one.have and not plan.received:
            yield Fault(("flow", "sets", place, "have"), "needs the treatment, and the flow does not say received")


def _step_fits(study: StudyDef, step: FlowStep, path: Path) -> Iterator[Fault]:
    missing = [(key, oid) for key in ("item", "why") if (oid := getattr(step, key)) and not study.has_item(oid)]
    for key, oid in missing:
        yield Fault((*path, key), f"{oid} is not an item of this study")
    if missing:
        return
    listed = study.codes_of(study.item(step.item))
    for code in step.codes:
        if listed is None or code not in listed.codes:
            yield Fault((*path, "codes"), f"{step.item} cannot take the code {code}")
    if step.why and study.form_of(step.why).oid != study.form_of(step.item).oid:
        yield Fault((*path, "why"), f"{step.why} is not on the form of {step.item}")
    if step.why and study.codes_of(study.item(step.why)) is None:
        yield Fault((*path, "why"), f"{step.why} has no codes")


def _primary_fits(study: StudyDef, plan: FlowPlan) -> Iterator[Fault]:
    if not study.has_event(plan.event):
        yield Fault(("flow", "event"), f"{plan.event} is not a visit of this study")
        return
    if not study.has_item(plan.answer):
        yield Fault(("flow", "answer"), f"{plan.answer} is not an item of this study")
        return
    form = study.form_of(plan.answer)
    if form.repeating or form.oid not in {ref.form for ref in study.event(plan.event).forms}:
        yield Fault(("flow", "answer"), f"{plan.answer} is not asked once at the visit {plan.event}")
    if plan.not_answered and plan.not_answered not in form.item_oids:
        yield Fault(("flow", "not_answered"), f"{plan.not_answered} is not an item of form {form.oid}")
