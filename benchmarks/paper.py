"""Pages of a casebook a second, read from the database and tagged, against WeasyPrint on plain static HTML."""

import io
import statistics
import time
from collections.abc import Callable

from pypdf import PdfReader

from benchmarks.measure import Ratio
from benchmarks.trial import Trial, add_subjects, form_row
from crf.exports import papers
from crf.models import ExportJob, ExportKind, FormData, StudyEvent
from pallsoft.audit.context import change_set

VISITS, ROUNDS = 16, 3
PARAGRAPH = "<p>" + "Strålebehandling mot symptomgivende svulst i bekkenet, målt med tall fra 0 til 10. " * 6 + "</p>"


def casebook(trial: Trial) -> Ratio:
    """Medians of ROUNDS rounds of each, in turn."""
    job = _job(trial)
    static = f"<!doctype html><html lang='nb'><title>x</title><body>{PARAGRAPH * 400}</body></html>"
    rounds = []
    for _round in range(ROUNDS):
        rounds.append((_pages_a_second(lambda: papers.make(job)[0]), _pages_a_second(lambda: _plain(static))))
    ours, floor = (statistics.median(rates) for rates in zip(*rounds, strict=True))
    return Ratio("casebook / WeasyPrint on static HTML", ours, floor, "pages/s", 0.2, at_most=False)


def _job(trial: Trial) -> ExportJob:
    """The casebook of a subject who answered the form at VISITS visits; not asked for, only made."""
    (event,) = add_subjects(trial, 1)
    subject = event.subject
    with change_set(study=trial.study, by=trial.nurse, action="benchmark", site=trial.site):
        events = StudyEvent.objects.bulk_create(
            StudyEvent(study=trial.study, subject=subject, event_oid=trial.event_oid, ordinal=n)
            for n in range(2, VISITS + 1)
        )
        FormData.objects.bulk_create(form_row(trial, event) for event in events)
        return ExportJob.objects.create(
            study=trial.study, kind=ExportKind.CASEBOOK, subject=subject, requested_by=trial.nurse,
            sites=[trial.site.code], with_arm=True,
        )  # fmt: skip


def _plain(html: str) -> bytes:
    from weasyprint import HTML

    pdf: bytes = HTML(string=html).write_pdf()
    return pdf


def _pages_a_second(make: Callable[[], bytes]) -> float:
    start = time.perf_counter()
    pdf = make()
    seconds = time.perf_counter() - start
    return len(PdfReader(io.BytesIO(pdf)).pages) / seconds
