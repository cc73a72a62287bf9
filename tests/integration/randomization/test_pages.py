"""The pages: read back, arm, act; the same result for everybody and for ever; corrections; late entries; lists."""

import builtins
import re
import uuid
from io import BytesIO

import pytest
from pypdf import PdfReader

from pallsoft import pdf
from randomization.facts import arm_code
from randomization.list_file import commitment
from randomization.models import Allocation, Correction, LateEntry
from randomization.services import import_list, request_correction
from tests.fixtures.randomizing import randomized

pytestmark = pytest.mark.django_db(transaction=True)
ARMS = {"A": "One dose", "B": "Five doses"}


@pytest.fixture
def page(sign_in, study):
    """page(user, "subjects/BOD-001/randomize/", {…}): GET, or POST of what is given; in English."""

    def ask(user, path, data=None, **more):
        client = sign_in(user, "en")
        address = path if path.startswith("/") else f"/s/{study.oid}/{path}"
        return client.post(address, data, **more) if data is not None else client.get(address, **more)

    return ask


def text(response):
    return re.sub(r"\s+", " ", response.content.decode())


RANDOMIZE = "subjects/BOD-001/randomize/"


def armed(response, typed="BOD-001"):
    key = re.search(r'name="key" value="([^"]+)"', response.content.decode())[1]
    return {"key": key, "typed_number": typed}


def test_the_page_reads_back_what_the_randomisation_rests_on(page, ready, crc):
    shown = text(page(crc, RANDOMIZE))
    for part in ("Cancer group", "Bowel", "Target symptom", "Pain", "NRS at start", "6", "It cannot be undone"):
        assert part in shown
    assert "Target symptom last week: 6" in shown  # the answer that a gate rests on
    assert "Type BOD-001 to randomise" in shown


def test_the_whole_way_from_the_page_to_the_arm(page, ready, crc):
    before = page(crc, RANDOMIZE)
    done = page(crc, RANDOMIZE, armed(before), follow=True)
    assert done.redirect_chain == [(f"/s/TOARM/{RANDOMIZE}", 302)]
    shown = text(done)
    assert ARMS[arm_code(ready)] in shown and "Randomised" in shown
    assert re.search(r"\(CES?T, UTC\+0[12]:00\)", shown)
    line = re.search(r"<textarea[^>]*>([^<]+)<", shown)[1]
    assert "Subject number BOD-001." in line and ARMS[arm_code(ready)] in line and "TOARM" not in line


def test_a_closed_gate_is_shown_with_a_link_to_mend_it_and_no_button(page, enrol, bodo, fill, sealed_list, crc):
    subject = enrol(bodo)
    fill(subject, BASE_GROUP=None, SCORE_NRS="3", FIT_ADULT=None, SCORE_ON=None)
    shown = text(page(crc, RANDOMIZE))
    assert 'name="typed_number"' not in shown and "The button opens when" in shown
    form = f"/s/TOARM/subjects/{subject.number}/events/SCREEN-1/forms"
    assert f'href="{form}/BASE/1/"' in shown  # the factor
    assert f'href="{form}/SCORE/1/"' in shown  # the computed criterion and the gate that asks a fact
    assert f'href="{form}/FIT/1/"' in shown  # the criterion
    assert f'href="/s/TOARM/subjects/{subject.number}/eligibility/"' in shown  # the confirmation


def test_before_anything_is_entered_the_links_lead_to_the_screening_visit(page, enrol, bodo, crc):
    enrol(bodo)
    shown = text(page(crc, RANDOMIZE))
    assert "/events/SCREEN-1/forms/BASE/1/" in shown


def test_a_mistyped_number_stays_in_the_field_with_a_sentence(page, ready, crc):
    response = page(crc, RANDOMIZE, {"key": uuid.uuid4(), "typed_number": "BOD-01"})
    assert response.status_code == 422
    assert 'value="BOD-01"' in text(response) and "Type BOD-001 to randomise." in text(response)
    assert not Allocation.objects.exists()


def test_a_post_without_a_key_randomises_nobody(page, ready, crc):
    for key in ("", "no-uuid"):
        assert page(crc, RANDOMIZE, {"key": key, "typed_number": "BOD-001"}).status_code == 422
    assert not Allocation.objects.exists()


