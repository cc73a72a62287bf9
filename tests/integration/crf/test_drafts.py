"""Drafts: what is typed is on the server before it is saved, and comes back; it is no data and leaves no trail."""

import json
import re
import threading
import uuid

import pytest
from django.db import connection, transaction
from django.urls import reverse

from crf.entry.drafted import Page, TypedText
from crf.models import Draft, FormData, Lock, LockKind
from crf.selectors.place import place_of
from crf.services import keep_draft, void_form
from crf.services.replays import remember
from crf.services.visits import lock_subject
from pallsoft.audit.context import change_set
from pallsoft.audit.models import ChangeSet
from sites.models import Role

TAB = uuid.uuid4().hex
OTHER_TAB = uuid.uuid4().hex


@pytest.fixture
def url(subject):
    def make(name="form", event="START", form="BASE", key="1"):
        return reverse(name, args=[subject.study.oid, subject.number, event, 1, form, key])

    return make


@pytest.fixture
def page(sign_in, crc):
    return sign_in(crc, "en")


@pytest.fixture
def type_in(page, url):
    """type_in({"BASE_TEXT": "Åse"}): as static/js/autosave.js does while somebody types."""

    def send(texts, *, age=0, seen=0, tab=TAB, save_key="", **place):
        fields = {name: [text, age] for name, text in texts.items()}
        body = {"fields": fields, "tab": tab, "key": save_key or str(uuid.uuid4()), "seen": str(seen)}
        return page.post(url("form-draft", **place), json.dumps(body), content_type="application/json")

    return send


@pytest.fixture
def opened(page, url):
    """The form as it is opened: its page, and the hidden fields that a save sends back."""

    def get(**place):
        html = page.get(url(**place)).content.decode()
        return html, {name: field(html, name) for name in ("key", "seen_version", "tab", "opened")}

    return get


def field(html, name):
    return re.search(rf'name="{name}" value="([^"]*)"', html).group(1)


@pytest.mark.req("DAT-10")
def test_what_was_typed_is_there_when_the_form_is_opened_again(type_in, opened):
    typed = {
        "BASE_TEXT": "Åse fra Kárášjohka ærlig talt",
        "BASE_WEIGHT": "1.234",
        "BASE_ORGAN": "GUT",
        "BASE_ON": "i går",
    }
    answer = type_in(typed)
    assert answer.status_code == 200 and re.fullmatch(r"\d\d:\d\d", answer.json()["at"])
    html, _hidden = opened()
    for name in ("BASE_TEXT", "BASE_WEIGHT", "BASE_ON"):
        assert field(html, name) == typed[name], "also what cannot be read yet"
    assert re.search(r'name="BASE_ORGAN" value="GUT"[^>]* checked', html)
    assert "Not saved yet" in html and "It is not data until you save the form" in html


@pytest.mark.req("DAT-10")
def test_a_draft_is_no_data_and_leaves_no_trail(type_in):
    before = ChangeSet.objects.count()
    type_in({"BASE_TEXT": "Åse"})
    assert not FormData.objects.exists() and ChangeSet.objects.count() == before
    assert Draft.objects.get().raw["BASE_TEXT"]["text"] == "Åse"


@pytest.mark.req("DAT-03")
def test_the_same_message_twice_is_one_draft(type_in):
    for _ in range(2):
        type_in({"BASE_TEXT": "Åse"})
    assert Draft.objects.count() == 1


@pytest.mark.req("DAT-10")
def test_pc026_a_save_takes_its_draft_along(type_in, opened, page, url):
    type_in({"BASE_TEXT": "Åse"})
    _html, hidden = opened()
    assert page.post(url(), hidden | {"BASE_TEXT": "Åse Bærøy"}).status_code == 302
    assert not Draft.objects.exists()
    assert "Not saved yet" not in opened()[0]


@pytest.mark.req("DAT-10")
def test_pc026_a_message_that_comes_after_the_save_brings_no_draft_back(type_in, opened, page, url):
    _html, hidden = opened()
    page.post(url(), hidden | {"BASE_TEXT": "Åse"})
    assert type_in({"BASE_TEXT": "Ås"}, tab=hidden["tab"], save_key=hidden["key"]).status_code == 200
    assert not Draft.objects.exists()


@pytest.mark.req("DAT-10")
def test_a_refused_save_leaves_the_draft(type_in, opened, page, url):
    type_in({"BASE_WEIGHT": "1.234"})
    _html, hidden = opened()
    assert page.post(url(), hidden | {"BASE_WEIGHT": "1.234"}).status_code == 422
    assert Draft.objects.count() == 1


@pytest.mark.req("DAT-10")
def test_in_two_tabs_the_text_typed_last_stays_whenever_it_arrives(type_in):
    type_in({"BASE_TEXT": "typed now"}, tab=TAB)
    type_in({"BASE_TEXT": "typed a minute ago, without a network", "BASE_LONG": "also"}, tab=OTHER_TAB, age=60_000)
    raw = Draft.objects.get().raw
    assert raw["BASE_TEXT"]["text"] == "typed now" and raw["BASE_LONG"]["text"] == "also"


