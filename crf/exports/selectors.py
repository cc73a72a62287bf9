"""Files that a person may have: the own ones, while the right to what they hold lasts (EXP-05)."""

from collections.abc import Collection
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404

from crf.models import ExportJob, ExportKind, ExportState
from pallsoft.accounts.models import User
from sites.permissions import Permission, has_permission, require_anywhere
from sites.selectors import study_for, subject_for
from trials.models import Study

SHOWN = 20
DATA = (ExportKind.DATASET, ExportKind.TRAIL)
PAPER = (
    ExportKind.CASEBOOK,
    ExportKind.BLANK_CRF,
    ExportKind.ANNOTATED_CRF,
    ExportKind.SCHEDULE,
    ExportKind.SERIOUS_EVENT,
)
NEEDED = {ExportKind.DATASET: Permission.EXPORT, ExportKind.TRAIL: Permission.EXPORT_TRAIL}


def exports_of(user: User, study: Study, kinds: Collection[ExportKind] = DATA) -> QuerySet[ExportJob]:
    """The newest first."""
    found = ExportJob.objects.filter(study=study, requested_by=user, kind__in=kinds).select_related("subject")
    return found[:SHOWN]


def finished_export(user: User, study_oid: str, job_id: UUID) -> ExportJob:
    """404 for another person's, for one without a file yet, and for a subject that is no longer the person's.

    Raises NotPermitted when the role does not allow such a file.
    """
    study = study_for(user, study_oid)
    job = get_object_or_404(ExportJob.objects.select_related("subject", "study"), id=job_id, study=study)
    require_anywhere(user, NEEDED.get(ExportKind(job.kind), Permission.VIEW_STUDY), study)
    if job.requested_by_id != user.pk or job.state != ExportState.DONE:
        raise Http404
    if job.subject:
        subject = subject_for(user, study_oid, job.subject.number)
        if job.with_arm and not has_permission(user, Permission.VIEW_ARM, study, subject.site):
            raise Http404
    return job
