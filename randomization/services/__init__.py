"""Every write of randomisation. `by` is who acts. Nothing here undoes, repeats or changes an allocation."""

from randomization.facts import arm_for
from randomization.services.allocate import AlreadyRandomized, randomize
from randomization.services.corrections import decide_correction, request_correction
from randomization.services.going_live import make_live
from randomization.services.late import confirm_late, report_late
from randomization.services.lists import confirm_list, import_list

__all__ = [
    "AlreadyRandomized",
    "arm_for",
    "confirm_late",
    "confirm_list",
    "decide_correction",
    "import_list",
    "make_live",
    "randomize",
    "report_late",
    "request_correction",
]
