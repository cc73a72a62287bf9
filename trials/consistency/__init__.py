"""What must hold between the parts of a definition: names, references, schedule, rules.

Each check takes the study and yields faults with their path in the document. A part whose own structure is wrong has
been told about already; its empty names are passed over here.
"""

from collections.abc import Iterator

from trials.consistency.deviations import deviations_fit
from trials.consistency.fault import Fault
from trials.consistency.flow import flow_fits
from trials.consistency.links import links_fit
from trials.consistency.names import names_are_unique, references_exist
from trials.consistency.parts import items_make_sense, study_makes_sense
from trials.consistency.reminders import reminders_have_a_day
from trials.consistency.rules import (
    arms_stay_hidden,
    day_0_needs_no_day_0,
    derived_values_have_an_order,
    rules_make_sense,
)
from trials.consistency.safety import safety_fits
from trials.consistency.schedule import schedule_makes_sense
from trials.definition import StudyDef

__all__ = ["Fault", "faults"]

_CHECKS = (
    names_are_unique,
    references_exist,
    study_makes_sense,
    items_make_sense,
    schedule_makes_sense,
    reminders_have_a_day,
    links_fit,
    safety_fits,
    flow_fits,
    deviations_fit,
    rules_make_sense,
    derived_values_have_an_order,
    day_0_needs_no_day_0,
    arms_stay_hidden,
)


def faults(study: StudyDef) -> Iterator[Fault]:
    """Everything that does not fit together."""
    for look in _CHECKS:
        yield from look(study)
