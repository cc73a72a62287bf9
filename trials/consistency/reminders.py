"""Reminders are about visits that have a day; those to participants, about questionnaires by link."""

from collections.abc import Iterator

from trials.consistency.fault import Fault
from trials.definition import StudyDef


def reminders_have_a_day(study: StudyDef) -> Iterator[Fault]:
    for index, rule in enumerate(study.reminders.rules):
        for place, oid in enumerate(rule.at):
            path = ("reminders", "rules", index, "at", place)
            if not oid:
                continue
            if not study.has_event(oid):
                yield Fault(path, f"{oid} is not an event of this study")
            elif study.event(oid).day is None:
                yield Fault(path, f"{oid} has no day, so nobody can be reminded of it")
            elif rule.at.index(oid) != place:
                yield Fault(path, f"{oid} stands here twice")
            elif rule.is_to_participant and not study.has_link(oid):
                yield Fault(path, f"{oid} has no questionnaire by link, so no participant is reminded of it")
        for place, role in enumerate(rule.to):
            if rule.to.index(role) != place:
                yield Fault(("reminders", "rules", index, "to", place), f"{role} stands here twice")
