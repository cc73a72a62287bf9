"""S14: the histology says urothelial. The forms follow from the next visit; the allocation does not (see also S13)."""

import uuid

import pytest
from django.urls import reverse

from crf.models import FormData
from randomization.models import Allocation
from randomization.services import decide_correction, randomize, request_correction
from tests.fixtures.by_hand import enter
from tests.fixtures.ready_for_pallsoft import pallsoft_list, screened  # noqa: F401

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("RND-08")]


@pytest.fixture
def patient(screened, crc):  # noqa: F811
    subject = screened("GYN", "PAIN")
    randomize(subject=subject, key=uuid.uuid4(), by=crc, typed_number=subject.number)
    subject.refresh_from_db()
    return subject


@pytest.fixture
def page(sign_in, pi):
    return sign_in(pi, "nb")


def change_the_group(patient, by):
    primary = {"CH_GROUP": "URO", "CH_SITE": "C67", "CH_HIST": "UROTHELIAL"}
    return enter(patient, by, "SCREEN", "CH", primary, reason="Histologisvar: urotelialt karsinom")


def test_the_page_says_that_the_allocation_is_not_changed(patient, page):
    html = page.get(reverse("corrections", args=["PALLSOFT", patient.number])).content.decode()
    assert "Dette endrer ikke" in html


def test_the_next_visit_asks_the_true_groups_module_and_old_answers_stay(patient, crc, page):
    week_4 = reverse("visit", args=["PALLSOFT", patient.number, "W4", 1])
    module = reverse("form", args=["PALLSOFT", patient.number, "W4", 1, "QCX", "1"])
    assert module in page.get(week_4).content.decode()
    before = FormData.objects.get(form_oid="QCX").data
    assert change_the_group(patient, crc).data["CH_GROUP"] == "URO"
    assert module not in page.get(week_4).content.decode()
    kept = FormData.objects.get(form_oid="QCX")
    assert kept.data == before and kept.removed_in is None


def test_the_allocation_keeps_the_stratum_it_was_made_in(patient, crc, pi, coordinator):
    change_the_group(patient, crc)
    asked = request_correction(
        subject=patient, factor="CANCER_GROUP", value="URO", source="histologi", reason="urotelialt", by=pi
    )
    decide_correction(correction=asked, confirmed=True, by=coordinator)
    allocation = Allocation.objects.get()
    assert allocation.stratum.code == "GYN|PAIN" and allocation.inputs["factors"]["CANCER_GROUP"] == "GYN"
