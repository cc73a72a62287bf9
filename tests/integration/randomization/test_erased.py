"""S18: of a randomised subject who is erased, slot and stratum stay; what the allocation rested on goes."""

import json

import pytest
from django.db import connection
from django.urls import reverse

from pallsoft.audit import verification
from pallsoft.errors import NotAllowedNow
from randomization.models import Allocation, Scheme
from randomization.selectors import findings
from randomization.services import confirm_late, decide_correction, report_late, request_correction
from sites.clock import database_now
from tests.fixtures.leaving import erase  # noqa: F401
from tests.fixtures.randomizing import randomized

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("PRV-03", "RND-05")]


@pytest.fixture
def erased(ready, crc, pi, coordinator, erase):  # noqa: F811
    """BOD-001, randomised, with a confirmed correction, then erased."""
    randomized(ready, crc)
    asked = request_correction(subject=ready, factor="GROUP", value="URO", source="svar", reason="feil", by=pi)
    decide_correction(correction=asked, confirmed=True, by=coordinator)
    erase(ready)
    return ready


def test_what_it_rested_on_is_gone_also_from_the_trail(erased):
    allocation = Allocation.objects.get()
    assert (allocation.inputs, allocation.inputs_sha256, allocation.stratum.code) == ({}, "", "GI|PAIN")
    with connection.cursor() as cursor:
        cursor.execute("SELECT doc FROM audit.baseline WHERE tbl = 'randomization_allocation'")
        doc = json.loads(cursor.fetchone()[0])
    assert (doc["inputs"], doc["inputs_sha256"]) == ({}, "")


def test_list_and_trail_hold(erased):
    assert findings(Scheme.objects.get()) == [] and list(verification.findings()) == []


@pytest.mark.parametrize("tampered", ["inputs = '{\"factors\": {}}'", "inputs_sha256 = repeat('0', 64)"])
def test_inputs_of_an_erased_subject_are_empty_and_nothing_else(erased, superuser, tampered):
    superuser.cursor().execute(
        f"SET session_replication_role = replica; UPDATE randomization_allocation SET {tampered}"
    )
    assert [finding.problem for finding in findings(Scheme.objects.get())] == ["inputs"]


def test_empty_inputs_of_one_who_takes_part_are_found(ready, crc, superuser):
    randomized(ready, crc)
    superuser.cursor().execute(
        "SET session_replication_role = replica; UPDATE randomization_allocation SET inputs = '{}', inputs_sha256 = ''"
    )
    assert [finding.problem for finding in findings(Scheme.objects.get())] == ["inputs"]


@pytest.mark.parametrize("page", ["randomize", "randomization-receipt", "corrections"])
def test_its_pages_still_open(erased, sign_in, pi, page):
    url = reverse(page, args=[erased.study.oid, erased.number])
    assert sign_in(pi).get(url).status_code == 200


def test_nothing_more_is_told_of_the_randomisation(erased, make_ready, erase, pi, crc):  # noqa: F811
    with pytest.raises(NotAllowedNow, match="erased"):
        request_correction(subject=erased, factor="GROUP", value="URO", source="svar", reason="feil", by=pi)
    other = make_ready()
    erase(other)
    with pytest.raises(NotAllowedNow, match="erased"):
        report_late(subject=other, happened_at=database_now(), reason="strømbrudd", by=crc)


def test_a_correction_that_waits_is_decided_no_more(ready, crc, pi, coordinator, erase):  # noqa: F811
    randomized(ready, crc)
    asked = request_correction(subject=ready, factor="GROUP", value="URO", source="svar", reason="feil", by=pi)
    erase(ready)
    with pytest.raises(NotAllowedNow, match="erased"):
        decide_correction(correction=asked, confirmed=True, by=coordinator)
    asked.refresh_from_db()
    assert asked.decided_at is None


def test_a_telephone_randomisation_that_waits_is_confirmed_no_more(make_ready, crc, statistician, erase):  # noqa: F811
    who = make_ready()
    entry = report_late(subject=who, happened_at=database_now(), reason="strømbrudd", by=crc)
    erase(who)
    with pytest.raises(NotAllowedNow, match="erased"):
        confirm_late(entry=entry, position=1, by=statistician)
