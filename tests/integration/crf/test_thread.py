"""The life of a query: raised, answered, closed, opened again, taken back; by persons."""

import threading
import uuid
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction

from crf.models import FormData, Lock, LockKind, MessageKind, Query, QueryMessage, QueryStatus, StudyEvent
from crf.queries import TRANSITIONS, diagram
from crf.selectors.locks import Target
from crf.services import (
    answer_query,
    cancel_query,
    close_queries,
    close_query,
    freeze,
    locking,
    reopen_query,
    threads,
    void_form,
)
from pallsoft.audit.context import change_set
from pallsoft.audit.models import ChangeSet, ItemChange
from pallsoft.errors import Conflict, InvalidInput, NotAllowedNow, NotPermitted, PallsoftError
from sites.models import Role
from tests.fixtures.threads import in_threads
from tests.integration.crf.conftest import QUESTION


def test_the_diagram_in_the_manual_is_that_of_the_table():
    page = (Path(settings.BASE_DIR) / "docs" / "queries.md").read_text()
    assert f"```mermaid\n{diagram()}\n```" in page


def test_every_status_has_its_steps():
    assert set(TRANSITIONS) == set(QueryStatus)


@pytest.mark.req("DAT-12")
def test_a_query_lives_from_question_to_close_and_changes_no_answer(save, row, ask, crc, monitor):
    save("START", "SCORE", {"SCORE_PAIN": "6"})
    before = row("START", "SCORE")
    query = ask()
    assert (query.status, query.assigned_role, query.form_data) == (QueryStatus.OPEN, Role.STUDY_NURSE, before)
    query = answer_query(query=query, text="Det står 6.", by=crc)
    assert (query.status, query.assigned_role) == (QueryStatus.ANSWERED, Role.MONITOR)
    query = reopen_query(query=query, reason="Hvilken side?", by=monitor)
    assert (query.status, query.assigned_role) == (QueryStatus.OPEN, Role.STUDY_NURSE)
    query = answer_query(query=query, text="Side 2", by=crc)
    query = close_query(query=query, reason="Sett", by=monitor)
    assert query.status == QueryStatus.CLOSED
    told = list(query.messages.values_list("step", "kind", "text", "by_rule"))
    assert told == [
        (1, MessageKind.OPEN, QUESTION, False),
        (2, MessageKind.ANSWER, "Det står 6.", False),
        (3, MessageKind.REOPEN, "Hvilken side?", False),
        (4, MessageKind.ANSWER, "Side 2", False),
        (5, MessageKind.CLOSE, "Sett", False),
    ]
    after = row("START", "SCORE")
    assert (after.data, after.marks, after.version) == (before.data, before.marks, before.version)
    assert not ItemChange.objects.filter(tbl="crf_formdata").exists()


@pytest.mark.req("DAT-12", "AUD-02")
def test_each_step_is_a_change_set_of_its_own_with_who_and_why(ask, crc, monitor):
    query = answer_query(query=ask(), text="Ja", by=crc)
    close_query(query=query, reason="Godtatt", by=monitor)
    steps = ChangeSet.objects.filter(action__endswith="_query").order_by("at")
    assert [(step.action, step.actor_name, step.role, step.reason) for step in steps] == [
        ("crf.raise_query", monitor.full_name, Role.MONITOR, ""),
        ("crf.answer_query", crc.full_name, Role.STUDY_NURSE, ""),
        ("crf.close_query", monitor.full_name, Role.MONITOR, "Godtatt"),
    ]


def test_a_query_may_ask_about_a_form_that_nobody_has_saved(ask):
    query = ask("SCORE_PAIN", event="WK2")
    assert query.form_data is None and query.event.event_oid == "WK2"
    assert not FormData.objects.exists() and StudyEvent.objects.get().happened_on is None


def test_who_answers_does_not_ask_and_who_asks_does_not_answer(ask, crc, monitor, outsider):
    query = ask()
    with pytest.raises(NotPermitted):
        ask(by=crc)
    with pytest.raises(NotPermitted):
        answer_query(query=query, text="Ja", by=monitor)
    for service in (close_query, cancel_query):
        with pytest.raises(NotPermitted):
            service(query=query, reason="Nei", by=crc)
    with pytest.raises(NotPermitted):
        answer_query(query=query, text="Ja", by=outsider)
    assert query.messages.count() == 1


@pytest.mark.parametrize("text", ["", "  \n ", "a\x00b", "x" * 2001, "snu \u202e om"])
def test_a_text_that_nobody_can_read_is_refused_and_nothing_is_stored(ask, crc, text):
    query = ask()
    with pytest.raises(InvalidInput) as refusal:
        answer_query(query=query, text=text, by=crc)
    assert list(refusal.value.errors) == ["text"]
    with pytest.raises(InvalidInput):
        ask("SCORE_VAGINAL", text=text)
    assert QueryMessage.objects.count() == 1


def test_closing_takes_a_reason(ask, monitor):
    query = ask()
    for service in (close_query, cancel_query, reopen_query):
        with pytest.raises(InvalidInput):
            service(query=query, reason=" ", by=monitor)


