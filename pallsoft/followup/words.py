"""What the states of a questionnaire are called, why one is missing, and what to do next."""

from collections.abc import Iterable
from datetime import date

from django.utils.translation import gettext as _

from crf.models import ClosedFor
from pallsoft.followup.lines import DUE, GONE, MISSING, OVERDUE, RECEIVED, TO_COME, Asked, Line
from pallsoft.templatetags.ui import nb_date
from trials.definition import StudyDef


def state_words() -> dict[str, str]:
    return {
        RECEIVED: _("Came"),
        MISSING: _("Did not come, reason recorded"),
        OVERDUE: _("Overdue, no reason recorded"),
        DUE: _("Due now"),
        TO_COME: _("Still to come"),
        GONE: _("Not expected: dead or withdrawn"),
    }


def reasons(study: StudyDef, asked: Iterable[Asked]) -> dict[str, str]:
    """{why a questionnaire did not come: words}; said on the form, else of the visit."""
    found = {f"closed:{kind.value}": str(kind.label) for kind in ClosedFor}
    for item in {one.not_answered for one in asked if one.not_answered}:
        listed = study.codes_of(study.item(item))
        found |= {f"form:{one.code}": str(one.label) for one in (listed.items if listed else ())}
    of_visit = study.why_not_done
    found |= {f"visit:{one.code}": str(one.label) for one in (of_visit.items if of_visit else ())}
    return found | {"visit:": _("The visit was not done, for another reason"), "": _("No reason recorded")}


def days_late(line: Line, today: date) -> int | None:
    """Days since its window closed, of one that is overdue."""
    return (today - line.until).days if line.state == OVERDUE and line.until else None


def next_action(line: Line) -> str:
    if line.state not in (OVERDUE, DUE):
        return ""
    if line.next_on:
        return _("Call the participant on %(day)s, as planned.") % {"day": nb_date(line.next_on)}
    if line.state == DUE:
        return _("Ask the participant for the answers.")
    if line.visited:
        return _("The visit took place: enter the answers, or say why there are none.")
    return _("Reach the participant, or say why the visit was not done.")
