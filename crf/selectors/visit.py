"""One visit: its forms in order, and where to go after one of them."""

from crf.answers import SubjectAnswers
from crf.models import StudyEvent
from crf.selectors.matrix import cells_of
from crf.selectors.place import Place
from sites.permissions import AnyUser
from trials.definition import FormDef, StudyDef

WAITING = {"planned", "overdue", "in_progress"}
QUESTIONS = "#questions"  # the next Tab then reaches the first question (crf/form.html)


def reasons_of(study: StudyDef) -> list[tuple[str, str]]:
    """(code, words) of the reasons why a visit was not done; empty where they are typed."""
    listed = study.why_not_done
    return [(item.code, str(item.label)) for item in listed.items] if listed else []


def next_url(place: Place, user: AnyUser) -> str:
    """The next form of the same visit that is not complete yet; "" after the last."""
    return next_form_url(place.answers, user, place.event, place.form)


def next_form_url(answers: SubjectAnswers, user: AnyUser, event: StudyEvent, form: FormDef) -> str:
    """Likewise, seen from a form of the visit that need not be open. In the order of the visit, not of the matrix."""
    cells = cells_of(answers, user, event)
    order = [ref.form for ref in answers.study.event(event.event_oid).forms]
    after = order[order.index(form.oid) + 1 :] if form.oid in order else []
    waiting = (cells[oid].url for oid in after if oid in cells and cells[oid].status in WAITING)
    url = next(waiting, "")
    return f"{url}{QUESTIONS}" if url else ""
