"""Soft checks and the queries that they open, answer and close by themselves."""

import uuid

import pytest

from crf.models import Deviation, MessageKind, Query, QueryStatus
from crf.services import answer_query, close_query, reopen_query
from pallsoft.audit.models import ChangeSet
from pallsoft.errors import NotAllowedNow
from sites.models import Role

HEAVY = {"BASE_WEIGHT": "210"}
WHY = {"BASE_C1": "Veid to ganger på søylevekt"}


@pytest.fixture
def heavy(save):
    """A weight that is explained: its query stands as answered."""
    save("START", "BASE", HEAVY, why=WHY)
    return Query.objects.get()


@pytest.mark.req("AUD-13", "DAT-12")
def test_an_explained_check_leaves_an_answered_query_with_its_id_and_version(heavy, row):
    assert (heavy.check_oid, heavy.check_version, heavy.item_oid) == ("BASE_C1", 1, "BASE_WEIGHT")
    assert (heavy.status, heavy.assigned_role) == (QueryStatus.ANSWERED, Role.MONITOR)
    assert heavy.form_data == row("START", "BASE")
    assert list(heavy.messages.values_list("kind", "text", "by_rule")) == [
        (MessageKind.OPEN, "Vekten er uvanlig høy.", True),
        (MessageKind.ANSWER, WHY["BASE_C1"], False),
    ]
    assert heavy.created_in.action == "crf.save_form"


@pytest.mark.parametrize(("first", "then"), [("BASE_WEIGHT", "BASE_HEIGHT"), ("BASE_HEIGHT", "BASE_WEIGHT")])
def test_a_check_of_several_items_asks_at_the_one_that_was_changed(save, first, then):
    wrong = {"BASE_WEIGHT": "25", "BASE_HEIGHT": "190"}
    save("START", "BASE", {first: wrong[first]})
    save("START", "BASE", {then: wrong[then]}, why={"BASE_C5": "Målt to ganger"})
    assert Query.objects.get().item_oid == then


def test_a_check_of_several_items_asks_at_the_first_answer_when_none_of_them_was_changed(save, subject, crc):
    """The change is in another form: SCORE_C4 asks for the pain at the start."""
    save("START", "SCORE", {"SCORE_PAIN": "5"})
    save("WK2", "SCORE", {"SCORE_WORST": "2"})
    save("START", "SCORE", {"SCORE_PAIN": "9"}, reason="leste feil")
    assert Query.objects.get(check_oid="SCORE_C4").item_oid == "SCORE_WORST"


def test_a_check_closes_its_query_when_the_answer_is_right_and_says_so(save, heavy):
    save("START", "BASE", {"BASE_WEIGHT": "120"}, reason="leste feil")
    heavy.refresh_from_db()
    last = heavy.messages.last()
    assert (heavy.status, last.kind, last.by_rule) == (QueryStatus.CLOSED, MessageKind.CLOSE, True)
    assert last.text == "Svaret er riktig nå, så queryen ble lukket automatisk."


def test_what_is_unknown_leaves_the_query_as_it_is(save, heavy):
    save("START", "BASE", {"BASE_WEIGHT": ""}, reason="vet ikke")
    heavy.refresh_from_db()
    assert (heavy.status, heavy.messages.count()) == (QueryStatus.ANSWERED, 2)
    save("START", "BASE", {"BASE_WEIGHT": "120"})
    heavy.refresh_from_db()
    assert heavy.status == QueryStatus.CLOSED


def test_saving_something_else_asks_nothing_anew(save, heavy, monitor):
    save("START", "BASE", {"BASE_TEXT": "æøå"})
    close_query(query=heavy, reason="Godtatt", by=monitor)
    save("START", "BASE", {"BASE_TEXT": "ÆØÅ"}, reason="store bokstaver")
    assert Query.objects.get().status == QueryStatus.CLOSED


def test_a_new_wrong_answer_is_asked_about_in_the_standing_query(save, heavy):
    save("START", "BASE", {"BASE_WEIGHT": "250"}, reason="ny vekt", why={"BASE_C1": "Veid på nytt"})
    heavy.refresh_from_db()
    assert heavy.status == QueryStatus.ANSWERED
    assert heavy.messages.last().text == "Veid på nytt"


