"""Export files that hold values of a subject: named when the data are erased; those of nobody else go (S18)."""

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from crf.models import ExportJob, ExportState
from crf.models.requests import WITH_VALUES
from pallsoft.audit.models import ChangeSet, Seal
from sites.models import Subject


def files_with(subject: Subject) -> list[dict[str, str]]:
    """Made since the subject got its number, with its site in them, or of the subject alone; the oldest first."""
    about = Q(subject=subject) | Q(subject=None, sites__contains=[subject.site.code])
    made = ExportJob.objects.filter(about, study=subject.study, state=ExportState.DONE, kind__in=WITH_VALUES)
    since = made.filter(requested_at__gte=subject.created_in.at).order_by("requested_at")
    return [
        {"file": job.file_name, "made_at": job.requested_at.isoformat(timespec="seconds"), "sha256": job.sha256}
        for job in since
    ]


def holds_erased(job: ExportJob) -> bool:
    """Does a file that has just been made hold values that were erased since it was begun (after its cut)?"""
    if not job.holds_values or job.seal_n is None:
        return False
    later = Seal.objects.filter(study_id=job.study_id, n__gt=job.seal_n).values("change_set")
    erased = ChangeSet.objects.filter(pk__in=later, action="audit.erase")
    return erased.exists()


def let_go(subject: Subject) -> None:
    """Papers of the subject that wait are not made, and the files of others go as soon as the erasure is certain."""
    made_or_waiting = (ExportState.REQUESTED, ExportState.DONE)
    ExportJob.objects.filter(subject=subject, state__in=made_or_waiting).update(state=ExportState.ERASED)
    transaction.on_commit(delete_erased, robust=True)


def delete_erased() -> None:
    """Papers whose subject was erased. The sweep asks again: a process may die in between."""
    for job in ExportJob.objects.filter(state=ExportState.ERASED):
        for path in settings.EXPORT_DIR.glob(f"*-{job.id.hex[:8]}.*"):
            path.unlink(missing_ok=True)
