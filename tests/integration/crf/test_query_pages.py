"""The pages of queries: the list, the thread beside an item, what each role sees of them."""

import uuid

import pytest
from django.urls import reverse

from crf import facts
from crf.models import Query, QueryStatus
from crf.services import answer_query, close_query
from crf.waiting import queries_waiting
from tests.integration.crf.conftest import QUESTION

HTMX = {"headers": {"HX-Request": "true"}}


@pytest.fixture
def at(subject):
    """The address of the threads at an item."""

    def made(item="SCORE_PAIN", form="SCORE", event="START", repeat="1"):
        return reverse("item-queries", args=[subject.study.oid, subject.number, event, 1, form, repeat, item])

    return made


@pytest.fixture
def inbox(study):
    return reverse("queries", args=[study.oid])


def step(query):
    return reverse("query", args=[query.study.oid, query.pk])


@pytest.mark.req("DAT-12")
def test_a_monitor_asks_at_an_item_and_the_site_answers_on_the_page(sign_in, monitor, crc, at):
    page = sign_in(monitor, "en")
    sent = page.post(at(), {"text": QUESTION, "key": str(uuid.uuid4())}, follow=True).content.decode()
    assert QUESTION in sent and "The query is raised." in sent
    query = Query.objects.get()
    page = sign_in(crc, "en")
    assert page.get(step(query)).url == f"{at()}#query-{query.pk}"
    answered = page.post(step(query), {"act": "answer", "text": "6, se side 2"}, follow=True).content.decode()
    assert "The query is answered." in answered
    assert "6, se side 2" in answered and crc.full_name in answered and "Study nurse" in answered
    query.refresh_from_db()
    assert query.status == QueryStatus.ANSWERED


def test_beside_a_form_the_panel_comes_alone_and_brings_the_new_chips(sign_in, crc, ask, at):
    query = ask()
    page = sign_in(crc)
    panel = page.get(at(), **HTMX).content.decode()
    assert "<html" not in panel and QUESTION in panel and "hx-swap-oob" not in panel
    form = f"http://testserver{at().split('items/')[0]}"
    headers = HTMX["headers"] | {"HX-Current-URL": form}
    answer = page.post(step(query), {"act": "answer", "text": "6"}, headers=headers)
    assert answer["HX-Trigger"] == "queries-changed"
    assert 'id="beside-SCORE_PAIN" hx-swap-oob="true"' in answer.content.decode()
    assert "chip-answered" in answer.content.decode()


@pytest.mark.parametrize(("act", "text"), [("answer", "  "), ("answer", "a\x00b"), ("dance", "hei"), ("", "hei")])
def test_what_cannot_be_stored_keeps_what_was_typed(sign_in, crc, ask, act, text):
    query = ask()
    answer = sign_in(crc).post(step(query), {"act": act, "text": text})
    assert answer.status_code == 422 and "data-error-summary" in answer.content.decode()
    assert query.messages.count() == 1
    if text == "hei":
        assert ">hei</textarea>" in answer.content.decode()


@pytest.mark.req("PRV-07")
def test_a_national_identity_number_is_asked_about_before_it_is_stored(sign_in, crc, monitor, ask, at):
    number = "Gjelder 30108299939"
    query = ask()
    page = sign_in(crc)
    answer = page.post(step(query), {"act": "answer", "text": number})
    assert answer.status_code == 422 and 'name="not-identity"' in answer.content.decode()
    assert number in answer.content.decode()
    assert f'<a href="#text-{query.pk}">Svaret ditt</a>' in answer.content.decode()
    assert page.post(step(query), {"act": "answer", "text": number, "not-identity": "on"}).status_code == 302
    asked = sign_in(monitor).post(at(), {"text": number})
    assert asked.status_code == 422 and '<a href="#typed-text">Spørsmålet ditt</a>' in asked.content.decode()
    assert Query.objects.count() == 1


def test_a_step_that_came_too_late_says_how_it_stands(sign_in, crc, monitor, ask):
    query = ask()
    close_query(query=query, reason="Funnet", by=monitor)
    answer = sign_in(crc, "en").post(step(query), {"act": "answer", "text": "6"})
    assert answer.status_code == 409
    assert "It is: closed." in answer.content.decode()


