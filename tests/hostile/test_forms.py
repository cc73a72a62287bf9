"""The whole corpus, through the page, into every kind of field: never a 500, never silently another value."""

import re
from html import unescape
from urllib.parse import urlencode

import pytest
from django.urls import reverse

from crf.models import FormData
from tests.hostile import corpus
from tests.hostile.sending import FORM, body

FIELDS = [
    "BASE_TEXT", "BASE_LONG", "BASE_WEIGHT", "BASE_HEIGHT", "BASE_ORGAN", "BASE_ON", "BASE_SINCE", "BASE_CLOCK",
    "BASE_MOMENT", "BASE_SMOKES",
]  # fmt: skip
LARGE = 100_000
UGLY = ["\x00", "\ud800", "\u202e", "9" * 5000, "-1", "1e400", "NaN", "٣", "<script>", "'", "%n{{7*7}}", "a" * 501]
SHORT = [text for text in corpus.EVERYTHING if len(text) < LARGE]


@pytest.fixture
def url(subject):
    def make(name="form", form="BASE"):
        return reverse(name, args=[subject.study.oid, subject.number, "START", 1, form, "1"])

    return make


@pytest.fixture
def browser(sign_in, crc):
    return sign_in(crc)


@pytest.mark.req("DAT-06", "DAT-08")
def test_every_text_in_every_field_is_refused_with_a_sentence_or_stored_exactly(browser, url):
    for text in SHORT:
        answer = browser.post(url(), body(dict.fromkeys(FIELDS, text)), content_type=FORM)
        assert answer.status_code in {302, 422}, ascii(text[:40])
        if answer.status_code == 422:
            assert "invalid-feedback" in answer.content.decode(), ascii(text[:40])
    assert not FormData.objects.exists(), "no text of the corpus fits all kinds of field at once"


def test_a_text_field_stores_character_by_character_or_nothing(browser, url, row):
    for text in SHORT[::2]:
        before = row("START", "BASE")
        version = before.version if before else 0
        sent = {"BASE_TEXT": text, "seen_version": str(version), "reason": "next text", "not-identity": "on"}
        answer = browser.post(url(), body(sent), content_type=FORM)
        assert answer.status_code in {302, 422}, ascii(text[:40])
        if answer.status_code == 302 and text.strip():
            assert row("START", "BASE").data["BASE_TEXT"] == text, ascii(text[:40])


def test_what_was_typed_is_shown_again_character_by_character(browser, url):
    for text in corpus.MARKUP:
        html = browser.post(url(), body({"BASE_WEIGHT": text, "BASE_TEXT": text}), content_type=FORM).content.decode()
        shown = re.search(r'name="BASE_WEIGHT" value="([^"]*)"', html).group(1)
        assert unescape(shown) == text
        assert "<script>window.__xss" not in html and "<svg onload" not in html and "<img src=x" not in html


@pytest.mark.parametrize(
    "name", ["reason", "why-BASE_C1", "observed_at", "seen_version", "key", "keep-BASE_WEIGHT", "go"]
)
def test_the_fields_around_the_items_are_as_safe(browser, url, name):
    for text in UGLY:
        answer = browser.post(url(), body({"BASE_HEIGHT": "175", name: text}), content_type=FORM)
        assert answer.status_code in {302, 409, 422}, ascii(text[:40])


@pytest.mark.parametrize("name", ["shown", "BASE_WEIGHT", "BASE_MOMENT"])
def test_a_preview_is_as_safe(browser, url, name):
    for text in UGLY:
        answer = browser.post(url("form-preview"), body({"BASE_HEIGHT": "175", name: text}), content_type=FORM)
        assert answer.status_code == 200, ascii(text[:40])


@pytest.mark.parametrize("name", ["form-void"])
def test_a_reason_for_removal_is_as_safe(browser, url, name, save, row):
    save("START", "BASE", {"BASE_WEIGHT": "70"})
    for text in ("\x00", "\ud800", "\u202e", "a" * 501):
        assert browser.post(url(name), body({"reason": text}), content_type=FORM).status_code in {302, 422}
        if row("START", "BASE") is None:
            save("START", "BASE", {"BASE_WEIGHT": "70"})


def test_addresses_and_queries_are_as_safe(browser, url, save):
    save("START", "BASE", {"BASE_WEIGHT": "70"})
    for text in ("\x00", "' OR 1=1 --", "a" * 5000, "../../etc", "%00", "BASE_NO"):
        for target in (url("form-trail") + "?" + urlencode({"item": text}), url() + "?" + urlencode({"from": text})):
            assert browser.get(target).status_code in {200, 404}, ascii(text[:20])


def test_a_body_that_is_too_large_is_refused(browser, url):
    answer = browser.post(url(), body({"BASE_LONG": "a" * 3_000_000}), content_type=FORM)
    assert answer.status_code == 400
    assert not FormData.objects.exists()


def test_extra_and_doubled_fields_change_nothing_else(browser, url, crc, subject):
    sent = body({"BASE_WEIGHT": "70"}) + "&BASE_WEIGHT=71&site=TRO&created_by=x&id=1&arm=B&BASE_BMI=99&BASE_NOSUCH=1"
    assert browser.post(url(), sent, content_type=FORM).status_code == 302
    form = FormData.objects.get()
    assert form.data == {"BASE_WEIGHT": "71"} and form.subject == subject
