"""The pages of files: ask, wait, download."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from crf.exports import jobs, selectors
from crf.exports.services import request_casebook, request_export, request_paper, request_trail
from crf.models import ExportJob, ExportKind, ExportState
from pallsoft.accounts.request import AuthenticatedRequest
from pallsoft.audit.access import record_access
from sites.permissions import Permission, permissions_anywhere, require_anywhere
from sites.selectors import study_for, subject_for

DEFINITION = (ExportKind.BLANK_CRF, ExportKind.ANNOTATED_CRF, ExportKind.SCHEDULE)


@require_http_methods(["GET", "POST"])
def export_page(request: AuthenticatedRequest, study_oid: str) -> HttpResponse:
    """Data and trail."""
    study = study_for(request.user, study_oid)
    may = permissions_anywhere(request.user, study)
    if Permission.EXPORT_TRAIL not in may:
        require_anywhere(request.user, Permission.EXPORT, study)
    if request.method == "POST":
        ask = request_trail if request.POST.get("kind") == ExportKind.TRAIL else request_export
        ask(study=study, by=request.user)
        messages.success(request, _("The export is being made. This page shows it when it is ready."))
        return redirect("export", study_oid=study.oid)
    context = _list(list(selectors.exports_of(request.user, study)))
    context |= {"may_export": Permission.EXPORT in may, "may_export_trail": Permission.EXPORT_TRAIL in may}
    return render(request, "crf/export.html", context)


@require_http_methods(["GET", "POST"])
def documents_page(request: AuthenticatedRequest, study_oid: str) -> HttpResponse:
    """Papers of the study and of subjects."""
    study = study_for(request.user, study_oid)
    if request.method == "POST":
        kind = request.POST.get("kind", "")
        if kind not in DEFINITION:
            raise Http404
        request_paper(study=study, kind=ExportKind(kind), language=language_of(request), by=request.user)
        messages.success(request, _("The document is being made. This page shows it when it is ready."))
        return redirect("documents", study_oid=study.oid)
    context = _list(list(selectors.exports_of(request.user, study, selectors.PAPER)))
    return render(request, "crf/documents.html", context | {"kinds": DEFINITION, "language": language_of(request)})


@require_POST
def casebook(request: AuthenticatedRequest, study_oid: str, number: str) -> HttpResponse:
    subject = subject_for(request.user, study_oid, number)
    request_casebook(subject=subject, language=language_of(request), by=request.user)
    messages.success(request, _("The document is being made. This page shows it when it is ready."))
    return redirect("documents", study_oid=study_oid)


@require_GET
def download(request: AuthenticatedRequest, study_oid: str, job_id: UUID) -> FileResponse:
    """The file, to the person who asked for it, while the right holds (EXP-05)."""
    job = selectors.finished_export(request.user, study_oid, job_id)
    path = jobs.path_of(job)
    if not path.exists():
        raise Http404
    record_access(user=request.user, subject=job.subject, what=f"export {job.file_name}")
    return FileResponse(path.open("rb"), as_attachment=True, filename=job.file_name)


def _list(found: list[ExportJob]) -> dict[str, Any]:
    return {"jobs": found, "waiting": any(job.state == ExportState.REQUESTED for job in found)}


def language_of(request: AuthenticatedRequest) -> str:
    """The one asked for; else that of the page."""
    asked = request.POST.get("language", "") or (get_language() or "nb")[:2]
    return asked if asked in {"nb", "en"} else "nb"