@pytest.mark.parametrize("who", ["monitor", "coordinator"])
def test_who_may_not_randomise_sees_no_button_and_is_refused(page, ready, request, who):
    user = request.getfixturevalue(who)
    assert 'name="typed_number"' not in text(page(user, RANDOMIZE))
    assert page(user, RANDOMIZE, {"key": uuid.uuid4(), "typed_number": "BOD-001"}).status_code == 403
    assert not Allocation.objects.exists()


def test_another_site_finds_no_such_subject(page, ready, outsider, crc):
    paths = [RANDOMIZE, f"{RANDOMIZE}receipt.pdf", f"{RANDOMIZE}late/", "subjects/BOD-001/corrections/"]
    for path in paths:
        assert page(outsider, path).status_code == 404
        assert page(outsider, path, {"key": uuid.uuid4(), "typed_number": "BOD-001"}).status_code in (404, 405)
    randomized(ready, crc)
    assert page(outsider, RANDOMIZE).status_code == 404


def test_the_arm_is_not_on_the_coordinators_page(page, ready, crc, coordinator):
    randomized(ready, crc)
    shown = text(page(coordinator, RANDOMIZE))
    assert "Already randomised" in shown and not any(arm in shown for arm in ARMS.values())
    assert "record-line" not in shown


def test_before_randomisation_there_is_no_receipt(page, ready, crc):
    assert page(crc, f"{RANDOMIZE}receipt.pdf").status_code == 404


@pytest.mark.pdf
def test_the_receipt_tells_all_and_is_accessible(page, ready, crc):
    allocation = randomized(ready, crc)
    response = page(crc, f"{RANDOMIZE}receipt.pdf")
    assert response["Content-Type"] == "application/pdf" and "BOD-001" in response["Content-Disposition"]
    reader = PdfReader(BytesIO(response.content))
    shown = re.sub(r"\s+", " ", " ".join(page.extract_text() for page in reader.pages))
    for part in (
        "BOD-001",
        "Bodø",
        "TEST",
        ARMS[arm_code(ready)],
        "Åse Nordgård",
        "Cancer group",
        "Bowel",
        "last week",
    ):
        assert part in shown
    assert allocation.inputs_sha256 in shown.replace(" ", "")
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"] and reader.trailer["/Root"]["/Lang"] == "en"
    assert {name.split("+")[-1].split("-")[0] for name in _fonts(reader)} == {"Inter"}


def _fonts(reader):
    return {
        str(font.get_object()["/BaseFont"]) for page in reader.pages for font in page["/Resources"]["/Font"].values()
    }


