"""Addresses that nobody types: refused as not found, never an error of ours, and seen afterwards."""

import pytest
from django.urls import reverse

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["/s/%00/", "/s/PALLSOFT/subjects/%00/", "/s/PALLSOFT/subjects/?number=%00", "/%00"])
def test_a_nul_character_is_not_found(sign_in, crc, path):
    assert sign_in(crc).get(path).status_code == 404


@pytest.mark.req("AUD-12")
def test_who_tries_the_subjects_of_another_site_stands_in_the_access_log(sign_in, subject, outsider, access_log):
    address = reverse("subject", args=[subject.study.oid, subject.number])
    assert sign_in(outsider).get(address).status_code == 404
    assert (outsider.pk, subject.pk, "view_subject", False) in access_log()