@pytest.mark.req("DAT-10")
def test_a_save_in_one_tab_leaves_what_another_tab_typed_meanwhile(type_in, opened, page, url):
    type_in({"BASE_TEXT": "Åse"})
    _html, hidden = opened()
    type_in({"BASE_LONG": "skrevet i den andre fanen"}, tab=OTHER_TAB)
    page.post(url(), hidden | {"BASE_TEXT": "Åse"})
    assert set(Draft.objects.get().raw) == {"BASE_LONG"}
    html, _hidden = opened()
    assert "skrevet i den andre fanen" in html and field(html, "BASE_TEXT") == "Åse"


@pytest.mark.req("DAT-10")
def test_pc025_a_draft_stays_with_its_subject_visit_form_repeat_and_version(type_in, save):
    save("ALWAYS", "EVENTS", {"EVENTS_TERM": "Fall"}, repeat_key="new")
    type_in({"EVENTS_TERM": "Fall i trapp"}, seen=1, event="ALWAYS", form="EVENTS")
    draft = Draft.objects.get()
    place = (draft.event_oid, draft.ordinal, draft.form_oid, draft.repeat_key, draft.base_version)
    assert place == ("ALWAYS", 1, "EVENTS", "1", 1)


@pytest.mark.req("DAT-10")
@pytest.mark.parametrize("seen", [(1, 2), (2, 1)])
def test_a_draft_stays_with_the_oldest_version_that_was_looked_at(type_in, save, seen):
    save("START", "BASE", {"BASE_WEIGHT": "70"})
    save("START", "BASE", {"BASE_WEIGHT": "71"}, reason="Rettet")
    for tab, version in zip((TAB, OTHER_TAB), seen, strict=True):
        type_in({"BASE_TEXT": "Åse"}, seen=version, tab=tab)
    assert Draft.objects.get().base_version == 1


@pytest.mark.req("DAT-10")
@pytest.mark.django_db(transaction=True)
def test_pc026_a_message_that_comes_during_the_save_waits_for_it_and_brings_no_draft_back(subject, visit, crc):
    key, kept = uuid.uuid4(), []

    def keep():
        place, page = place_of(visit("START"), "BASE", "1"), Page(TAB)
        typed = {"BASE_TEXT": TypedText("Ås", 0)}
        kept.append(keep_draft(place=place, typed=typed, seen_version=0, page=page, key=key, by=crc))
        connection.close()

    late = threading.Thread(target=keep)
    with transaction.atomic():
        lock_subject(subject)
        remember(key=key, by=crc, body_sha256="0" * 64, response={})
        late.start()
        late.join(0.5)
    late.join(20)
    assert kept == [None] and not Draft.objects.exists()


@pytest.mark.req("DAT-10")
def test_two_new_entries_begun_in_two_tabs_are_two_drafts(type_in, opened, page, url):
    place = {"event": "ALWAYS", "form": "EVENTS", "key": "new"}
    type_in({"EVENTS_TERM": "Diaré"}, tab=TAB, **place)
    type_in({"EVENTS_TERM": "Kvalme"}, tab=OTHER_TAB, **place)
    html, hidden = opened(**place)
    assert field(html, "EVENTS_TERM") == "Kvalme" and hidden["tab"] == OTHER_TAB
    page.post(url(**place), hidden | {"EVENTS_TERM": "Kvalme"})
    assert [draft.repeat_key for draft in Draft.objects.all()] == [f"new-{TAB}"]
    assert field(page.get(url(**place) + "?empty").content.decode(), "EVENTS_TERM") == ""


@pytest.mark.req("DAT-10", "AUD-12")
def test_a_draft_is_thrown_away_by_its_author_and_the_access_log_says_so(
    type_in, opened, page, url, access_log, subject
):
    type_in({"BASE_TEXT": "Åse"})
    _html, hidden = opened()
    page.post(url("form-draft-discard"), hidden)
    page.post(url("form-draft-discard"), hidden)
    assert not Draft.objects.exists()
    noted = [row for row in access_log() if row[2].startswith("discard draft")]
    assert [(row[1], row[2]) for row in noted] == [(subject.pk, "discard draft of BASE, START-1")]


@pytest.mark.req("AUD-12")
def test_keeping_a_draft_is_not_reading_a_subject(type_in, access_log):
    before = len(access_log())
    type_in({"BASE_TEXT": "Åse"})
    assert len(access_log()) == before


@pytest.mark.req("ACC-02")
def test_nobody_else_sees_it(type_in, client, make_user, bodo, url):
    type_in({"BASE_TEXT": "bare min"})
    client.force_login(
        make_user("berit", "Berit Sørås", Role.STUDY_NURSE, bodo),
        backend="allauth.account.auth_backends.AuthenticationBackend",
    )
    assert "bare min" not in client.get(url()).content.decode()


