"""Papers: what the PDF says, read back, is what the database and the definition say."""

import io
import re
import unicodedata
import uuid
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from pypdf import PdfReader

from crf.exports import jobs
from crf.exports.services import request_casebook, request_paper
from crf.models import ExportKind, ExportState, Meaning
from crf.services import raise_query
from pallsoft.errors import NotPermitted
from pallsoft.pdf import pdf_of
from tests.integration.crf.signing import fresh, sign_form
from trials.definition import definition_of
from trials.selectors import live_version

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.pdf]

SAMI = "Čáhci, Đievva, Ŋuorri, Šaddu, Ŧuovva, Žárffa: čđŋšŧž"
LONG_WORD = "Strålebehandlingsindikasjonsvurderingsansvarlighetsnemnd" * 4


@pytest.fixture(autouse=True)
def export_dir(settings, tmp_path):
    settings.EXPORT_DIR = tmp_path
    return tmp_path


@pytest.fixture
def made():
    """made(job): the finished job and the bytes of its PDF."""

    def make(job):
        jobs.run_export(job.id)
        job.refresh_from_db()
        assert (job.state, job.error) == (ExportState.DONE, "")
        return job, jobs.path_of(job).read_bytes()

    return make


@pytest.fixture
def casebook(subject, crc, made):
    """casebook(language, by): the text of BOD-001's casebook, without the line breaks of the printer."""

    def read(language="en", by=crc):
        return text_of(made(request_casebook(subject=subject, language=language, by=by))[1])

    return read


def pages_of(pdf):
    return [page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages]


def text_of(pdf):
    return squeezed("\n".join(pages_of(pdf)))


def squeezed(text):
    """Without white space and soft hyphens: where lines break is the printer's own."""
    return re.sub(r"[\s\u00ad]+", "", unicodedata.normalize("NFC", text))


def test_every_value_missing_code_and_number_of_the_subject_can_be_read_back(save, casebook):
    save(
        "START",
        "BASE",
        {"BASE_TEXT": f"blåbær {SAMI}", "BASE_WEIGHT": "70.5", "BASE_ORGAN": "BLADDER", "BASE_ON": "2026-09-01"},
        missing={"BASE_HEIGHT": "UNK"},
    )
    text = casebook("nb")
    for said in (f"blåbær {SAMI}", "70,5 kg", "01.09.2026", "BOD-001", "Bodø", "Ukjent", "Blære", "Pasientmappe"):
        assert squeezed(said) in text, said


def test_what_skip_logic_has_set_aside_is_not_printed_among_the_answers(save, casebook):
    save("START", "BASE", {"BASE_SMOKES": "Y", "BASE_DAILY": "173"})
    assert "Cigarettesaday173" in casebook().rpartition("Appendix:historyofallchanges")[0]
    save("START", "BASE", {"BASE_SMOKES": "N"}, reason="røyker ikke")
    answers, _title, history = casebook().rpartition("Appendix:historyofallchanges")
    assert "Cigarettesaday" not in answers
    assert "Cigarettesaday" in history and "setaside:173" in history


@pytest.mark.req("EXP-08")
def test_pc137_a_comment_of_5000_letters_prints_whole_over_several_pages(made):
    comment = "".join(f"Linje {n:03d} med blåbær og ødeland. " for n in range(160))[:5000]
    cell = f"<table><tbody><tr><th scope='row'>Merknad</th><td>{comment}</td></tr></tbody></table>"
    pdf = pdf_of(f"<!doctype html><html lang='nb'><title>x</title><body>{cell}</body></html>", "@page{size:A6}")
    assert len(pages_of(pdf)) > 3
    assert squeezed(comment) in text_of(pdf)


def test_pc140_the_longest_answer_and_the_longest_word_are_not_cut(save, casebook):
    long = ("smertene kom tilbake etter " * 40)[:999].strip()
    save("START", "BASE", {"BASE_LONG": long, "BASE_TEXT": LONG_WORD[:200]})
    text = casebook()
    assert squeezed(long) in text
    assert LONG_WORD[:200] in text


@pytest.mark.parametrize("typed", ["😀 glad", "漢字", "שלום"])
def test_pc139_a_character_that_the_font_does_not_have_is_written_as_its_number(save, casebook, typed):
    save("START", "BASE", {"BASE_TEXT": typed})
    text = casebook()
    strange = [letter for letter in typed if ord(letter) > 0x2000 or 0x590 < ord(letter) < 0x600]
    assert strange and all(f"[U+{ord(letter):04X}]" in text for letter in strange)
    assert "iswrittenasitsnumber" in text


