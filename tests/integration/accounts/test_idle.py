"""The screen locks after 15 idle minutes and keeps the page; no session outlives 12 hours (ACC-10)."""

import uuid
from datetime import timedelta
from urllib.parse import unquote

import pytest
import time_machine
from django.conf import settings
from django.contrib.sessions.models import Session
from django.urls import reverse
from django.utils import timezone

from crf.models import Draft, FormData
from tests.fixtures import PASSWORD

pytestmark = [pytest.mark.django_db, pytest.mark.req("ACC-10")]
LOCK, UNLOCK = "/accounts/lock/", "/accounts/reauthenticate/"


@pytest.fixture
def browser(client, crc):
    client.post("/accounts/login/", {"login": "crc", "password": PASSWORD})
    return client


@pytest.fixture
def later():
    """later(minutes=16): the clocks of the application go on."""
    travels = []

    def travel(**span):
        destination = timezone.now() + timedelta(**span)
        travels.append(time_machine.travel(destination, tick=True))
        travels[-1].start()

    yield travel
    for journey in reversed(travels):
        journey.stop()


@pytest.fixture
def form(subject):
    return reverse("form", args=[subject.study.oid, subject.number, "W4", 1, "EC", "1"])


def locked(response):
    return response.status_code == 302 and response["Location"].startswith(UNLOCK)


def test_the_times_are_15_minutes_and_12_hours_unless_set_otherwise():
    assert settings.IDLE_SECONDS == 15 * 60 and settings.SESSION_COOKIE_AGE == 12 * 3600


def test_an_unattended_screen_asks_for_the_password_and_then_shows_the_page(browser, form, later):
    assert browser.get(form).status_code == 200
    later(minutes=17)
    answer = browser.get(form)
    assert locked(answer)
    wrong = browser.post(UNLOCK, {"password": "feil", "next": form})
    assert wrong.status_code == 200 and locked(browser.get(form))
    assert browser.post(UNLOCK, {"password": PASSWORD, "next": form})["Location"] == form
    assert browser.get(form).status_code == 200


def test_who_works_is_not_locked_out(browser, form, later):
    for _ in range(4):
        later(minutes=10)
        assert browser.get(form).status_code == 200


def test_the_page_can_lock_and_loading_it_anew_does_not_open_it(browser, form):
    assert browser.post(LOCK).status_code == 200
    assert browser.post(LOCK, {"act": "lock"}).status_code == 423
    assert browser.post(LOCK).status_code == 423
    assert locked(browser.get(form))
    browser.post(UNLOCK, {"password": PASSWORD})
    assert browser.post(LOCK).content.decode() == browser.session["_auth_user_id"]


def test_a_form_that_is_sent_to_the_locked_screen_is_saved_after_the_password(browser, form, later):
    browser.get(form)
    later(minutes=17)
    sent = {"key": str(uuid.uuid4()), "seen_version": "0", "EC_ECOG": "2"}
    answer = browser.post(form, sent)
    assert locked(answer) and not FormData.objects.exists()
    browser.post(answer["Location"], {"password": PASSWORD, "next": form})
    assert FormData.objects.get().data["EC_ECOG"] == "2"


@pytest.mark.req("DAT-10")
def test_what_was_typed_before_the_lock_is_kept_although_it_comes_late(browser, form, later):
    later(minutes=17)
    body = {"fields": {"EC_ECOG": ["2", 960_000]}, "tab": uuid.uuid4().hex, "key": str(uuid.uuid4()), "seen": "0"}
    answer = browser.post(f"{form}draft/", body, content_type="application/json")
    assert answer.status_code == 200 and Draft.objects.count() == 1
    assert locked(browser.get(form)), "a late message is no sign that somebody sits there"


def test_a_preview_is_refused_while_the_screen_is_locked(browser, form, later):
    later(minutes=17)
    assert browser.post(f"{form}preview/", {"EC_ECOG": "2"}, headers={"HX-Request": "true"}).status_code == 423


@pytest.mark.parametrize("page", ["account_change_password", "form-sign", "to-sign", "eligibility"])
def test_a_password_never_waits_in_the_session(browser, later, subject, page):
    place = {
        "form-sign": [subject.study.oid, subject.number, "W4", 1, "EC", "1"],
        "eligibility": [subject.study.oid, subject.number],
        "to-sign": [subject.study.oid],
    }
    later(minutes=17)
    to = reverse(page, args=place.get(page, []))
    field = "oldpassword" if page == "account_change_password" else "password"
    answer = browser.post(to, {field: PASSWORD, "meaning": "reviewed"})
    stored = [session.get_decoded() for session in Session.objects.all()]
    assert stored and PASSWORD not in str(stored)
    assert locked(answer) and f"next={to}" in unquote(answer["Location"])


def test_signing_out_works_while_locked(browser, later):
    later(minutes=17)
    browser.post("/accounts/logout/")
    assert "_auth_user_id" not in browser.session


def test_a_session_ends_after_12_hours_of_work(browser, form, later):
    for _ in range(71):
        later(minutes=10)
        assert browser.post(LOCK).status_code == 200
    later(minutes=11)
    answer = browser.get(form)
    assert answer.status_code == 302 and answer["Location"] == f"/accounts/login/?next={form}"


@pytest.mark.req("DAT-10")
def test_pc022_after_the_session_has_ended_the_form_opens_with_what_was_typed(browser, form, later):
    body = {"fields": {"EC_ECOG": ["2", 0]}, "tab": uuid.uuid4().hex, "key": str(uuid.uuid4()), "seen": "0"}
    browser.post(f"{form}draft/", body, content_type="application/json")
    later(hours=13)
    sent = browser.post(form, {"EC_ECOG": "2"})["Location"]
    back = browser.post(sent, {"login": "crc", "password": PASSWORD}, follow=True)
    assert back.request["PATH_INFO"] == form
    assert 'name="EC_ECOG" value="2" checked' in back.content.decode()
