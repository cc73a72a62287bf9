"""The small invented trial of `definition/`, and short ways to save its forms."""

import uuid
from pathlib import Path

import pytest

from crf.models import FormData, StudyEvent
from crf.services import raise_query, save_form
from trials.checker import check

HERE = Path(__file__).parent
QUESTION = "Står det 6 eller 9 i journalen? Ærlig talt uleselig."


@pytest.fixture(scope="session")
def definition():
    """Instead of PALLSOFT's own: the tests of data entry must not hang on one trial's questions."""
    loaded, problems = check(HERE / "definition")
    assert loaded, [str(problem) for problem in problems]
    return loaded


@pytest.fixture
def visit(subject):
    """visit("WK2"): a visit of the subject, not stored yet."""

    def make(event_oid, ordinal=1, of=None):
        who = of or subject
        return StudyEvent(study=who.study, subject=who, event_oid=event_oid, ordinal=ordinal)

    return make


@pytest.fixture
def save(visit, crc):
    """save("START", "BASE", {"BASE_WEIGHT": "70"}): by the study nurse who looked at the newest version."""

    def store(event_oid, form_oid, values=None, *, of=None, ordinal=1, repeat_key="1", by=None, **more):
        event = visit(event_oid, ordinal, of)
        row = stored(event, form_oid, repeat_key)
        asked = {"seen_version": row.version if row else 0, "key": uuid.uuid4(), "by": by or crc} | more
        return save_form(event=event, form_oid=form_oid, repeat_key=repeat_key, values=values or {}, **asked)

    return store


def stored(event, form_oid, repeat_key="1"):
    """The row of a form, or None."""
    return (
        FormData.objects.filter(
            subject=event.subject,
            event__event_oid=event.event_oid,
            event__ordinal=event.ordinal,
            form_oid=form_oid,
            repeat_key=repeat_key,
            removed_in=None,
        )
        .select_related("event", "subject__site", "subject__study", "study")
        .first()
    )


@pytest.fixture
def row(visit):
    """row("START", "BASE"): what is stored."""
    return lambda event_oid, form_oid, repeat_key="1", ordinal=1: stored(
        visit(event_oid, ordinal), form_oid, repeat_key
    )


@pytest.fixture
def ask(visit, monitor):
    """ask("SCORE_PAIN"): a query of the monitor at an item of the first visit."""

    def raised(item="SCORE_PAIN", form="SCORE", event="START", of=None, **more):
        given = {"text": QUESTION, "key": uuid.uuid4(), "by": monitor} | more
        return raise_query(event=visit(event, of=of), form_oid=form, item_oid=item, **given)

    return raised