def test_pc139_no_page_of_any_paper_has_a_missing_glyph(save, subject, crc, made):
    """All text of the papers themselves is in the fonts: nothing had to be written as a number."""
    save("START", "BASE", {"BASE_TEXT": SAMI})
    for kind in (ExportKind.BLANK_CRF, ExportKind.ANNOTATED_CRF, ExportKind.SCHEDULE):
        for language in ("nb", "en"):
            assert "[U+" not in text_of(
                made(request_paper(study=subject.study, kind=kind, language=language, by=crc))[1]
            )


def test_every_page_names_the_subject_and_counts(save, subject, crc, made):
    save("START", "BASE", {"BASE_WEIGHT": "70"})
    _job, pdf = made(request_casebook(subject=subject, language="en", by=crc))
    pages = pages_of(pdf)
    for number, page in enumerate(pages, 1):
        assert "Subject BOD-001" in page and f"{number} / {len(pages)}" in page
        assert "TEST" in page  # the study is in test mode
    assert "Åse Nordgård" in pages[0] and "Europe/Oslo" in pages[0]


def test_the_document_is_tagged_for_a_screen_reader_and_has_its_language_and_title(save, subject, crc, made):
    save("START", "BASE", {"BASE_WEIGHT": "70"})
    _job, pdf = made(request_casebook(subject=subject, language="nb", by=crc))
    root = PdfReader(io.BytesIO(pdf)).trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"] and root["/Lang"] == "nb"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert b"pdfuaid" in root["/Metadata"].get_data()
    tags = tags_of(root["/StructTreeRoot"])
    assert {"/H1", "/H2", "/H3", "/Table", "/TH", "/TD", "/TR"} <= tags


def tags_of(node, depth=0):
    node = node.get_object()
    if not hasattr(node, "get") or depth > 30:
        return set()
    children = node.get("/K", [])
    children = children if isinstance(children, list) else [children]
    found = {node.get("/S")} - {None}
    for child in children:
        found |= tags_of(child, depth + 1)
    return found


@pytest.mark.req("SIG-01")
def test_a_signature_shows_name_time_with_zone_and_meaning(save, row, pi, casebook):
    save("WK2", "SCORE", {"SCORE_PAIN": "6", "SCORE_VAGINAL": "0"})
    signature = sign_form(fresh(row("WK2", "SCORE")), pi)
    text = casebook("en")
    at = timezone.localtime(signature.signed_at)
    assert squeezed(f"{at.day} {at:%b} {at.year}, {at:%H:%M} (Europe/Oslo, UTC{at:%z})") in text
    assert squeezed(pi.full_name) in text and squeezed(str(Meaning.REVIEWED.label)) in casebook("nb")
    save("WK2", "SCORE", {"SCORE_PAIN": "5"}, reason="lest feil")
    assert squeezed("Signature, void since the data changed") in casebook("en")


def test_queries_stand_with_their_whole_thread(save, visit, data_manager, casebook):
    save("START", "BASE", {"BASE_WEIGHT": "70"})
    asked = "Er 70 kg målt på stedet?"
    event = visit("START")
    raise_query(event=event, form_oid="BASE", item_oid="BASE_WEIGHT", text=asked, key=uuid.uuid4(), by=data_manager)
    text = casebook("nb")
    assert squeezed(asked) in text
    assert squeezed("Tor Ås") in text


@pytest.mark.req("AUD-11")
def test_what_betrays_the_arm_is_left_out_for_who_may_not_see_it_and_the_page_says_so(
    save, casebook, data_manager, monitor
):
    save("TREAT", "DOSE", {"DOSE_ON": "2026-09-15", "DOSE_GY": "27.3"}, repeat_key="new")
    seen, hidden = casebook(by=monitor), casebook(by=data_manager)
    assert "27.3Gy" in seen and "Fraction" in seen
    assert "27.3" not in hidden and "Fraction" not in hidden
    assert squeezed("What would tell the treatment is left out") in hidden


