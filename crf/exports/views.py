"""The export page: ask, wait, download."""

from uuid import UUID

from django.contrib import messages
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from crf.exports import jobs, selectors
from crf.exports.services import request_export
from crf.models import ExportState
from pallsoft.accounts.request import AuthenticatedRequest
from pallsoft.audit.access import record_access
from sites.permissions import Permission
from sites.selectors import study_for


@require_http_methods(["GET", "POST"])
def export_page(request: AuthenticatedRequest, study_oid: str) -> HttpResponse:
    study = study_for(request.user, study_oid, Permission.EXPORT)
    if request.method == "POST":
        request_export(study=study, by=request.user)
        messages.success(request, _("The export is being made. This page shows it when it is ready."))
        return redirect("export", study_oid=study.oid)
    jobs = list(selectors.exports_of(request.user, study))
    waiting = any(job.state == ExportState.REQUESTED for job in jobs)
    return render(request, "crf/export.html", {"jobs": jobs, "waiting": waiting})


@require_GET
def download(request: AuthenticatedRequest, study_oid: str, job_id: UUID) -> FileResponse:
    """The archive, to the person who asked for it, while the right holds (EXP-05)."""
    study = study_for(request.user, study_oid, Permission.EXPORT)
    job = selectors.finished_export(request.user, study, job_id)
    path = jobs.path_of(job)
    if not path.exists():
        raise Http404
    record_access(user=request.user, subject=None, what=f"export {job.file_name}")
    return FileResponse(path.open("rb"), as_attachment=True, filename=job.file_name)
