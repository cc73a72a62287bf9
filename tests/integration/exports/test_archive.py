"""What the data manager downloads holds what the database holds, and nothing beyond the asker's sites."""

import csv
import hashlib
import io
import json
import resource
import zipfile
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.utils import timezone

from crf.exports import jobs
from crf.exports.services import request_export
from crf.models import ExportState
from pallsoft.errors import NotPermitted

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def export_dir(settings, tmp_path):
    settings.EXPORT_DIR = tmp_path
    return tmp_path


@pytest.fixture
def exported(study, data_manager):
    """exported(by=…): the job and its files, {name: text}."""

    def make(by=data_manager):
        job = request_export(study=study, by=by)
        jobs.run_export(job.id)
        job.refresh_from_db()
        with zipfile.ZipFile(jobs.path_of(job)) as archive:
            return job, {name: archive.read(name).decode() for name in archive.namelist()}

    return make


def rows(text):
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_a_saved_value_and_a_missing_code_come_out_as_they_lie_in_the_database(save, exported):
    save("START", "BASE", {"BASE_WEIGHT": "70.5"})
    _job, files = exported()
    (row,) = rows(files["BASE.csv"])
    assert (row["SUBJECT"], row["SITE"], row["EVENT"], row["BASE_WEIGHT"]) == ("BOD-001", "BOD", "START", "70.5")


@pytest.mark.req("EXP-01")
def test_the_manifest_counts_rows_and_hashes_every_file(save, exported):
    save("START", "BASE", {"BASE_WEIGHT": "70"})
    job, files = exported()
    manifest = json.loads(files.pop("manifest.json"))
    assert {entry["file"] for entry in manifest["files"]} == set(files)
    for entry in manifest["files"]:
        assert entry["sha256"] == hashlib.sha256(files[entry["file"]].encode()).hexdigest()
        assert entry["rows"] == len(rows(files[entry["file"]]))
    assert manifest["cut"]["seal"] == job.seal_n > 0


def test_the_same_data_asked_for_twice_give_the_same_files(save, exported):
    save("START", "BASE", {"BASE_WEIGHT": "70"})
    _first, files = exported()
    _second, again = exported()
    assert {**files, "manifest.json": ""} == {**again, "manifest.json": ""}


def test_pc109_text_comes_back_to_the_letter(save, exported):
    text = ' blåbær; "sitat", linje\nto Čáhci =1+1 '
    save("START", "BASE", {"BASE_LONG": text})
    _job, files = exported()
    assert rows(files["BASE.csv"])[0]["BASE_LONG"] == text


def test_items_that_betray_the_arm_are_left_out_for_who_may_not_see_it(save, exported, definition, statistician):
    hidden = {item.oid for form in definition.study.forms for item in form.items if item.reveals_arm}
    assert hidden
    _job, files = exported()
    _job, seen = exported(by=statistician)
    columns = {name for text in files.values() for name in text.partition("\n")[0].split(",")}
    assert not hidden & columns
    assert hidden <= {name for text in seen.values() for name in text.partition("\n")[0].split(",")}


@pytest.mark.req("EXP-06")
def test_no_direct_identifier_is_in_any_header(exported):
    _job, files = exported()
    columns = {name.lower() for text in files.values() for name in text.partition("\n")[0].split(",")}
    assert not columns & {"name", "full_name", "phone", "email", "birth_date", "fnr"}


def test_a_study_nurse_may_not_export(study, crc):
    with pytest.raises(NotPermitted):
        request_export(study=study, by=crc)


@contextmanager
def tiny_files():
    """No file of this process may grow beyond 300 bytes: what a full disk does, without filling one.

    No longer than needed: the output of the tests may be a file too.
    """
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.req("EXP-03")
def test_a_file_that_cannot_be_written_whole_is_told_and_not_left_behind(study, data_manager, export_dir):
    job = request_export(study=study, by=data_manager)
    with tiny_files():
        jobs.run_export(job.id)
    job.refresh_from_db()
    assert (job.state, job.file_name, list(export_dir.iterdir())) == (ExportState.FAILED, "", [])
    assert "File too large" in job.error


def test_a_fault_that_nobody_foresaw_ends_the_job_and_tells_its_kind_alone(study, data_manager, monkeypatch):
    def broken(*_arguments):
        raise KeyError("Kari Nordmann")

    job = request_export(study=study, by=data_manager)
    monkeypatch.setattr(jobs.archive, "tables", broken)
    jobs.run_export(job.id)
    job.refresh_from_db()
    assert (job.state, job.error, jobs.waiting()) == (ExportState.FAILED, "KeyError", [])


@pytest.mark.req("DAT-17")
def test_the_time_of_observation_and_the_time_of_entry_are_both_exported(save, exported):
    observed = timezone.now() - timedelta(days=2)
    save("START", "BASE", {"BASE_WEIGHT": "70"}, observed_at=observed)
    (row,) = rows(exported()[1]["BASE.csv"])
    assert row["OBSERVED_AT"] == f"{observed:%Y-%m-%dT%H:%M:%SZ}"
    assert row["ENTERED_AT"][:10] == f"{timezone.now():%Y-%m-%d}"


def test_an_export_is_made_once_however_often_the_task_comes(study, data_manager, export_dir):
    job = request_export(study=study, by=data_manager)
    jobs.run_export(job.id)
    made = {path: path.stat().st_mtime_ns for path in export_dir.iterdir()}
    jobs.run_export(job.id)
    assert {path: path.stat().st_mtime_ns for path in export_dir.iterdir()} == made
    assert jobs.waiting() == []
