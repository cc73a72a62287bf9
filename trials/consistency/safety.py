"""The clock of serious events stands on items that exist."""

from collections.abc import Iterator

from trials.consistency.fault import Fault
from trials.definition import CTCAE_VERSION, SafetyPlan, StudyDef

KINDS = {
    "serious": "yesno",
    "planned": "yesno",
    "term": "text",
    "onset": "partial_date",
    "aware": "datetime",
    "reported": "datetime",
}


def safety_fits(study: StudyDef) -> Iterator[Fault]:
    plan = study.safety
    if plan is None:
        return
    if not study.has_form(plan.form):
        yield Fault(("safety", "form"), f"{plan.form} is not a form of this study")
        return
    for key, kind in KINDS.items():
        oid = getattr(plan, key)
        if oid is None:
            continue
        if oid not in study.form(plan.form).item_oids:
            yield Fault(("safety", key), f"{oid} is not an item of form {plan.form}")
        elif study.item(oid).kind != kind:
            yield Fault(("safety", key), f"{oid} is {study.item(oid).kind}, needs to be {kind}")
    if plan.term and CTCAE_VERSION not in {setting.key for setting in study.settings}:
        yield Fault(("safety", "term"), f"the setting {CTCAE_VERSION} has to say of which version the terms are")
    if plan.assessment and not study.has_code_list(plan.assessment.causality):
        yield Fault(
            ("safety", "assessment", "causality"), f"{plan.assessment.causality} is not a code list of this study"
        )
    for key, codes in (("grade", plan.grave), ("outcome", (plan.fatal,))):
        yield from _codes(study, plan, key, codes)


def _codes(study: StudyDef, plan: SafetyPlan, key: str, codes: tuple[str, ...]) -> Iterator[Fault]:
    oid = getattr(plan, key)
    if oid not in study.form(plan.form).item_oids:
        yield Fault(("safety", key), f"{oid} is not an item of form {plan.form}")
        return
    listed = study.codes_of(study.item(oid))
    for code in codes:
        if listed is None or code not in listed.codes:
            yield Fault(("safety", key), f"{oid} cannot take the code {code}")
