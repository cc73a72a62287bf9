"""Asking for a file. The job's row remembers; Celery only carries (decision D6)."""

from django.db import transaction
from django.utils.translation import gettext as _

from crf.models import ExportJob, ExportKind, FormData
from crf.tasks import make_export
from pallsoft.accounts.models import User
from pallsoft.audit.context import change_set
from pallsoft.errors import NotAllowedNow
from pallsoft.pdf import can_make_pdf
from sites.models import Subject
from sites.permissions import Permission, has_permission, require, require_anywhere, sites_for
from trials.models import Study


def request_export(*, study: Study, by: User) -> ExportJob:
    """Remember that `by` asks for all data of the sites that he or she may export; the worker makes the file."""
    return _request_of_sites(study, by, ExportKind.DATASET, Permission.EXPORT)


def request_trail(*, study: Study, by: User) -> ExportJob:
    """Likewise for the whole trail of the study (AUD-10)."""
    return _request_of_sites(study, by, ExportKind.TRAIL, Permission.EXPORT_TRAIL)


def request_casebook(*, subject: Subject, language: str, by: User) -> ExportJob:
    """Everything of one subject that `by` may see, as a PDF. Raises NotPermitted; NotAllowedNow without a PDF maker."""
    study, site = subject.study, subject.site
    require(by, Permission.VIEW_TRAIL, study, site)
    require(by, Permission.VIEW_SUBJECT, study, site)
    return _remember(
        study=study,
        by=by,
        kind=ExportKind.CASEBOOK,
        subject=subject,
        language=language,
        sites=[site.code],
        with_arm=has_permission(by, Permission.VIEW_ARM, study, site),
    )


def request_serious_event(*, form: FormData, language: str, by: User) -> ExportJob:
    """The form of one serious event as a PDF for the sponsor's and the site's files. Raises as `request_casebook`."""
    study, site = form.subject.study, form.subject.site
    require(by, Permission.VIEW_SUBJECT, study, site)
    return _remember(
        study=study,
        by=by,
        kind=ExportKind.SERIOUS_EVENT,
        subject=form.subject,
        form_data=form,
        language=language,
        sites=[site.code],
        with_arm=has_permission(by, Permission.VIEW_ARM, study, site),
    )


def request_paper(*, study: Study, kind: ExportKind, language: str, by: User) -> ExportJob:
    """A paper of the definition alone: blank CRF, annotated CRF or schedule of visits."""
    require_anywhere(by, Permission.VIEW_STUDY, study)
    return _remember(study=study, by=by, kind=kind, language=language, sites=[], with_arm=True)


def _request_of_sites(study: Study, by: User, kind: ExportKind, permission: Permission) -> ExportJob:
    require(by, permission, study)
    sites = sorted(site.code for site in sites_for(by, study, permission))
    with_arm = set(sites) <= {site.code for site in sites_for(by, study, Permission.VIEW_ARM)}
    return _remember(study=study, by=by, kind=kind, sites=sites, with_arm=with_arm)


def _remember(*, study: Study, by: User, kind: ExportKind, **asked: object) -> ExportJob:
    if kind not in {ExportKind.DATASET, ExportKind.TRAIL} and not can_make_pdf():
        raise NotAllowedNow(_("PDF cannot be made here: Pango is missing on the server (docs/deploy.md)."))
    with change_set(study=study, by=by, action="crf.request_export"):
        job = ExportJob.objects.create(study=study, requested_by=by, kind=kind, **asked)
        transaction.on_commit(lambda: make_export.delay(str(job.id)), robust=True)
    return job
