"""The API reads through the same guards as the pages."""

import pytest
from django.urls import reverse


@pytest.fixture
def get(sign_in, study):
    def read(user, name, **keys):
        return sign_in(user).get(reverse(name, kwargs={"study_oid": study.oid, **keys}))

    return read


def test_saved_values_and_missing_codes_are_read_back(get, save, crc):
    save("START", "BASE", {"BASE_WEIGHT": "70.5"}, missing={"BASE_HEIGHT": "ND"})
    (form,) = get(crc, "api-forms", number="BOD-001").json()["forms"]
    assert (form["items"]["BASE_WEIGHT"], form["missing"]) == ("70.5", {"BASE_HEIGHT": "ND"})


@pytest.mark.req("ACC-02")
def test_another_sites_subject_is_not_there(get, subject, outsider):
    assert get(outsider, "api-forms", number="BOD-001").status_code == 404
    assert get(outsider, "api-subjects").json() == []


@pytest.mark.req("ACC-03")
def test_a_form_whose_repeats_betray_the_arm_is_left_out_for_the_coordinator(get, save, crc, coordinator):
    save("TREAT", "DOSE", {"DOSE_GY": "8", "DOSE_ON": "2026-09-07"})
    (seen,) = get(crc, "api-forms", number="BOD-001").json()["forms"]
    assert seen["items"]["DOSE_GY"] == "8"
    assert get(coordinator, "api-forms", number="BOD-001").json()["forms"] == []


def test_a_visitor_who_is_not_signed_in_learns_nothing(client, study):
    answer = client.get(reverse("api-subjects", kwargs={"study_oid": study.oid}))
    assert answer.status_code in (302, 403)
    assert b"BOD" not in answer.content


def test_nothing_can_be_written_through_it(sign_in, study, subject, crc):
    url = reverse("api-forms", kwargs={"study_oid": study.oid, "number": subject.number})
    assert {getattr(sign_in(crc), verb)(url).status_code for verb in ("post", "put", "patch", "delete")} == {405}
