"""Whatever way a row is written, the trail holds one row per changed item, with its own old and new value."""

import io
import uuid

import pytest
from django.db import connection

from crf.models import FormData
from pallsoft.audit.context import change_set
from pallsoft.request import request_id
from sites.models import Subject
from tests.integration.audit.small_trial import changes, make_form, rows

pytestmark = pytest.mark.django_db


def subject_of(trial, number):
    return Subject(
        study=trial.study, site=trial.site, number=number, birth_year=1951, sex="M", request_key=uuid.uuid4()
    )


@pytest.mark.req("AUD-01", "AUD-03")
def test_the_first_save_is_one_baseline_row_readable_per_item(form):
    assert rows("SELECT count(*) FROM audit.baseline WHERE row_id = %s", [form.pk]) == [(1,)]
    first = rows(
        "SELECT part, item, new #>> '{}' FROM audit.trail WHERE row_id = %s AND part = 'data' ORDER BY item", [form.pk]
    )
    assert first == [("data", "NRS_PAIN", "7"), ("data", "WEIGHT", "71.5")]


@pytest.mark.req("AUD-03")
def test_one_change_among_forty_fields_is_exactly_one_row(trial, writing):
    data = {f"WEIGHT#{n}": "70" for n in range(1, 41)}
    form = make_form(trial, data)
    with writing("misread"):
        form.data, form.version = data | {"WEIGHT#17": "71"}, 2
        form.save()
    assert changes(form) == [("data", "WEIGHT#17", "70", "71")]


@pytest.mark.req("AUD-02")
def test_a_change_tells_who_when_in_which_role_at_which_site_and_why(trial, form):
    token = request_id.set("r-1")
    given = {"action": "crf.save_form", "reason": "misread", "role": "study_nurse", "site": trial.site}
    with change_set(study=trial.study, by=trial.user, **given):
        FormData.objects.filter(pk=form.pk).update(data={"NRS_PAIN": "8", "WEIGHT": "71.5"})
    request_id.reset(token)
    told = """SELECT actor_id, actor_name, role, site_id, action, reason, request_id, software_version <> '',
        at BETWEEN now() AND clock_timestamp() FROM audit.trail WHERE row_id = %s AND change > 0"""
    who = (trial.user.pk, "Åse Bjørnstad", "study_nurse", trial.site.pk, "crf.save_form", "misread", "r-1", True, True)
    assert rows(told, [form.pk]) == [who]


@pytest.mark.req("AUD-02")
def test_the_login_of_the_database_is_recorded_beside_the_claimed_author(trial):
    assert rows("SELECT DISTINCT db_user FROM audit.change_set") == [("pallsoft_app",)]


def test_a_filled_item_a_changed_and_a_removed_one_and_a_mark(form, writing):
    with writing("corrected"):
        form.data = {"NRS_PAIN": "8", "FEVER": "Y"}
        form.marks = {"WEIGHT": {"set_aside": "71.5"}}
        form.save()
    assert changes(form) == [
        ("data", "FEVER", None, "Y"),
        ("data", "NRS_PAIN", "7", "8"),
        ("data", "WEIGHT", "71.5", None),
        ("marks", "WEIGHT", None, '{"set_aside": "71.5"}'),
    ]


def test_columns_beside_the_documents_are_trailed(trial, form, writing):
    with writing("seen later"):
        FormData.objects.update(status="complete", observed_at="2026-09-01T12:00Z", data={})
    assert ("", "observed_at", None, "2026-09-01T12:00:00+00:00") in changes(form)
    assert ("", "status", "incomplete", "complete") in changes(form)


@pytest.mark.req("AUD-05")
def test_bulk_create_makes_one_baseline_per_row(trial, writing):
    with writing():
        made = Subject.objects.bulk_create([subject_of(trial, f"1001-{n}") for n in (2, 3)])
    for subject in made:
        assert rows("SELECT doc ->> 'number' FROM audit.baseline WHERE row_id = %s", [subject.pk]) == [
            (subject.number,)
        ]


@pytest.mark.req("AUD-05")
def test_bulk_update_and_queryset_update_keep_each_row_apart(trial, form, writing):
    other = make_form(trial, {"NRS_PAIN": "1"}, repeat_key="2")
    form.data, other.data = {"NRS_PAIN": "6"}, {"NRS_PAIN": "2"}
    with writing("corrected"):
        FormData.objects.bulk_update([form, other], ["data"])
        FormData.objects.update(status="complete")
    assert ("data", "NRS_PAIN", "7", "6") in changes(form)
    assert changes(other) == [("data", "NRS_PAIN", "1", "2"), ("", "status", "incomplete", "complete")]


