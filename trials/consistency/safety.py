"""The clock of serious events stands on items that exist."""

from collections.abc import Iterator

from trials.consistency.fault import Fault
from trials.definition import StudyDef


def safety_fits(study: StudyDef) -> Iterator[Fault]:
    plan = study.safety
    if plan is None:
        return
    if not study.has_form(plan.form):
        yield Fault(("safety", "form"), f"{plan.form} is not a form of this study")
        return
    for key, kind in (("serious", "yesno"), ("aware", "datetime"), ("reported", "datetime")):
        oid = getattr(plan, key)
        if oid not in study.form(plan.form).item_oids:
            yield Fault(("safety", key), f"{oid} is not an item of form {plan.form}")
        elif study.item(oid).kind != kind:
            yield Fault(("safety", key), f"{oid} is {study.item(oid).kind}, needs to be {kind}")
