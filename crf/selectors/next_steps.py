"""What is to be entered next for a subject, so that its page says it first."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from crf.answers import SubjectAnswers
from crf.schedule import VisitState
from crf.selectors.matrix import Cell, Matrix, Visit
from sites.models import SubjectStatus
from sites.permissions import AnyUser, Permission, has_permission

OWED = {"query", "in_progress", "overdue"}


@dataclass(frozen=True)
class NextStep:
    """The first form of a visit that waits; `more`: how many wait behind it there."""

    visit: Visit
    cell: Cell
    more: int


def next_steps(matrix: Matrix, answers: SubjectAnswers, user: AnyUser) -> list[NextStep] | None:
    """In each visit that has begun, what is asked for and not complete, or queried; None for who enters no data."""
    subject = answers.subject
    if not has_permission(user, Permission.ENTER_DATA, subject.study, subject.site):
        return None
    waiting = ((visit, list(_waiting(visit, answers))) for visit in matrix.visits)
    return [NextStep(visit, cells[0], len(cells) - 1) for visit, cells in waiting if cells]


def next_visit(matrix: Matrix) -> Visit | None:
    """The visit whose window begins next."""
    to_come = [visit for visit in matrix.columns if visit.state is VisitState.TO_COME]
    return min(to_come, key=lambda visit: visit.event.window_from or date.max, default=None)


def _waiting(visit: Visit, answers: SubjectAnswers) -> Iterator[Cell]:
    begun = _has_begun(visit, answers)
    for cell in visit.cells.values():
        if cell.status in OWED or (begun and cell.status == "planned" and not cell.text):
            yield cell


def _has_begun(visit: Visit, answers: SubjectAnswers) -> bool:
    """By its window, by what is entered in it; the screening, which has no window, while it goes on."""
    if any(cell.status != "planned" for cell in visit.cells.values()):
        return True
    if visit.state is VisitState.NO_DATE:
        return answers.subject.status == SubjectStatus.SCREENING and visit.definition.kind == "screening"
    return visit.state is not VisitState.TO_COME
