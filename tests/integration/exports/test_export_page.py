"""The export page: ask, wait, download; nobody gets another person's file."""

import pytest
from django.urls import reverse

from crf.exports import jobs
from crf.exports.services import request_export
from pallsoft.celery import app

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def export_dir(settings, tmp_path):
    settings.EXPORT_DIR = tmp_path


@pytest.fixture
def job(study, data_manager):
    job = request_export(study=study, by=data_manager)
    jobs.run_export(job.id)
    return job


def download_url(job):
    return reverse("export-download", kwargs={"study_oid": job.study.oid, "job_id": job.id})


def test_asking_makes_a_job_and_the_page_shows_it(sign_in, study, data_manager):
    client = sign_in(data_manager)
    page = client.post(reverse("export", kwargs={"study_oid": study.oid}), follow=True)
    assert page.status_code == 200
    assert len(page.context["jobs"]) == len(jobs.waiting()) == 1


def test_the_asker_downloads_a_zip_under_a_name_that_the_product_made(sign_in, job, data_manager):
    answer = sign_in(data_manager).get(download_url(job))
    assert answer["Content-Disposition"].startswith(f'attachment; filename="{job.study.oid}-')
    assert b"".join(answer.streaming_content).startswith(b"PK")


@pytest.mark.req("EXP-05")
def test_pc064_another_data_manager_does_not_get_the_file(sign_in, job, make_user):
    other = make_user("dm2", "Frøydis Bøe", "data_manager")
    assert sign_in(other).get(download_url(job)).status_code == 404


def test_a_nurse_is_refused_with_a_sentence(sign_in, job, crc):
    assert sign_in(crc).get(download_url(job)).status_code == 403


@pytest.fixture
def no_broker(monkeypatch):
    """Celery, pointed at a port where nobody listens."""
    monkeypatch.setattr(app.conf, "broker_write_url", "redis://127.0.0.1:1/0")
    monkeypatch.setattr(app, "_pool", None)
    monkeypatch.setattr(app.amqp, "_producer_pool", None)


@pytest.mark.req("OPS-05")
def test_without_a_broker_the_export_waits_for_the_sweeper(study, data_manager, no_broker, caplog):
    job = request_export(study=study, by=data_manager)
    assert "refused" in caplog.text
    assert jobs.waiting() == [job.id]
