"""DAT-07: the database itself refuses what the published definition does not allow (raw SQL as the application)."""

import json

import pytest
from django.db import DatabaseError, transaction

from pallsoft.audit.context import change_set
from pallsoft.errors import InvalidInput
from tests.integration.audit.small_trial import make_form, rows
from trials.models import StudyVersion

pytestmark = [pytest.mark.django_db, pytest.mark.req("DAT-07")]

GOOD = {
    "NRS_PAIN": ["0", "10"],
    "WEIGHT": ["20", "71.5", "71.0", "300"],
    "VISITS": ["0", "-5", "99"],
    "COMMENT": ["æøå\nÆØÅ", "x" * 20, " "],
    "BORN": ["1950", "1950-02", "2000-02-29"],
    "SEEN_ON": ["2026-11-25", "2024-02-29", "2026-12-31"],
    "AT": ["00:00", "23:59"],
    "GIVEN_AT": ["2026-10-25T00:30:00Z"],
    "FEVER": ["Y", "N"],
    "SITE_OF_PAIN": ["BACK"],
}
BAD = {
    "NRS_PAIN": ["11", "-1", "07", "7.0", "٣", ""],
    "WEIGHT": ["19.9", "300.1", "71,5", "71.55", "071", ".5", "5.", "1e2", "NaN", "inf", "7_0", " 70", "+70", "70\n"],
    "VISITS": ["-0", "1.0", "100", "-6", "99999999999999999999"],
    "COMMENT": ["x" * 21, "\x07", "\x1b[1m", ""],
    "BORN": ["195", "1950-13", "1950-00", "1950-02-30", "1950-2", "19500101", "1950-", "0001"],
    "SEEN_ON": ["2026-02-29", "2026-11", "25.11.2026", "2026-11-25T00:00", "0000-01-01", "2026-04-31", "2026-11-25 "],
    "AT": ["24:00", "7:30", "07:60", "07:30:00"],
    "GIVEN_AT": ["2026-10-25T00:30:00", "2026-10-25 00:30:00Z", "2026-10-25T00:30:00+01:00", "2026-02-30T00:30:00Z"],
    "FEVER": ["y", "1", "YES"],
    "SITE_OF_PAIN": ["back", "KNEE", "BACK,HIP"],
    "NO_SUCH_ITEM": ["1"],
    "WEIGHT#x": ["70"],
    "WEIGHT#0": ["70"],
    "WEIGHT#1#2": ["70"],
}


def pairs(table):
    return [pytest.param(item, value, id=f"{item} {value!r:.20}") for item, values in table.items() for value in values]


def store(trial, data, marks=None):
    """By raw SQL, past every check of the program."""
    with change_set(study=trial.study, by=trial.user, action="test.raw", reason="test"):
        rows("UPDATE crf_formdata SET data = %s, marks = %s", [json.dumps(data), json.dumps(marks or {})])


@pytest.mark.parametrize(("item", "value"), pairs(GOOD))
def test_what_the_definition_allows_is_stored(trial, form, item, value):
    store(trial, {item: value})
    assert rows("SELECT data ->> %s FROM crf_formdata", [item]) == [(value,)]


@pytest.mark.parametrize(("item", "value"), pairs(BAD))
def test_what_it_does_not_allow_is_refused_and_the_item_named(trial, form, item, value):
    with pytest.raises(InvalidInput) as caught:
        store(trial, {"FEVER": "Y", item: value})
    assert list(caught.value.errors) == [item]
    assert value == "" or value not in str(caught.value.__cause__)[:60]


@pytest.mark.parametrize("value", [7, None, True, ["7"], {"a": "7"}])
def test_a_value_that_is_no_text_is_refused(trial, form, value):
    with pytest.raises(InvalidInput):
        store(trial, {"NRS_PAIN": value})


def test_nul_cannot_be_stored(trial, form):
    with pytest.raises(DatabaseError), transaction.atomic():
        rows("SELECT %s::jsonb", ['{"COMMENT": "a\\u0000b"}'])


@pytest.mark.parametrize("document", ["[]", "null", '"x"', "7"])
def test_a_document_is_an_object(trial, form, document):
    with pytest.raises(InvalidInput), change_set(study=trial.study, by=trial.user, action="test.raw", reason="test"):
        rows("UPDATE crf_formdata SET data = %s", [document])


def test_the_first_save_is_checked_like_every_other(trial):
    with pytest.raises(InvalidInput):
        make_form(trial, {"NRS_PAIN": "12"})


def test_a_form_of_another_version_knows_no_item_of_this_one(trial, form):
    with pytest.raises(InvalidInput), change_set(study=trial.study, by=trial.user, action="test.raw", reason="test"):
        next_one = StudyVersion.objects.create(
            study=trial.study, number=2, definition={}, sha256="1" * 64, source_files={}
        )
        rows("UPDATE crf_formdata SET definition_version_id = %s", [next_one.pk])


def test_repeats_of_imported_groups_are_checked_by_their_item(trial, form):
    store(trial, {"WEIGHT#2": "70"})
    with pytest.raises(InvalidInput):
        store(trial, {"WEIGHT#2": "1000"})


GOOD_MARKS = [
    {"missing": "UNK"},
    {"missing": "NA"},
    {"missing": "REF", "check": "C1@2"},
    {"set_aside": "3"},
    {"entered": "1,50", "unit": "g"},
]
BAD_MARKS = [
    {"missing": "ILL"},
    {"missing": "unk"},
    {"missing": None},
    {"missing": 1},
    {"other": "x"},
    {},
    "UNK",
    ["UNK"],
]


@pytest.mark.req("DAT-05")
@pytest.mark.parametrize("mark", GOOD_MARKS, ids=str)
def test_known_marks_are_stored(trial, form, mark):
    store(trial, {}, {"NRS_PAIN": mark})
    assert rows("SELECT marks -> 'NRS_PAIN' = %s::jsonb FROM crf_formdata", [json.dumps(mark)]) == [(True,)]


@pytest.mark.req("DAT-05")
@pytest.mark.parametrize("mark", BAD_MARKS, ids=str)
def test_unknown_marks_and_codes_are_refused(trial, form, mark):
    with pytest.raises(InvalidInput) as caught:
        store(trial, {}, {"NRS_PAIN": mark})
    assert list(caught.value.errors) == ["NRS_PAIN"]


def test_a_mark_of_an_unknown_item_is_refused(trial, form):
    with pytest.raises(InvalidInput):
        store(trial, {}, {"NO_SUCH_ITEM": {"missing": "NA"}})


@pytest.mark.req("DAT-05")
def test_an_item_never_has_a_value_and_a_missing_code(trial, form):
    with pytest.raises(InvalidInput):
        store(trial, {"NRS_PAIN": "3"}, {"NRS_PAIN": {"missing": "UNK"}})
