"""Asking for a dataset. The job's row remembers; Celery only carries (decision D6)."""

from django.db import transaction

from crf.models import ExportJob
from crf.tasks import make_export
from pallsoft.accounts.models import User
from pallsoft.audit.context import change_set
from sites.permissions import Permission, require, sites_for
from trials.models import Study


def request_export(*, study: Study, by: User) -> ExportJob:
    """Remember that `by` asks for all data of the sites that he or she may export; the worker makes the file."""
    require(by, Permission.EXPORT, study)
    sites = sorted(site.code for site in sites_for(by, study, Permission.EXPORT))
    with_arm = set(sites) <= {site.code for site in sites_for(by, study, Permission.VIEW_ARM)}
    with change_set(study=study, by=by, action="crf.request_export"):
        job = ExportJob.objects.create(study=study, requested_by=by, sites=sites, with_arm=with_arm)
        transaction.on_commit(lambda: make_export.delay(str(job.id)), robust=True)
    return job