@pytest.mark.req("DAT-12")
def test_the_list_shows_whose_turn_it_is(sign_in, crc, monitor, ask, inbox):
    first, second = ask(), ask("SCORE_VAGINAL")
    answer_query(query=second, text="Nei", by=crc)
    rows = {
        (who.username, box): sign_in(who).get(f"{inbox}?box={box}").content.decode().count("query-row")
        for who in (crc, monitor)
        for box in ("mine", "waiting", "closed")
    }
    assert rows == {
        (crc.username, "mine"): 1, (crc.username, "waiting"): 1, (crc.username, "closed"): 0,
        (monitor.username, "mine"): 1, (monitor.username, "waiting"): 1, (monitor.username, "closed"): 0,
    }  # fmt: skip
    close_query(query=first, reason="Funnet", by=monitor)
    assert sign_in(crc).get(f"{inbox}?box=closed").content.decode().count("query-row") == 1


def test_the_list_is_of_the_own_sites_and_can_be_one_of_them(sign_in, outsider, coordinator, ask, inbox):
    ask()
    assert "query-row" not in sign_in(outsider).get(f"{inbox}?box=waiting").content.decode()
    page = sign_in(coordinator)
    assert "query-row" in page.get(f"{inbox}?box=waiting&site=BOD").content.decode()
    assert "query-row" not in page.get(f"{inbox}?box=waiting&site=TRO").content.decode()


def test_a_query_that_stood_no_whole_day_was_closed_the_same_day(sign_in, monitor, ask, at):
    close_query(query=ask(), reason="Funnet i kilden", by=monitor)
    assert "lukket samme dag" in sign_in(monitor, "nb").get(at()).content.decode()


def test_ticked_answers_are_closed_together_with_one_reason(sign_in, crc, monitor, ask, inbox):
    queries = [answer_query(query=ask(item), text="Ja", by=crc) for item in ("SCORE_PAIN", "SCORE_VAGINAL")]
    page = sign_in(monitor)
    ticked = {"query": [str(query.pk) for query in queries]}
    for wrong in ({"reason": "Sett"}, ticked | {"reason": " "}, {"query": ["x", str(uuid.uuid4())], "reason": ""}):
        refused = page.post(inbox, wrong)
        assert refused.status_code == 422 and "invalid-feedback" in refused.content.decode()
    assert page.post(inbox, ticked | {"reason": "Gjennomgått"}).status_code == 302
    assert set(Query.objects.values_list("status", flat=True)) == {QueryStatus.CLOSED}


def test_who_may_not_close_gets_no_box_to_tick(sign_in, crc, ask, inbox):
    answer_query(query=ask(), text="Ja", by=crc)
    assert 'type="checkbox"' not in sign_in(crc).get(f"{inbox}?box=waiting").content.decode()


@pytest.mark.req("RND-08")
def test_a_query_that_tells_the_arm_is_seen_only_by_who_may_see_the_arm(
    sign_in, save, monitor, data_manager, ask, at, inbox, subject
):
    save("TREAT", "DOSE", {"DOSE_ON": "2026-09-01", "DOSE_GY": "8"}, repeat_key="new")
    query = ask("DOSE_GY", "DOSE", "TREAT")
    ask("SCORE_PAIN")
    for who, rows in ((monitor, 2), (data_manager, 1)):
        page = sign_in(who)
        found = [page.get(f"{inbox}?box={box}").content.decode() for box in ("mine", "waiting")]
        assert sum(html.count("query-row") for html in found) == rows
        assert any("Dose" in html for html in found) is (rows == 2)
        expected = 200 if rows == 2 else 404
        assert page.get(at("DOSE_GY", "DOSE", "TREAT")).status_code == expected
        assert page.get(step(query)).status_code == (302 if rows == 2 else 404)
        matrix = page.get(reverse("subject", args=[subject.study.oid, subject.number])).content.decode()
        assert matrix.count("chip-query") == rows