def test_after_it_was_closed_a_new_wrong_answer_opens_a_new_query(save, heavy, monitor):
    close_query(query=heavy, reason="Godtatt", by=monitor)
    save("START", "BASE", {"BASE_WEIGHT": "250"}, reason="ny vekt", why={"BASE_C1": "Veid på nytt"})
    assert list(Query.objects.order_by("opened_at").values_list("status", flat=True)) == ["closed", "answered"]
    with pytest.raises(NotAllowedNow):
        reopen_query(query=heavy, reason="Likevel", by=monitor)


def test_a_query_that_a_monitor_opened_again_is_not_answered_by_an_old_explanation(save, heavy, monitor):
    reopen_query(query=heavy, reason="Hvilken vekt?", by=monitor)
    save("START", "BASE", {"BASE_TEXT": "æøå"})
    heavy.refresh_from_db()
    assert heavy.status == QueryStatus.OPEN


def test_nobody_asks_a_patient_why_so_the_site_is_asked(save, crc):
    save("START", "SCORE", {"SCORE_PAIN": "2", "SCORE_WORST": "1"})
    query = Query.objects.get()
    assert (query.check_oid, query.status, query.assigned_role) == ("SCORE_C1", QueryStatus.OPEN, Role.STUDY_NURSE)
    answer_query(query=query, text="Pasienten står ved det", by=crc)
    save("START", "SCORE", {"SCORE_WORST": "4"}, reason="misforstått")
    query.refresh_from_db()
    assert query.status == QueryStatus.CLOSED


@pytest.mark.req("AUD-13")
def test_another_form_opens_and_closes_a_query_in_the_same_commit(save):
    save("START", "SCORE", {"SCORE_PAIN": "2"})
    save("WK2", "SCORE", {"SCORE_PAIN": "5"})
    assert not Query.objects.exists()
    save("START", "SCORE", {"SCORE_PAIN": "10"}, reason="leste feil")
    query = Query.objects.get()
    assert (query.event.event_oid, query.check_oid, query.status) == ("WK2", "SCORE_C2", QueryStatus.OPEN)
    assert query.created_in.action == "crf.recalculate"
    save("START", "SCORE", {"SCORE_PAIN": "6"}, reason="leste feil igjen")
    query.refresh_from_db()
    assert query.status == QueryStatus.CLOSED


def test_a_check_that_was_unknown_between_closes_its_query_from_another_form(save):
    """The form's own document does not change by it."""
    save("START", "SCORE", {"SCORE_PAIN": "10"})
    save("WK2", "SCORE", {"SCORE_PAIN": "5"})
    query = Query.objects.get()
    save("START", "SCORE", {"SCORE_PAIN": ""}, reason="feil pasient")
    query.refresh_from_db()
    assert query.status == QueryStatus.OPEN
    save("START", "SCORE", {"SCORE_PAIN": "6"})
    query.refresh_from_db()
    assert query.status == QueryStatus.CLOSED


def test_a_deviation_proposes_a_deviation_and_opens_no_query(save):
    save("START", "BASE", {"BASE_HEIGHT": "240"}, why={"BASE_C3": "målt to ganger"})
    assert Deviation.objects.get().check_oid == "BASE_C3"
    assert not Query.objects.exists()


def test_a_range_may_depend_on_sex(save, enrol, bodo):
    from sites.models import Sex

    man = enrol(bodo, birth_year=1950, sex=Sex.MALE)
    save("START", "BASE", {"BASE_WEIGHT": "160"}, of=man)
    assert not Query.objects.exists()
    save("START", "BASE", {"BASE_WEIGHT": "160"}, why={"BASE_C4": "veid to ganger"})
    assert Query.objects.get().check_oid == "BASE_C4"


def test_a_query_takes_the_explanation_with_the_change_set_of_the_save(save, heavy):
    assert ChangeSet.objects.filter(action="crf.save_form").count() == 1
    key = uuid.uuid4()
    save("START", "BASE", {"BASE_TEXT": "a"}, key=key, seen_version=1)
    save("START", "BASE", {"BASE_TEXT": "a"}, key=key, seen_version=1)
    assert Query.objects.count() == 1
