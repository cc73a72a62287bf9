"""The PDF of a job: a casebook, a serious event, or a paper of the definition alone."""

from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone, translation
from django.utils.translation import gettext as _

from crf.models import ExportJob, ExportKind
from crf.paper.casebook import casebook_of
from crf.paper.definition import form_papers, schedule_of
from crf.paper.pages import pdf_of_template
from crf.paper.serious_event import serious_event_of
from pallsoft.pdf import can_make_pdf
from sites.models import Subject
from sites.selectors import version_at
from trials.definition import definition_of
from trials.models import StudyVersion
from trials.selectors import live_version

TEMPLATES = {
    ExportKind.CASEBOOK: "casebook",
    ExportKind.BLANK_CRF: "blank",
    ExportKind.ANNOTATED_CRF: "annotated",
    ExportKind.SCHEDULE: "schedule",
    ExportKind.SERIOUS_EVENT: "serious_event",
}


def make(job: ExportJob) -> tuple[bytes, dict[str, Any]]:
    """The PDF, and what its manifest says: in the language that was asked for, on the clock of the site."""
    if not can_make_pdf():
        raise OSError(_("PDF cannot be made here: Pango is missing on the server (docs/deploy.md)."))
    subject = Subject.objects.select_related("site").get(pk=job.subject_id) if job.subject_id else None
    zone = subject.site.timezone if subject else job.study.timezone
    version = version_at(subject.site) if subject else live_version(job.study)
    with translation.override(job.language), timezone.override(ZoneInfo(zone)):
        context = _context(job, version, subject) | {"job": job, "version": version, "zone": zone}
        pdf = pdf_of_template(TEMPLATES[ExportKind(job.kind)], context)
    return pdf, _manifest(job, version, pdf)


def _context(job: ExportJob, version: StudyVersion, subject: Subject | None) -> dict[str, Any]:
    definition = definition_of(version)
    shared = {"study": job.study, "definition": definition}
    if job.form_data:
        event = serious_event_of(job.form_data, job.requested_by, with_arm=job.with_arm)
        return shared | {"event": event, "subject": event.subject}
    if subject:
        subject.study = subject.site.study = job.study
        return shared | {"book": casebook_of(subject, job.requested_by, with_arm=job.with_arm), "subject": subject}
    if job.kind == ExportKind.SCHEDULE:
        return shared | {"schedule": schedule_of(definition)}
    return shared | {"forms": form_papers(definition, computed=job.kind == ExportKind.ANNOTATED_CRF)}


def _manifest(job: ExportJob, version: StudyVersion, pdf: bytes) -> dict[str, Any]:
    return {
        "study": job.study.oid,
        "mode": job.study.mode,
        "definition": {"number": version.number, "sha256": version.sha256},
        "cut": {"seal": job.seal_n},
        "language": job.language,
        "subject": job.subject.number if job.subject else None,
        "items_that_betray_the_arm": "included" if job.with_arm else "left out",
        "bytes": len(pdf),
        "files": [],
    }
