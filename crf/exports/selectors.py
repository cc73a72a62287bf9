"""Exports that a person may see: the own ones."""

from uuid import UUID

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404

from crf.models import ExportJob, ExportState
from pallsoft.accounts.models import User
from trials.models import Study

SHOWN = 20


def exports_of(user: User, study: Study) -> QuerySet[ExportJob]:
    """The newest first."""
    return ExportJob.objects.filter(study=study, requested_by=user)[:SHOWN]


def finished_export(user: User, study: Study, job_id: UUID) -> ExportJob:
    """404 for another person's, and for one without a file yet."""
    return get_object_or_404(ExportJob, id=job_id, study=study, requested_by=user, state=ExportState.DONE)
