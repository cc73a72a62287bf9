"""The trail where the eye is: changes, queries and verification of one item, on a page and in the panel beside it."""

import uuid

import pytest
from django.urls import reverse

from crf.selectors.seen import answer_of, item_digest
from crf.services import Seen, raise_query, verify_items

pytestmark = [pytest.mark.django_db, pytest.mark.req("AUD-09")]


@pytest.fixture
def history(subject, sign_in):
    """history(user, item, **headers): the page of START's BASE."""

    def get(user, item="", **headers):
        url = reverse("form-trail", args=[subject.study.oid, subject.number, "START", 1, "BASE", "1"])
        return sign_in(user, "nb").get(url, {"item": item} if item else {}, headers=headers)

    return get


@pytest.fixture
def eventful(save, row, visit, subject, monitor):
    """A weight that was verified, asked about and then corrected."""
    save("START", "BASE", {"BASE_WEIGHT": "70", "BASE_HEIGHT": "175", "BASE_ORGAN": "GUT"})
    form = row("START", "BASE")
    weight = item_digest(form, "BASE_WEIGHT", answer_of(form, "BASE_WEIGHT"))
    seen = Seen(row=form.pk, item_oid="BASE_WEIGHT", digest=weight)
    assert verify_items(subject=subject, marks=[seen], by=monitor).count == 1
    asked = {"event": visit("START"), "form_oid": "BASE", "item_oid": "BASE_WEIGHT"}
    raise_query(**asked, text="Er dette målt i Bodø?", key=uuid.uuid4(), by=monitor)
    save("START", "BASE", {"BASE_WEIGHT": "71.5"}, reason="lest feil")
    return form


def test_all_that_happened_to_an_item_stands_on_its_page(eventful, history, crc):
    page = history(crc, "BASE_WEIGHT")
    trail, text = page.context["trail"], page.content.decode()
    assert [(line.old, line.new, line.reason) for line in trail.lines] == [
        ("70 kg", "71,5 kg", "lest feil"), ("", "70 kg", ""),
    ]  # fmt: skip
    assert [(step.by, step.text) for step in trail.queries] == [("Sølvi Hæstad", "Er dette målt i Bodø?")]
    assert [(step.by, step.text) for step in trail.verifications] == [
        ("Åse Nordgård", "lest feil"),
        ("Sølvi Hæstad", ""),
    ]
    assert "Er dette målt i Bodø?" in text and "Verifisering falt bort" in text


def test_another_item_shows_nothing_of_it_and_the_whole_form_shows_all(eventful, history, crc):
    other, whole = (history(crc, item).context["trail"] for item in ("BASE_HEIGHT", ""))
    assert (other.queries, other.verifications, len(other.lines)) == ([], [], 1)
    assert (len(whole.queries), len(whole.verifications)) == (1, 2)


def test_beside_the_field_the_same_comes_as_a_panel_without_the_rest_of_the_page(eventful, history, crc):
    panel = history(crc, "BASE_WEIGHT", HX_Request="true").content.decode()
    assert "data-panel-title" in panel and "71,5 kg" in panel and "Er dette målt i Bodø?" in panel
    assert "<html" not in panel and "<nav" not in panel


def test_who_may_mask_finds_the_way_from_the_item(eventful, history, crc, data_manager):
    assert "mask/?item=BASE_WEIGHT" in history(data_manager, "BASE_WEIGHT").content.decode()
    assert "mask/" not in history(crc, "BASE_WEIGHT").content.decode()
