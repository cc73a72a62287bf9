"""The whole corpus as question, answer and reason: stored exactly and shown inert, or refused with a sentence."""

import uuid
from html import escape

import pytest
from django.urls import reverse

from crf.models import Query, QueryMessage
from crf.services import raise_query
from tests.hostile import corpus
from tests.hostile.sending import FORM, body

SHORT = [text for text in corpus.EVERYTHING if len(text) < 3000]


@pytest.fixture
def query(visit, monitor):
    event = visit("START")
    given = {"form_oid": "SCORE", "item_oid": "SCORE_PAIN", "text": "Hvorfor?", "key": uuid.uuid4(), "by": monitor}
    return raise_query(event=event, **given)


@pytest.mark.req("DAT-12")
def test_every_answer_is_stored_as_typed_or_refused(sign_in, crc, query):
    browser = sign_in(crc)
    url = reverse("query", args=[query.study.oid, query.pk])
    for text in SHORT[::4]:
        count = QueryMessage.objects.count()
        sent = body({"act": "answer", "text": text, "not-identity": "on"})
        answer = browser.post(url, sent, content_type=FORM)
        assert answer.status_code in {302, 422}, ascii(text[:40])
        stored = QueryMessage.objects.count() > count
        assert stored is (answer.status_code == 302)
        if stored:
            told = QueryMessage.objects.latest("step").text
            assert told == text.replace("\r\n", "\n").strip(), ascii(text[:40])


@pytest.mark.parametrize("text", [text for text in SHORT if "<" in text and len(text) < 400][::3])
def test_no_markup_of_a_question_lives_on_any_page(sign_in, monitor, query, visit, text):
    try:
        raise_query(
            event=visit("START"), form_oid="SCORE", item_oid="SCORE_WORST", text=text, key=uuid.uuid4(), by=monitor
        )
    except Exception as refusal:
        assert getattr(refusal, "status", 500) == 422
        return
    page = sign_in(monitor)
    stored = Query.objects.get(item_oid="SCORE_WORST")
    thread = page.get(reverse("query", args=[stored.study.oid, stored.pk]), follow=True).content.decode()
    listed = page.get(reverse("queries", args=[stored.study.oid]) + "?box=waiting").content.decode()
    told = stored.messages.get().text
    assert told not in thread and told not in listed
    assert escape(told.split("\n")[0][:20], quote=False)[:10] in thread.replace("&#x27;", "'").replace("&quot;", '"')


def test_no_field_of_the_pages_breaks_them(sign_in, monitor, query, subject):
    browser = sign_in(monitor)
    item = [query.study.oid, subject.number, "START", 1, "SCORE", "1", "SCORE_PAIN"]
    fields = {
        reverse("queries", args=[query.study.oid]): ["query", "reason"],
        reverse("query", args=[query.study.oid, query.pk]): ["act", "text"],
        reverse("item-queries", args=item): ["text", "assigned_role", "key"],
    }
    for text in SHORT[::12]:
        for url, names in fields.items():
            answer = browser.post(url, body(dict.fromkeys(names, text)), content_type=FORM)
            assert answer.status_code in {302, 409, 422}, (url, ascii(text[:40]))
        clean = text.replace("\x00", "").encode(errors="replace").decode()
        assert browser.get(reverse("queries", args=[query.study.oid]), {"box": clean, "site": clean}).status_code == 200
