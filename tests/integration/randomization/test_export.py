"""RANDOMIZATION.csv: as randomised beside as it truly was; the arm only for who may see it."""

import pytest

from crf.exports.dataset import Scope
from crf.exports.extra import tables
from randomization.exports import randomization_table
from randomization.facts import arm_code
from randomization.services import decide_correction, request_correction
from tests.fixtures.randomizing import randomized

pytestmark = pytest.mark.django_db(transaction=True)


def rows(study, sites=("BOD", "TRO"), with_arm=False):
    _name, header, found = randomization_table(study, Scope(sites, with_arm))
    return [dict(zip(header, row, strict=True)) for row in found]


def test_both_values_and_the_time_are_exported(make_ready, sealed_list, crc, pi, coordinator, study):
    subject, untouched = make_ready(), make_ready(BASE_TARGET="BLEED")
    for one in (subject, untouched):
        randomized(one, crc)
    for factor, value in (("GROUP", "URO"), ("target_symptom", "BLADDER")):
        asked = request_correction(subject=subject, factor=factor, value=value, source="x", reason="x", by=pi)
        decide_correction(correction=asked, confirmed=True, by=coordinator)
    first, second = rows(study)
    assert (first["SUBJECT"], first["SITE"], first["PURPOSE"]) == ("BOD-001", "BOD", "central")
    assert first["RANDOMIZED_AT"] == first["ENTERED_AT"] and first["ENTERED_AT"].endswith("Z")
    assert (first["GROUP"], first["GROUP_ACTUAL"], first["PAINFUL_ACTUAL"]) == ("GI", "URO", "PAIN")
    assert (first["TARGET_SYMPTOM"], first["TARGET_SYMPTOM_ACTUAL"]) == ("PAIN", "BLADDER")
    assert (second["TARGET_SYMPTOM"], second["TARGET_SYMPTOM_ACTUAL"]) == ("BLEED", "BLEED")
    assert "ARM" not in first


def test_the_arm_is_there_for_who_may_see_it(ready, crc, study):
    randomized(ready, crc)
    assert [row["ARM"] for row in rows(study, with_arm=True)] == [arm_code(ready)]


def test_other_sites_are_left_out(ready, crc, study):
    randomized(ready, crc)
    assert rows(study, sites=("TRO",)) == []


def test_every_export_has_the_table(ready, crc, study):
    randomized(ready, crc)
    assert "RANDOMIZATION.csv" in [name for name, _header, _rows in tables(study, Scope(("BOD",), False))]