@pytest.mark.pdf
def test_a_pdf_fetches_nothing(tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("SECRET")
    html = f'<html lang="en"><title>x</title><img src="file://{secret}" alt="x"><img src="http://127.0.0.1:1/" alt="y">'
    made = PdfReader(BytesIO(pdf.pdf_of(html, "")))
    assert "SECRET" not in made.pages[0].extract_text()


def test_without_pango_the_page_offers_to_be_printed(page, ready, crc, without_pango):
    randomized(ready, crc)
    assert "Print this page" in text(page(crc, RANDOMIZE))
    assert page(crc, f"{RANDOMIZE}receipt.pdf").status_code == 404


@pytest.fixture
def without_pango(monkeypatch):
    """As on a machine without the library: importing WeasyPrint fails when it loads Pango."""
    real = builtins.__import__

    def no_weasyprint(name, *more, **named):
        if name == "weasyprint":
            raise OSError("cannot load library 'libpango-1.0-0'")
        return real(name, *more, **named)

    monkeypatch.setattr(builtins, "__import__", no_weasyprint)
    pdf.can_make_pdf.cache_clear()
    yield
    pdf.can_make_pdf.cache_clear()


CORRECTIONS = "subjects/BOD-001/corrections/"
ASKED = {"what": "GROUP:URO", "source": "patologisvar", "reason": "feil i henvisningen"}


def test_a_correction_from_the_request_to_the_decision(page, ready, crc, pi, coordinator):
    assert "not randomised" in text(page(pi, CORRECTIONS))
    randomized(ready, crc)
    arm = arm_code(ready)
    assert "does not change the allocation" in text(page(pi, CORRECTIONS))
    asked = text(page(pi, CORRECTIONS, ASKED, follow=True))
    assert "waits for the coordinator" in asked and "Bowel → Urinary tract" in asked
    work = text(page(coordinator, "/"))
    assert "a correction of the randomisation waits for you" in work
    correction = Correction.objects.get()
    decided = text(page(coordinator, f"{CORRECTIONS}{correction.pk}/", {"decision": "confirm"}, follow=True))
    assert "The correction is confirmed." in decided and "<mark>Urinary tract</mark>" in decided
    assert arm_code(ready) == arm


def test_a_correction_can_be_declined(page, ready, crc, pi, coordinator):
    randomized(ready, crc)
    correction = request_correction(subject=ready, factor="GROUP", value="URO", source="x", reason="x", by=pi)
    shown = text(page(coordinator, f"{CORRECTIONS}{correction.pk}/", {"decision": "decline"}, follow=True))
    assert "The correction is declined." in shown


def test_a_correction_of_the_same_value_is_told_at_the_field(page, ready, crc, pi):
    randomized(ready, crc)
    response = page(pi, CORRECTIONS, ASKED | {"what": "GROUP:GI"})
    assert response.status_code == 422
    assert page(pi, CORRECTIONS, ASKED | {"what": ""}).status_code == 422


@pytest.mark.parametrize("who", ["crc", "monitor", "coordinator"])
def test_who_may_not_ask_sees_the_corrections_but_no_form(page, ready, crc, request, who):
    randomized(ready, crc)
    user = request.getfixturevalue(who)
    assert "Ask for a correction" not in text(page(user, CORRECTIONS))
    assert page(user, CORRECTIONS, ASKED).status_code == 403


def test_only_the_coordinator_reaches_the_decision(page, ready, crc, pi, monitor):
    randomized(ready, crc)
    correction = request_correction(subject=ready, factor="GROUP", value="URO", source="x", reason="x", by=pi)
    for user in (pi, crc, monitor):
        response = page(user, f"{CORRECTIONS}{correction.pk}/", {"decision": "confirm"})
        assert response.status_code in (403, 404)
    assert Correction.objects.get().decided_at is None


@pytest.mark.req("RND-12")
def test_a_late_entry_from_the_telephone_to_the_arm(page, ready, open_list, list_file, crc, statistician):
    open_list(list_file(seed=7, purpose="fallback"))
    told = {"happened_on": "01.11.2026", "happened_clock": "10:42", "reason": "nettet var nede"}
    assert "randomised by telephone" in text(page(crc, f"{RANDOMIZE}late/"))
    assert page(crc, f"{RANDOMIZE}late/", told | {"reason": ""}).status_code == 422
    assert "list holder will confirm" in text(page(crc, f"{RANDOMIZE}late/", told, follow=True))
    assert "waits for you" in text(page(statistician, "/"))
    entry = LateEntry.objects.get()
    confirm = f"randomization/late/{entry.pk}/"
    assert "BOD-001" in text(page(statistician, "randomization/"))
    assert "not the next slot" in text(page(statistician, confirm, {"position": "2"}))
    assert "from the fallback list" in text(page(statistician, confirm, {"position": "1"}, follow=True))
    shown = text(page(crc, RANDOMIZE))
    assert "1 Nov 2026, 10:42 (CET, UTC+01:00)" in shown.replace("\u00a0", " ") and "By telephone" in shown


def test_the_lists_page_is_the_list_holders_alone(page, sealed_list, statistician, request):
    shown = text(page(statistician, "randomization/"))
    assert sealed_list.sha256 in shown and "Liv Sæther" in shown
    for who in ("crc", "pi", "monitor", "coordinator", "data_manager", "admin", "inspector"):
        assert page(request.getfixturevalue(who), "randomization/").status_code == 403


def test_the_lists_page_shows_who_was_wrongly_stratified(page, ready, crc, pi, coordinator, statistician):
    randomized(ready, crc)
    correction = request_correction(subject=ready, factor="GROUP", value="URO", source="x", reason="x", by=pi)
    assert "No list" not in text(page(statistician, "randomization/"))
    page(coordinator, f"{CORRECTIONS}{correction.pk}/", {"decision": "confirm"})
    shown = text(page(statistician, "randomization/"))
    assert "BOD-001" in shown and "URO" in shown


def test_before_any_list_the_page_says_so(page, study, statistician):
    assert "No list is imported yet" in text(page(statistician, "randomization/"))


def test_a_list_that_waits_for_a_second_person(page, study, statistician, list_file):
    content = list_file()
    import_list(study=study, content=content, sha256=commitment(content), by=statistician)
    assert "Waits for a second person" in text(page(statistician, "randomization/"))
