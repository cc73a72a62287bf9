"""The table of deviations names checks, questions and analysis sets that exist, and every check once."""

from collections import Counter
from collections.abc import Iterator

from trials.consistency.fault import Fault
from trials.definition import Asked, StudyDef
from trials.reading import Path


def deviations_fit(study: StudyDef) -> Iterator[Fault]:
    if not study.deviations:
        return
    known = set(study.deviation_checks.values())
    listed = Counter(oid for rule in study.deviations for oid in rule.checks)
    sets = {one.oid for one in study.flow.sets} if study.flow else set()
    for place, rule in enumerate(study.deviations):
        path = ("deviations", place)
        for oid in rule.checks:
            if oid not in known:
                yield Fault((*path, "checks"), f"{oid} is not a check of severity deviation")
            elif listed[oid] > 1:
                yield Fault((*path, "checks"), f"{oid} stands in the table more than once")
        for oid in rule.excludes:
            if oid not in sets:
                yield Fault((*path, "excludes"), f"{oid} is not an analysis set of the flow")
        if rule.unanswered:
            yield from _asked_fits(study, rule.unanswered, (*path, "unanswered"))
        if rule.outside:
            yield from _asked_fits(study, rule.outside, (*path, "outside"))
            if study.has_item(rule.outside.item) and study.item(rule.outside.item).kind != "date":
                yield Fault((*path, "outside", "item"), f"{rule.outside.item} is no date")
    for oid in sorted(known - set(listed)):
        yield Fault(("deviations",), f"the table does not say what kind the check {oid} finds")


def _asked_fits(study: StudyDef, asked: Asked, path: Path) -> Iterator[Fault]:
    if not study.has_event(asked.event):
        yield Fault((*path, "event"), f"{asked.event} is not a visit of this study")
    elif not study.has_item(asked.item):
        yield Fault((*path, "item"), f"{asked.item} is not an item of this study")
    else:
        form = study.form_of(asked.item)
        if form.repeating or form.oid not in {ref.form for ref in study.event(asked.event).forms}:
            yield Fault((*path, "item"), f"{asked.item} is not asked once at the visit {asked.event}")