def test_an_item_that_is_none_and_a_form_that_is_not_there_are_not_found(sign_in, monitor, at):
    page = sign_in(monitor)
    assert page.get(at("NO_SUCH")).status_code == 404
    assert page.get(at("BASE_WEIGHT", "SCORE")).status_code == 404
    assert page.get(at("EVENTS_TERM", "EVENTS", "ALWAYS", "7")).status_code == 404
    assert page.post(at("EVENTS_TERM", "EVENTS", "ALWAYS", "new"), {"text": "Hva?"}).status_code in {404, 422}


def test_the_thread_of_a_removed_repeat_can_still_be_read(sign_in, save, row, crc, monitor, ask, at):
    from crf.services import void_form

    save("ALWAYS", "EVENTS", {"EVENTS_TERM": "fall"}, repeat_key="new")
    ask("EVENTS_TERM", "EVENTS", "ALWAYS")
    void_form(form=row("ALWAYS", "EVENTS"), by=crc, reason="dobbelt")
    page = sign_in(monitor, "en").get(at("EVENTS_TERM", "EVENTS", "ALWAYS"))
    assert page.status_code == 200
    assert "The form was removed, and its queries with it." in page.content.decode()


def test_what_a_check_says_is_read_in_the_own_language(sign_in, save, crc, at):
    save("START", "BASE", {"BASE_WEIGHT": "210"}, why={"BASE_C1": "veid to ganger"})
    url = at("BASE_WEIGHT", "BASE")
    assert "The weight is unusually high." in sign_in(crc, "en").get(url).content.decode()
    assert "Vekten er uvanlig høy." in sign_in(crc, "nb").get(url).content.decode()


def test_the_matrix_shows_a_query_before_everything_but_a_lock(sign_in, save, crc, ask, subject):
    save("START", "SCORE", {"SCORE_PAIN": "6", "SCORE_VAGINAL": "0"})
    ask()
    page = sign_in(crc, "en")
    url = reverse("subject", args=[subject.study.oid, subject.number])
    assert "1 query" in page.get(url).content.decode()
    answer_query(query=Query.objects.get(), text="Ja", by=crc)
    assert "chip-answered" in page.get(url).content.decode()


def test_the_worklist_tells_each_whose_turn_it_is(ask, crc, monitor, outsider, study, inbox):
    query = ask()
    assert [item.url for item in queries_waiting(crc, study)] == [inbox]
    assert list(queries_waiting(monitor, study)) == list(queries_waiting(outsider, study)) == []
    answer_query(query=query, text="Ja", by=crc)
    assert [item.kind for item in queries_waiting(monitor, study)] == ["query"]


def test_the_list_costs_the_same_however_long_it_is(sign_in, monitor, ask, inbox):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    page = sign_in(monitor)

    def cost():
        page.get(f"{inbox}?box=waiting")
        with CaptureQueriesContext(connection) as captured:
            page.get(f"{inbox}?box=waiting")
        return len(captured)

    ask()
    few = cost()
    for event in ("START", "WK2", "WK4"):
        ask("SCORE_VAGINAL", event=event)
        ask("SCORE_WORST", event=event)
    assert cost() == few <= 16


@pytest.mark.req("RND-08")
def test_a_check_that_asks_for_the_arm_tells_nobody_who_may_not_see_it(
    sign_in, save, monkeypatch, monitor, data_manager, at, inbox, subject
):
    """Its query stands at an item that is no secret."""
    monkeypatch.setattr(facts, "_providers", [lambda subject: {"arm": "B"}])
    save("START", "SCORE", {"SCORE_PAIN": "10", "SCORE_WORST": "10"})
    query = Query.objects.get(check_oid="SCORE_C3")
    assert query.item_oid == "SCORE_PAIN"
    trail = reverse("form-trail", args=[subject.study.oid, subject.number, "START", 1, "SCORE", "1"])
    form = trail.removesuffix("trail/")
    for who, sees in ((monitor, True), (data_manager, False)):
        page = sign_in(who, "en")
        told = [page.get(url).content.decode() for url in (f"{inbox}?box=waiting", at(), trail)]
        assert [("ten in arm B" in html) or ("Ti i arm B" in html) for html in told] == [sees] * 3
        assert ("chip-query" in page.get(form).content.decode()) is sees