@pytest.mark.parametrize("status", QueryStatus)
def test_only_the_steps_of_the_table_are_taken(ask, crc, monitor, status):
    query = ask()
    with change_set(study=query.study, by=None, action="test", reason="test"):
        Query.objects.filter(pk=query.pk).update(status=status)
    services = {
        MessageKind.ANSWER: lambda: answer_query(query=query, text="Svar", by=crc),
        MessageKind.CLOSE: lambda: close_query(query=query, reason="Ok", by=monitor),
        MessageKind.REOPEN: lambda: reopen_query(query=query, reason="Ok", by=monitor),
        MessageKind.CANCEL: lambda: cancel_query(query=query, reason="Ok", by=monitor),
    }
    for kind, service in services.items():
        if kind not in TRANSITIONS[status]:
            with pytest.raises(NotAllowedNow):
                service()
        else:
            with transaction.atomic():
                assert service().status == TRANSITIONS[status][kind]
                transaction.set_rollback(True)


def test_answered_queries_are_closed_together_each_with_its_own_change_set(ask, crc, monitor):
    queries = [answer_query(query=ask(item), text="Ja", by=crc) for item in ("SCORE_PAIN", "SCORE_VAGINAL")]
    closed = close_queries(queries=queries, reason="Gjennomgått på besøket", by=monitor)
    assert {query.status for query in closed} == {QueryStatus.CLOSED}
    assert ChangeSet.objects.filter(action="crf.close_query", reason="Gjennomgått på besøket").count() == 2


@pytest.mark.django_db(transaction=True)
def test_closing_together_and_locking_do_not_wait_for_each_other(
    ask, crc, monitor, data_manager, subject, enrol, bodo, monkeypatch
):
    """Closing writes for one subject after another; a lock of the later one would wait for the writes, and be waited
    for. So all subjects are held before the first write."""
    first, last = sorted([subject, enrol(bodo, birth_year=1953)], key=lambda one: one.pk)
    queries = [answer_query(query=ask(of=one), text="Ja", by=crc) for one in (first, last)]
    between = threading.Barrier(2)

    def then_meet(act):
        def acted(*given, **named):
            done = act(*given, **named)
            with suppress(threading.BrokenBarrierError):  # one waits for the other before it gets here, as it should
                between.wait(2)
            return done

        return acted

    monkeypatch.setattr(threads, "move", then_meet(threads.move))
    monkeypatch.setattr(locking, "lock_subject", then_meet(locking.lock_subject))
    closed, frozen = in_threads(
        lambda: close_queries(queries=queries, reason="Gjennomgått", by=monitor),
        lambda: freeze(target=Target(last.study, last.site, last), by=data_manager),
    )
    assert len(closed) == 2 and isinstance(frozen, Lock)


def test_one_that_is_not_answered_stops_them_all(ask, crc, monitor):
    queries = [answer_query(query=ask(), text="Ja", by=crc), ask("SCORE_VAGINAL")]
    with pytest.raises(NotAllowedNow):
        close_queries(queries=queries, reason="Alle", by=monitor)
    assert not Query.objects.filter(status=QueryStatus.CLOSED).exists()


@pytest.mark.req("DAT-03")
def test_a_double_click_asks_once(ask):
    key = uuid.uuid4()
    assert ask(key=key) == ask(key=key)
    assert Query.objects.count() == 1
    with pytest.raises(Conflict):
        ask(key=key, text="Noe annet")


@pytest.mark.req("DAT-15")
def test_a_locked_form_takes_no_step_and_a_frozen_one_waits_for_them(ask, crc, monitor, subject):
    query = ask()

    def close(kind):
        with change_set(study=subject.study, by=None, action="test"):
            return Lock.objects.create(study=subject.study, kind=kind, subject=subject)

    close(LockKind.FREEZE)
    query = answer_query(query=query, text="Ja", by=crc)
    close(LockKind.LOCK)
    with pytest.raises(NotAllowedNow):
        close_query(query=query, reason="Ok", by=monitor)
    with pytest.raises(NotAllowedNow):
        ask("SCORE_VAGINAL")


def test_a_removed_form_takes_its_queries_along(save, row, ask, crc):
    save("START", "SCORE", {"SCORE_PAIN": "6"})
    query = ask()
    void_form(form=row("START", "SCORE"), by=crc, reason="Feil pasient")
    query.refresh_from_db()
    assert query.status == QueryStatus.CANCELLED
    assert query.messages.last().by_rule


@pytest.mark.req("DAT-12")
def test_the_application_can_neither_rewrite_nor_delete_a_thread(ask):
    query = ask()
    for statement in (
        "DELETE FROM crf_query",
        "DELETE FROM crf_querymessage",
        "UPDATE crf_querymessage SET text = 'noe annet'",
        "UPDATE crf_query SET item_oid = 'SCORE_CHANGE'",
    ):
        with (
            pytest.raises((DatabaseError, PallsoftError)),
            change_set(study=query.study, by=None, action="test", reason="test"),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)
    assert query.messages.get().text == QUESTION


@pytest.mark.req("DAT-12")
def test_age_counts_the_days_since_the_question(ask):
    query = ask()
    now = datetime.now(UTC)
    assert query.age_in_days(now) == 0
    assert query.age_in_days(now + timedelta(days=9)) == 9