PAIN = "jsonb_build_object('NRS_PAIN', ((f.data ->> 'NRS_PAIN')::int + 1)::text)"
STATEMENTS = {
    "multi-row update": f"UPDATE crf_formdata f SET data = {PAIN}",
    "common table expression": f"WITH u AS (UPDATE crf_formdata f SET data = {PAIN} RETURNING 1) SELECT 1 FROM u",
    "merge": f"""MERGE INTO crf_formdata f USING (SELECT 1) s ON f.form_oid = 'NRS'
        WHEN MATCHED THEN UPDATE SET data = {PAIN}""",
    "upsert": f"""INSERT INTO crf_formdata AS f SELECT * FROM crf_formdata
        ON CONFLICT (id) DO UPDATE SET data = {PAIN}""",
}


@pytest.mark.req("AUD-05")
@pytest.mark.parametrize("statement", STATEMENTS.values(), ids=STATEMENTS)
def test_raw_sql_of_the_application_is_trailed_row_by_row(trial, writing, statement):
    one, two = make_form(trial, {"NRS_PAIN": "1"}), make_form(trial, {"NRS_PAIN": "5"}, repeat_key="2")
    with writing("corrected"):
        rows(statement)
    assert changes(one) == [("data", "NRS_PAIN", "1", "2")]
    assert changes(two) == [("data", "NRS_PAIN", "5", "6")]


@pytest.mark.req("AUD-05")
def test_copy_is_trailed(trial, writing):
    columns = "id, study_id, site_id, number, birth_year, sex, status, request_key"
    new = uuid.uuid4()
    line = "\t".join(map(str, [new, trial.study.pk, trial.site.pk, "1001-9", 1960, "M", "screening", uuid.uuid4()]))
    with writing(), connection.cursor() as cursor:
        cursor.copy_expert(f"COPY sites_subject ({columns}) FROM STDIN", io.StringIO(line + "\n"))
    assert rows("SELECT doc ->> 'number' FROM audit.baseline WHERE row_id = %s", [new]) == [("1001-9",)]


def test_an_update_that_changes_nothing_leaves_nothing(form, writing):
    with writing():
        form.save()
    assert changes(form) == []


@pytest.mark.req("AUD-01")
def test_a_rolled_back_change_leaves_neither_the_fact_nor_a_trail(trial, form, writing):
    before = rows("SELECT count(*) FROM audit.change_set")
    with pytest.raises(ZeroDivisionError), writing("corrected"):
        FormData.objects.update(data={"NRS_PAIN": "0"})
        raise ZeroDivisionError
    form.refresh_from_db()
    assert form.data["NRS_PAIN"] == "7"
    assert changes(form) == []
    assert rows("SELECT count(*) FROM audit.change_set") == before


def test_passwords_and_sign_in_times_are_not_trailed_and_need_no_author(trial):
    trial.user.set_password("hemmelig nok til en test")
    trial.user.last_login = trial.subject.study.versions.get().published_at
    trial.user.save()
    assert changes(trial.user) == []
    assert rows("SELECT doc ? 'password' FROM audit.baseline WHERE row_id = %s", [trial.user.pk]) == [(False,)]


def test_a_nested_change_set_has_its_own_author_and_gives_the_outer_one_back(trial, form, writing):
    with writing("outer"):
        with change_set(study=trial.study, by=None, action="test.inner", reason="derived"):
            FormData.objects.update(data={"NRS_PAIN": "1"})
        FormData.objects.update(data={"NRS_PAIN": "2"})
    told = """SELECT actor_name, reason, new #>> '{}' FROM audit.trail
        WHERE row_id = %s AND item = 'NRS_PAIN' ORDER BY change"""
    assert rows(told, [form.pk])[1:] == [("test.inner", "derived", "1"), ("Åse Bjørnstad", "outer", "2")]


@pytest.mark.parametrize(
    ("function", "wanted"),
    [
        ("record_update", {"plan_cache_mode=force_generic_plan", "enable_nestloop=off"}),
        ("seal_change_set", {"plan_cache_mode=force_generic_plan"}),
    ],
)
def test_trail_and_seal_are_planned_once_and_a_bulk_change_compares_no_row_with_all_others(function, wanted):
    found = rows("SELECT proconfig FROM pg_proc WHERE oid = ('audit.' || %s)::regproc", [function])
    assert wanted <= set(found[0][0])
