"""Two nurses in one form: side by side where they differ, merged where they do not (S12)."""

import re
import uuid

import pytest
from django.test import Client
from django.urls import reverse

from crf.models import FormData
from pallsoft.audit.models import ItemChange
from sites.models import Role

pytestmark = pytest.mark.django_db
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@pytest.fixture
def nurses(crc, make_user, bodo):
    """Two browsers, signed in as Åse and as Berit."""
    browsers = []
    for person in (crc, make_user("berit", "Berit Sørås", Role.STUDY_NURSE, bodo)):
        browser = Client()
        browser.force_login(person, backend=BACKEND)
        browser.cookies["language"] = "en"
        browsers.append(browser)
    return browsers


@pytest.fixture
def url(subject):
    return reverse("form", args=[subject.study.oid, subject.number, "W4", 1, "EC", "1"])


def typed(seen, **answers):
    return {"key": str(uuid.uuid4()), "seen_version": str(seen)} | answers


@pytest.mark.req("DAT-02")
def test_the_second_nurse_sees_both_answers_and_loses_nothing(nurses, url, crc):
    aase, berit = nurses
    aase.post(url, typed(0, EC_STOMA="N"))
    aase.post(url, typed(1, EC_STOMA="N", EC_ECOG="2"))
    answer = berit.post(url, typed(1, EC_STOMA="N", EC_ECOG="3", EC_CATH="N"))
    html = answer.content.decode()
    assert answer.status_code == 409
    assert f"{crc.full_name} saved at" in html
    assert re.search(r'name="EC_ECOG" value="3"[^>]* checked', html), "what Berit typed stands in the field"
    assert re.search(r'name="EC_CATH" value="N"[^>]* checked', html)
    assert FormData.objects.get().data["EC_ECOG"] == "2"


@pytest.mark.req("DAT-02")
def test_her_choice_is_stored_with_a_reason_and_the_author_is_right_on_each_item(nurses, url, crc):
    aase, berit = nurses
    aase.post(url, typed(0, EC_STOMA="N"))
    aase.post(url, typed(1, EC_ECOG="2"))
    berit.post(url, typed(1, EC_ECOG="3", EC_CATH="N"))
    berit.post(url, typed(2, EC_ECOG="3", EC_CATH="N", reason="saw the patient walk", **{"keep-EC_ECOG": "mine"}))
    form = FormData.objects.get()
    assert (form.data["EC_ECOG"], form.data["EC_CATH"]) == ("3", "N")
    authors = [(c.item, c.new, c.change_set.actor_name) for c in ItemChange.objects.filter(part="data").order_by("id")]
    assert authors == [
        ("EC_ECOG", "2", crc.full_name),
        ("EC_CATH", "N", "Berit Sørås"),
        ("EC_ECOG", "3", "Berit Sørås"),
    ]


def test_different_items_are_merged_without_a_question(nurses, url):
    aase, berit = nurses
    aase.post(url, typed(0, EC_STOMA="N"))
    aase.post(url, typed(1, EC_ECOG="2"))
    assert berit.post(url, typed(1, EC_CATH="N")).status_code == 302
    data = FormData.objects.get().data
    assert (data["EC_ECOG"], data["EC_CATH"], data["EC_STOMA"]) == ("2", "N", "N")
