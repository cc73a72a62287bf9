"""S18: casebooks of an erased subject go from the disk too, whatever happens in between."""

import pytest
from django.urls import reverse

from crf.exports import jobs
from crf.models import ExportJob, ExportKind, ExportState
from crf.tasks import sweep_exports
from pallsoft.audit.context import change_set
from tests.fixtures.leaving import *  # noqa: F403 - fixtures must stand in the module to be found

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("PRV-03")]


@pytest.fixture(autouse=True)
def export_dir(settings, tmp_path):
    settings.EXPORT_DIR = tmp_path
    return tmp_path


@pytest.fixture
def casebook(crc, monkeypatch):
    """casebook(subject): a job that waits; its file is made without a printer."""
    monkeypatch.setattr(jobs.papers, "make", lambda job: (b"%PDF blaaboer", {}))

    def ask(subject):
        with change_set(study=subject.study, by=crc, action="test"):
            return ExportJob.objects.create(
                study=subject.study, requested_by=crc, kind=ExportKind.CASEBOOK, subject=subject, sites=["BOD"],
                with_arm=False,
            )  # fmt: skip

    return ask


@pytest.fixture
def made(casebook):
    def make(subject):
        job = casebook(subject)
        jobs.run_export(job.pk)
        job.refresh_from_db()
        return job

    return make


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_file_goes_and_those_of_others_stay(subject, enrol, bodo, made, erase, export_dir, sign_in, crc):
    gone, kept = made(subject), made(enrol(bodo, birth_year=1931))
    assert names(export_dir) == sorted([gone.file_name, kept.file_name])
    erase(subject)
    assert names(export_dir) == [kept.file_name]
    gone.refresh_from_db()
    assert gone.state == ExportState.ERASED
    answers = [sign_in(crc).get(reverse("export-download", args=[job.study.oid, job.pk])) for job in (gone, kept)]
    assert [answer.status_code for answer in answers] == [404, 200]
    answers[1].close()


def test_it_is_named_for_somebody_may_have_a_copy(subject, made, erase):
    job = made(subject)
    erase(subject)
    assert [file["file"] for file in subject.erasures.get().held_by] == [job.file_name]


def test_one_that_waits_is_not_made(subject, casebook, erase, export_dir):
    job = casebook(subject)
    erase(subject)
    sweep_exports()
    job.refresh_from_db()
    assert (job.state, names(export_dir)) == (ExportState.ERASED, [])


def test_one_that_is_being_made_is_thrown_away(subject, casebook, erase, export_dir, monkeypatch):
    job = casebook(subject)

    def hashed(path):
        erase(subject)
        return "ab" * 32

    monkeypatch.setattr(jobs, "sha256_of", hashed)
    jobs.run_export(job.pk)
    job.refresh_from_db()
    assert (job.state, names(export_dir)) == (ExportState.ERASED, [])


def test_the_sweep_deletes_what_a_process_that_died_left(subject, made, erase, export_dir):
    job = made(subject)
    erase(subject)
    (export_dir / job.file_name).write_bytes(b"%PDF")
    (export_dir / job.file_name).with_suffix(".part").write_bytes(b"%PD")
    sweep_exports()
    assert names(export_dir) == []


@pytest.mark.parametrize("kind", [ExportKind.DATASET, ExportKind.TRAIL])
def test_a_file_of_all_that_was_under_way_is_thrown_away_and_made_anew(
    subject, erase, export_dir, data_manager, monkeypatch, kind
):
    """The erasure comes when the values have been read and the file is not stored yet."""
    stored = jobs._stored

    def erased_meanwhile(job):
        if not subject.erasures.exists():
            erase(subject)
        return stored(job)

    monkeypatch.setattr(jobs, "_stored", erased_meanwhile)
    with change_set(study=subject.study, by=data_manager, action="test"):
        job = ExportJob.objects.create(
            study=subject.study, requested_by=data_manager, kind=kind, sites=["BOD"], with_arm=False
        )
    jobs.run_export(job.pk)
    job.refresh_from_db()
    assert job.state == ExportState.REQUESTED and names(export_dir) == []
    sweep_exports()
    job.refresh_from_db()
    assert job.state == ExportState.DONE and names(export_dir) == [job.file_name]
