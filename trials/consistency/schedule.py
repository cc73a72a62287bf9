"""The schedule can be walked: every form has its place, windows do not contradict each other."""

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from trials.consistency.fault import Fault
from trials.definition import StudyDef, StudyEventDef
from trials.scope import RESERVED


def schedule_makes_sense(study: StudyDef) -> Iterator[Fault]:
    yield from _kinds(study)
    yield from _forms_have_a_place(study)
    yield from _windows_overlap(study)
    for index, event in enumerate(study.events):
        for fault in _repeats(event):
            yield Fault(("events", index, *fault.path), fault.message, warning=fault.warning)


def _kinds(study: StudyDef) -> Iterator[Fault]:
    kinds = Counter(event.kind for event in study.events)
    if kinds["screening"] != 1:
        yield Fault(("events",), f"needs one event of kind screening, has {kinds['screening']}")
    for kind in ("randomization", "log"):
        if kinds[kind] > 1:
            yield Fault(("events",), f"has {kinds[kind]} events of kind {kind}: one at most")
    for index, event in enumerate(study.events):
        if event.oid in RESERVED:
            yield Fault(("events", index, "oid"), f"{event.oid} is reserved for rules")


def _forms_have_a_place(study: StudyDef) -> Iterator[Fault]:
    placed = {ref.form for event in study.events for ref in event.forms}
    for index, form in enumerate(study.forms):
        if form.oid and form.oid not in placed:
            yield Fault(("forms", index, "oid"), f"form {form.oid} is at no event")
    for index, event in enumerate(study.events):
        oids = [ref.form for ref in event.forms]
        for at, oid in enumerate(oids):
            if oid and oids.index(oid) != at:
                yield Fault(("events", index, "forms", at, "form"), f"form {oid} is at event {event.oid} twice")
        if event.kind == "screening" and study.eligibility.form not in oids:
            yield Fault(("events", index, "forms"), f"the eligibility form {study.eligibility.form} is not here")


def _windows_overlap(study: StudyDef) -> Iterator[Fault]:
    """A warning: a value could belong to either visit. A visit for some subjects only may fall where it falls."""
    everybody = [(index, event) for index, event in enumerate(study.events) if not event.relevant]
    timed = [(event.day, index) for index, event in everybody if event.kind == "scheduled"]
    in_order = sorted((day, index) for day, index in timed if day is not None)
    for (_day, first), (_later, second) in pairwise(in_order):
        earlier, later = study.events[first], study.events[second]
        if _last_day(earlier) >= _first_day(later):
            message = f"the window of {later.oid} begins before that of {earlier.oid} ends"
            yield Fault(("events", second, "day"), message, warning=True)


def _repeats(event: StudyEventDef) -> Iterator[Fault]:
    if event.kind != "repeating" or event.every_days is None or event.until_days is None:
        return
    if event.until_days < (event.day or 0):
        yield Fault(("until_days",), f"until_days {event.until_days} is before day {event.day}")
    if (event.before or 0) + (event.after or 0) >= event.every_days:
        yield Fault(("every_days",), f"the windows of {event.oid} overlap each other", warning=True)


def _first_day(event: StudyEventDef) -> int:
    return (event.day or 0) - (event.before or 0)


def _last_day(event: StudyEventDef) -> int:
    return (event.day or 0) + (event.after or 0)