@pytest.mark.req("DAT-15")
def test_a_locked_form_keeps_no_draft_and_shows_an_earlier_one_to_be_copied(type_in, page, url, subject, data_manager):
    type_in({"BASE_TEXT": "skrevet før låsen"})
    with change_set(study=subject.study, by=data_manager, action="test", reason="test"):
        Lock.objects.create(study=subject.study, subject=subject, kind=LockKind.LOCK)
    answer = type_in({"BASE_TEXT": "skrevet etter"})
    assert answer.status_code == 409 and "locked" in answer.json()["message"]
    html = page.get(url()).content.decode()
    assert "skrevet før låsen" in html and "The form takes no answers now" in html
    assert 'name="BASE_TEXT"' not in html


@pytest.mark.req("DAT-10")
@pytest.mark.parametrize("text", ["a\0b", "x" * 10_001, "\ud800"])
def test_what_cannot_be_kept_is_refused_with_a_sentence(type_in, text):
    answer = type_in({"BASE_TEXT": text})
    assert answer.status_code == 422 and answer.json()["message"]
    assert not Draft.objects.exists()


@pytest.mark.parametrize(
    "body", ["", "[]", "{}", '{"fields": {}}', '{"fields": {"BASE_TEXT": "x"}}', "[" * 2000, "\xff"]
)
def test_a_message_that_no_page_sends_is_refused(page, url, body):
    answer = page.post(url("form-draft"), body, content_type="application/json")
    assert answer.status_code == 422 and not Draft.objects.exists()


def test_a_name_that_the_form_has_not_is_passed_over(type_in):
    assert type_in({"BASE_TEXT": "Åse", "password": "x", "BASE_BMI": "20"}).status_code == 200
    assert set(Draft.objects.get().raw) == {"BASE_TEXT"}


@pytest.mark.req("DAT-10", "DAT-02")
def test_s12_what_a_colleague_saved_meanwhile_stands_beside_the_draft(
    type_in, opened, save, crc, make_user, bodo, page, url
):
    save("START", "BASE", {"BASE_WEIGHT": "70"})
    type_in({"BASE_WEIGHT": "72", "BASE_TEXT": "min"}, seen=1)
    berit = make_user("berit", "Berit Sørås", Role.STUDY_NURSE, bodo)
    save("START", "BASE", {"BASE_WEIGHT": "71"}, by=berit, reason="Veid på nytt")
    html, hidden = opened()
    assert "Berit Sørås saved at" in html and field(html, "BASE_WEIGHT") == "72" and field(html, "BASE_TEXT") == "min"
    chosen = {"BASE_WEIGHT": "72", "BASE_TEXT": "min", "keep-BASE_WEIGHT": "mine", "reason": "Riktig vekt"}
    assert page.post(url(), hidden | chosen).status_code == 302
    stored = FormData.objects.get().data
    assert (stored["BASE_WEIGHT"], stored["BASE_TEXT"]) == ("72", "min") and not Draft.objects.exists()


def test_a_draft_that_says_what_is_stored_is_not_offered(type_in, opened, save):
    save("START", "BASE", {"BASE_WEIGHT": "70"})
    type_in({"BASE_WEIGHT": "70"}, seen=1)
    assert "Not saved yet" not in opened()[0]


def test_a_reason_typed_before_the_session_ended_is_there_when_it_is_asked_again(type_in, opened, save, page, url):
    save("START", "BASE", {"BASE_WEIGHT": "70"})
    type_in({"BASE_WEIGHT": "71", "reason": "Veid på nytt"}, seen=1)
    _html, hidden = opened()
    html = page.post(url(), hidden | {"BASE_WEIGHT": "71"}).content.decode()
    assert re.search(r'name="reason" value="Veid på nytt"', html)


def test_an_answer_with_a_missing_reason_comes_back_as_it_was_chosen(type_in, opened):
    type_in({"BASE_WEIGHT-missing": "UNK", "BASE_SMOKES": "missing:ND"})
    html, _hidden = opened()
    assert re.search(r'name="BASE_WEIGHT-missing".*?value="UNK" selected', html, re.DOTALL)
    assert re.search(r'name="BASE_SMOKES" value="missing:ND" checked', html)


def test_a_form_that_was_removed_meanwhile_is_begun_anew_with_the_draft(type_in, opened, save, row, crc):
    save("START", "BASE", {"BASE_WEIGHT": "70"})
    type_in({"BASE_TEXT": "Åse"}, seen=1)
    void_form(form=row("START", "BASE"), by=crc, reason="Feil pasient")
    html, hidden = opened()
    assert field(html, "BASE_TEXT") == "Åse" and hidden["seen_version"] == "0"


@pytest.mark.req("DAT-10")
def test_the_worklist_leads_to_what_was_typed_and_not_saved(type_in, page, url, opened):
    type_in({"BASE_TEXT": "Åse"})
    type_in({"EVENTS_TERM": "Fall"}, event="ALWAYS", form="EVENTS", key="new")
    html = page.get("/").content.decode()
    assert f'href="{url()}"' in html and f'href="{url(event="ALWAYS", form="EVENTS", key="new")}"' in html
    assert "is typed and not saved" in html
