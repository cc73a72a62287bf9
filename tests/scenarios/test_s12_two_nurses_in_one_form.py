"""Two nurses in one form: side by side where they differ, merged where they do not (S12)."""

import json
import re
import uuid

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from crf.models import FormData, Signature
from pallsoft.audit.models import ItemChange
from sites.models import Role
from tests.fixtures import PASSWORD

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


@pytest.mark.req("DAT-02", "DAT-10")
def test_her_session_ends_and_after_signing_in_again_all_is_there(nurses, url, make_user):
    """What Berit typed is kept as her draft; signed in again she sees it, and the clash when she saves."""
    aase, berit = nurses
    aase.post(url, typed(0, EC_STOMA="N"))
    aase.post(url, typed(1, EC_ECOG="2"))
    fields = {"EC_ECOG": ["3", 0], "EC_CATH": ["N", 0]}
    draft = {"fields": fields, "tab": uuid.uuid4().hex, "key": str(uuid.uuid4()), "seen": "1"}
    assert berit.post(f"{url}draft/", json.dumps(draft), content_type="application/json").status_code == 200
    berit.logout()
    assert berit.post(url, typed(1, EC_ECOG="3", EC_CATH="N")).status_code == 302
    assert FormData.objects.get().data["EC_ECOG"] == "2"
    berit.force_login(get_user_model().objects.get(username="berit"), backend=BACKEND)
    berit.cookies["language"] = "en"
    html = berit.get(url).content.decode()
    assert re.search(r'name="EC_CATH" value="N"[^>]* checked', html), "typed before the session ended"
    assert re.search(r'name="EC_ECOG" value="3"[^>]* checked', html)
    answer = berit.post(url, typed(1, EC_ECOG="3", EC_CATH="N"))
    assert answer.status_code == 409 and "saved at" in answer.content.decode()


@pytest.mark.req("SIG-10")
@pytest.mark.django_db(transaction=True)
def test_a_signature_that_the_principal_investigator_began_in_between_is_refused_with_the_difference(
    nurses, url, crc, pi, sign_in
):
    aase, _berit = nurses
    answers = {"EC_ECOG": "2", "EC_CATH": "N", "EC_STOMA": "N", "EC_NEPH": "N"}
    aase.post(url, typed(0, **answers))
    form = FormData.objects.get()
    page = sign_in(pi, "en").get(f"{url}sign/").content.decode()
    shown = dict(re.findall(r'name="(seen|seal|meaning)" value="([^"]*)"', page))
    aase.post(url, typed(form.version, EC_ECOG="3", reason="Feil linje"))
    answer = sign_in(pi, "en").post(f"{url}sign/", shown | {"meaning": "reviewed", "password": PASSWORD})
    html = answer.content.decode()
    assert answer.status_code == 409 and not Signature.objects.exists()
    assert "What has changed since the page was shown" in html
    assert crc.full_name in html and "Feil linje" in html
