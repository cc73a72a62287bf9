"""A form that only one arm is asked tells the arm by being there (ACC-03): no file, no row, no page of it."""

import csv
import io

import pytest
from django.urls import reverse

from crf.exports import archive, dataset
from randomization.facts import arm_code
from tests.fixtures.randomizing import randomized, save_one

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("ACC-03")]


@pytest.fixture
def dosed(make_ready, sealed_list, crc):
    """A subject of arm A with the form that arm B is never asked."""
    subject = None
    while subject is None or arm_code(subject) != "A":
        subject = make_ready()
        randomized(subject, crc)
    save_one(subject, "DOSE", {"DOSE_GY": "8"}, crc, event_oid="WK2")
    save_one(subject, "SCORE", {"SCORE_NRS": "6", "SCORE_ON": "2026-09-15"}, crc, event_oid="WK2")
    return subject


def test_the_api_leaves_the_form_out_for_who_may_not_see_the_arm(dosed, sign_in, crc, coordinator):
    url = reverse("api-forms", args=[dosed.study.oid, dosed.number])
    for user, seen in ((crc, True), (coordinator, False)):
        forms = {(form["event"], form["form"]) for form in sign_in(user).get(url).json()["forms"]}
        assert ("WK2", "SCORE") in forms
        assert (("WK2", "DOSE") in forms) is seen


@pytest.mark.parametrize("with_arm", [True, False])
def test_the_export_leaves_the_file_out_for_who_may_not_see_the_arm(dosed, definition, with_arm):
    tables = archive.tables(dosed.study, definition.study, dataset.Scope(("BOD",), with_arm))
    files = {table.name: table.content.decode() for table in tables}
    assert ("DOSE.csv" in files) is with_arm
    described = {row["FILE"] for row in csv.DictReader(io.StringIO(files["code_book.csv"]))}
    assert ("DOSE.csv" in described) is with_arm
    assert "WK2" in files["SCORE.csv"]
