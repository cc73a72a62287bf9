"""Which export files hold values of a subject: they cannot be called back, so they are named when data are erased."""

from django.db.models import Q

from crf.models import ExportJob, ExportState
from crf.models.requests import ExportKind
from sites.models import Subject

WITH_VALUES = (ExportKind.DATASET, ExportKind.TRAIL, ExportKind.CASEBOOK)


def files_with(subject: Subject) -> list[dict[str, str]]:
    """Made since the subject got its number, with its site in them, or of the subject alone; the oldest first."""
    about = Q(subject=subject) | Q(subject=None, sites__contains=[subject.site.code])
    made = ExportJob.objects.filter(about, study=subject.study, state=ExportState.DONE, kind__in=WITH_VALUES)
    since = made.filter(requested_at__gte=subject.created_in.at).order_by("requested_at")
    return [
        {"file": job.file_name, "made_at": job.requested_at.isoformat(timespec="seconds"), "sha256": job.sha256}
        for job in since
    ]