def test_the_history_at_the_end_tells_who_changed_what_from_what_to_what_and_why(save, casebook):
    save("START", "BASE", {"BASE_WEIGHT": "70"})
    save("START", "BASE", {"BASE_WEIGHT": "71.5"}, reason="lest feil på vekten i Bodø")
    history = casebook("nb").rpartition("Vedlegg:historikkoveralleendringer")[2]
    for said in ("70,0kg", "71,5kg", "lestfeilpåvekteniBodø", "ÅseNordgård", "Studiesykepleier"):
        assert said in history.replace("70kg", "70,0kg"), said


def test_a_casebook_asks_no_more_of_the_database_for_more_forms(
    save, subject, crc, made, django_assert_max_num_queries
):
    for event in ("START", "WK2"):
        save(event, "BASE", {"BASE_WEIGHT": "70"})
    for n in range(6):
        save("ALWAYS", "EVENTS", {"EVENTS_TERM": f"Kvalme {n}"}, repeat_key="new")
    job = request_casebook(subject=subject, language="nb", by=crc)
    with django_assert_max_num_queries(60):
        made(job)


@pytest.mark.req("EXP-05")
def test_the_file_is_for_who_asked_and_only_while_the_subject_is_in_sight(
    sign_in, subject, crc, monitor, outsider, made
):
    job, _pdf = made(request_casebook(subject=subject, language="nb", by=crc))
    url = reverse("export-download", args=[subject.study.oid, job.id])
    answer = sign_in(crc).get(url)
    assert b"".join(answer.streaming_content).startswith(b"%PDF")
    assert answer["Content-Disposition"].endswith('.pdf"')
    assert sign_in(monitor).get(url).status_code == 404
    assert sign_in(outsider).get(url).status_code == 404
    with pytest.raises(NotPermitted):
        request_casebook(subject=subject, language="nb", by=outsider)


def test_the_casebook_button_makes_a_job_that_the_page_shows(sign_in, subject, crc):
    page = sign_in(crc, "nb").post(reverse("casebook", args=[subject.study.oid, subject.number]), follow=True)
    (job,) = page.context["jobs"]
    assert (job.kind, job.subject, job.language) == (ExportKind.CASEBOOK, subject, "nb")
    assert "BOD-001" in page.content.decode()


def test_an_unknown_paper_is_not_found(sign_in, study, crc):
    assert sign_in(crc).post(reverse("documents", args=[study.oid]), {"kind": "casebook"}).status_code == 404


def test_the_blank_crf_has_every_question_and_no_answer(study, crc, made):
    definition = definition_of(live_version(study))
    _job, pdf = made(request_paper(study=study, kind=ExportKind.BLANK_CRF, language="nb", by=crc))
    text = text_of(pdf)
    for form in definition.forms:
        for item in form.items:
            assert item.derived or squeezed(item.label.nb) in text, item.oid
    assert squeezed("Skriv aldri navn eller fødselsnummer") in text


def test_the_annotated_crf_has_every_name_type_code_and_rule(study, crc, made):
    definition = definition_of(live_version(study))
    _job, pdf = made(request_paper(study=study, kind=ExportKind.ANNOTATED_CRF, language="en", by=crc))
    text = text_of(pdf)
    for form in definition.forms:
        assert form.oid in text
        for item in form.items:
            assert item.oid in text and squeezed(item.label.en) in text
            for rule in (item.relevant, item.derived):
                assert not rule or squeezed(rule) in text, rule
        for one in form.checks:
            assert one.oid in text and squeezed(one.violated_if) in text
    for listed in definition.code_lists:
        assert all(code.code in text and squeezed(code.label.en) in text for code in listed.items)


def test_the_schedule_has_every_visit_and_form_in_the_parts_of_spirit(study, crc, made):
    definition = definition_of(live_version(study))
    _job, pdf = made(request_paper(study=study, kind=ExportKind.SCHEDULE, language="en", by=crc))
    text = text_of(pdf)
    for word in ("Enrolment", "Allocation", "Interventions", "Assessments", "Informedconsent"):
        assert word in text
    assert all(squeezed(str(event.label.en)) in text for event in definition.events)
    assert all(squeezed(arm.label.en) in text for arm in definition.arms)


def test_late_entry_shows_both_times(save, casebook):
    observed = timezone.now() - timedelta(days=2)
    save("START", "BASE", {"BASE_WEIGHT": "70"}, observed_at=observed, key=uuid.uuid4())
    assert "observed" in casebook("en")
