"""The printed form of a serious event, read back: its times, who judged what, and nobody's identity (S16)."""

import io
import re
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse
from pypdf import PdfReader

from crf.exports import jobs
from crf.exports.services import request_serious_event
from crf.models import ExportJob, ExportKind, ExportState
from crf.services import Assessed, assess_event, read_report, report_event
from pallsoft.errors import NotPermitted

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def export_dir(settings, tmp_path):
    settings.EXPORT_DIR = tmp_path
    return tmp_path


def made(job):
    jobs.run_export(job.id)
    job.refresh_from_db()
    assert (job.state, job.error) == (ExportState.DONE, "")
    return job, jobs.path_of(job).read_bytes()


def text_of(pdf):
    return squeezed("\n".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages))


def squeezed(text):
    """Without white space and soft hyphens: where lines break is the printer's own."""
    return re.sub(r"[\s\u00ad]+", "", text)


def paper_url(row, name="serious-event-paper"):
    return reverse(name, args=[row.study.oid, row.subject.number, *row.event.key, row.form_oid, row.repeat_key])


ENTERED = {"AE_ON": "2026-09-25", "AE_GRADE": "3", "AE_REL": "POSSIBLE", "AE_OUT": "ONGOING"}


@pytest.mark.pdf
@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("nb", ["Alvorlig uønsket hendelse", "Sammenheng med strålebehandlingen (utprøver) Mulig", "Utfall Pågår"]),
        ("en", ["Serious adverse event", "Relation to the radiotherapy (investigator) Possible", "Outcome Ongoing"]),
    ],
)
def test_the_paper_tells_times_grade_causality_and_outcome(event, known, coordinator, language, said):
    aware = known(5)
    row = event(AE_AWARE=aware, **ENTERED)
    _job, pdf = made(request_serious_event(form=row, language=language, by=coordinator))
    text = text_of(pdf)
    entered = f"{row.created_in.at.astimezone(ZoneInfo('Europe/Oslo')):%d.%m.%Y %H:%M}"
    for words in [*said, "Tarmobstruksjon", row.subject.number, "25.09.2026", entered, "Europe/Oslo"]:
        assert squeezed(words) in text, words
    assert "TEST" in text and "[U+" not in text


@pytest.mark.pdf
def test_what_site_and_sponsor_judged_stands_apart(event, known, coordinator):
    row = event(AE_AWARE=known(5), **ENTERED)
    said = Assessed(False, "UNRELATED", None)
    assess_event(form=row, said=said, seen=Assessed(None, "", None).token, by=coordinator)
    _job, pdf = made(request_serious_event(form=row, language="en", by=coordinator))
    text = text_of(pdf)
    assert squeezed("Relation to the radiotherapy (investigator) Possible") in text
    assert squeezed("Expected (sponsor) No") in text
    assert squeezed("Relation to the treatment (sponsor) Unrelated") in text


@pytest.mark.pdf
def test_reports_stand_on_it_with_when_they_were_sent_and_read(event, known, pi, coordinator):
    row = event(AE_AWARE=known(5), **ENTERED)
    report = report_event(form=row, seen_version=row.version, by=pi)
    _job, pdf = made(request_serious_event(form=row, language="en", by=coordinator))
    assert squeezed("Report 0 sent") in text_of(pdf) and squeezed("Report 0 read") not in text_of(pdf)
    read_report(report=report, by=coordinator)
    _job, pdf = made(request_serious_event(form=row, language="en", by=coordinator))
    assert squeezed("Report 0 read by the sponsor") in text_of(pdf)


@pytest.mark.pdf
@pytest.mark.req("EXP-05")
def test_it_names_nobody_and_only_who_asked_and_may_see_the_subject_gets_it(
    event, known, crc, coordinator, outsider, sign_in, study
):
    row = event(AE_AWARE=known(5))
    job, pdf = made(request_serious_event(form=row, language="nb", by=coordinator))
    assert str(row.subject.birth_year) not in text_of(pdf)
    url = reverse("export-download", args=[study.oid, job.id])
    assert b"".join(sign_in(coordinator).get(url).streaming_content).startswith(b"%PDF")
    assert sign_in(crc).get(url).status_code == 404
    with pytest.raises(NotPermitted):
        request_serious_event(form=row, language="nb", by=outsider)


def test_the_button_asks_for_it_in_the_language_of_the_page(event, known, crc, coordinator, outsider, sign_in, study):
    row = event(AE_AWARE=known(5))
    assert paper_url(row) in sign_in(crc).get(paper_url(row, "form")).content.decode()
    assert paper_url(row) in sign_in(coordinator).get(reverse("safety", args=[study.oid])).content.decode()
    answer = sign_in(crc, "en").post(paper_url(row))
    assert answer.url == reverse("documents", args=[study.oid])
    job = ExportJob.objects.get()
    assert (job.kind, job.form_data, job.subject, job.language) == (
        ExportKind.SERIOUS_EVENT, row, row.subject, "en",
    )  # fmt: skip
    assert row.subject.number in sign_in(crc, "en").get(answer.url).content.decode()
    assert sign_in(outsider).post(paper_url(row)).status_code == 404


def test_an_event_that_is_not_serious_has_no_such_paper(event, known, crc, sign_in):
    row = event(first=False, AE_TERM="Kvalme", AE_SER="N")
    assert sign_in(crc).post(paper_url(row)).status_code == 404
    assert paper_url(row) not in sign_in(crc).get(paper_url(row, "form")).content.decode()
