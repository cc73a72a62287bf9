"""Making the file of a waiting job."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import OperationalError, connection, transaction

from crf.exports import archive, papers, trail
from crf.exports.dataset import Scope
from crf.exports.files import sha256_of, whole
from crf.exports.holding import delete_erased, holds_erased
from crf.models import ExportJob, ExportKind, ExportState
from pallsoft.audit.anchors import anchor
from pallsoft.audit.context import change_set
from trials.definition import definition_of
from trials.models import Study
from trials.selectors import live_version


def waiting() -> list[UUID]:
    return list(ExportJob.objects.filter(state=ExportState.REQUESTED).values_list("id", flat=True))


def run_export(job_id: UUID) -> None:
    """Make the file of a waiting job, once, however often it is asked for; a failure is written on the job."""
    with _alone_with(job_id) as alone:
        job = ExportJob.objects.select_related("study").get(id=job_id)
        if not alone or job.state != ExportState.REQUESTED:
            return
        _make_or_tell(job)
        if not _stored(job):
            delete_erased()


def _stored(job: ExportJob) -> bool:
    """False when a subject in it was erased while the file was made: a file of all is then made anew."""
    with transaction.atomic():
        if ExportJob.objects.select_for_update(no_key=True).get(id=job.id).state != ExportState.REQUESTED:
            return False
        if holds_erased(job):
            path_of(job).unlink(missing_ok=True)
            return False
        with change_set(study=job.study, by=None, action="crf.run_export"):
            job.save()
            anchor(job.study, f"export {job.file_name}" if job.file_name else "export failed")
    return True


def _make_or_tell(job: ExportJob) -> None:
    """A fault ends the job with its cause; of an unforeseen one only the kind, as its text may hold data (PRV-02).

    A database that is away is no fault of the job: the error goes on, and the sweep makes the file later.
    """
    try:
        _MAKERS[ExportKind(job.kind)](job)
        job.state = ExportState.DONE
    except OperationalError:
        raise
    except Exception as error:
        job.refresh_from_db()
        told = str(error) if isinstance(error, OSError) else type(error).__name__
        job.state, job.error = ExportState.FAILED, told


@contextmanager
def _alone_with(job_id: UUID) -> Iterator[bool]:
    """True for one worker at a time; PostgreSQL lets go of the lock when that worker dies."""
    key = job_id.int % 2**63
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [key])
        alone = cursor.fetchone()[0]
        try:
            yield alone
        finally:
            if alone:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [key])


def _dataset(job: ExportJob) -> None:
    version = live_version(job.study)
    definition, scope = definition_of(version), Scope(tuple(job.sites), job.with_arm)
    with transaction.atomic():
        job.seal_n = _one_snapshot(job.study)
        files = archive.tables(job.study, definition, scope)
    job.manifest = archive.manifest(version, scope, job.seal_n, files)
    _name(job, "zip")
    job.sha256 = archive.write(path_of(job), files, job.manifest)


def _trail(job: ExportJob) -> None:
    with transaction.atomic():
        job.seal_n = _one_snapshot(job.study)
        _name(job, "zip", "trail")
        with whole(path_of(job)) as file:
            job.manifest = trail.write(file, job)
    job.sha256 = sha256_of(path_of(job))


def _paper(job: ExportJob) -> None:
    with transaction.atomic():
        job.seal_n = _one_snapshot(job.study)
        pdf, job.manifest = papers.make(job)
    subject = f"-{job.subject.number}" if job.subject else ""
    _name(job, "pdf", f"{job.kind.replace('_', '-')}{subject}")
    with whole(path_of(job)) as file:
        file.write(pdf)
    job.sha256 = sha256_of(path_of(job))


_MAKERS: dict[ExportKind, Callable[[ExportJob], None]] = {
    ExportKind.DATASET: _dataset,
    ExportKind.TRAIL: _trail,
    ExportKind.CASEBOOK: _paper,
    ExportKind.BLANK_CRF: _paper,
    ExportKind.ANNOTATED_CRF: _paper,
    ExportKind.SCHEDULE: _paper,
    ExportKind.SERIOUS_EVENT: _paper,
}


def _name(job: ExportJob, ending: str, what: str = "") -> None:
    middle = f"{what}-" if what else ""
    job.file_name = f"{job.study.oid}-{middle}{job.seal_n or 0:08d}-{job.id.hex[:8]}.{ending}"


def _one_snapshot(study: Study) -> int:
    """All queries of this transaction see the same instant; its last seal is the cut (data_model rule 3)."""
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        cursor.execute("SELECT coalesce(max(n), 0) FROM audit.seal WHERE study_id = %s", [study.id])
        (cut,) = cursor.fetchone()
    return int(cut)


def path_of(job: ExportJob) -> Path:
    settings.EXPORT_DIR.mkdir(parents=True, exist_ok=True)
    return settings.EXPORT_DIR / job.file_name
