"""The scores of a subject over the visits: drawn and told, by permission, and never to the patient."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from crf.answers import SubjectAnswers
from crf.selectors.scores import scores_of
from sites.clock import database_now
from sites.selectors import definition_at
from tests.fixtures import definition  # noqa: F401 - PALLSOFT's own, not the small trial of this folder
from tests.fixtures.by_hand import enter, scores
from tests.fixtures.leaving import *  # noqa: F403 - fixtures must stand in the module to be found

pytestmark = pytest.mark.django_db
WORST = {f"QLC_{n:02d}": "4" for n in range(1, 29)} | {"QLC_29": "1", "QLC_30": "1"}


@pytest.fixture
def patient(subject, plan, crc, today):
    """Pain 7 at week 2, not rated at week 4, 3 at week 8; the core questionnaire at week 2 only."""
    plan(subject, W2=-40, W4=-20, W8=-2)
    for visit, pain, days in (("W2", "7", 40), ("W8", "3", 2)):
        at = database_now() - timedelta(days=days)
        enter(subject, crc, visit, "NRS", scores(at.date(), "BOWEL", "5") | {"NRS_PAIN": pain}, observed_at=at)
    about = {"QLC_WHO": "ALONE", "QLC_MODE": "PAPER", "QLC_LANG": "NB"}
    enter(subject, crc, "W2", "QLC", about | WORST, observed_at=database_now() - timedelta(days=40))
    return subject


@pytest.fixture
def url(patient):
    return reverse("scores", args=[patient.study.oid, patient.number])


def rows_of(patient, user):
    return {row.label: row for row in scores_of(SubjectAnswers(patient, definition_at(patient.site)), user).rows}


def test_what_the_patient_rated_and_what_was_computed_stand_by_visit(patient, crc):
    shown = scores_of(SubjectAnswers(patient, definition_at(patient.site)), crc)
    assert [label for label, _day in shown.columns] == ["Uke 2", "Uke 8"]
    rows = rows_of(patient, crc)
    pain = next(row for label, row in rows.items() if "smertene i bekkenområdet" in label)
    assert (pain.values, pain.high_is_good, len(pain.line.dots)) == (["7", "3"], False, 2)
    assert float(pain.line.dots[0][1]) < float(pain.line.dots[1][1])  # 7 stands higher than 3
    function = rows["Fysisk funksjon (PF)"]
    assert (function.values, function.high_is_good, function.line) == (["0.00", ""], True, None)
    assert rows["Fatigue (FA)"].high_is_good is False


def test_a_visit_that_asked_in_vain_breaks_the_line_and_one_that_did_not_ask_does_not(patient, crc, plan, today):
    plan(patient, W12=0)
    at = database_now() - timedelta(days=20)
    asked = scores(at.date(), "BOWEL", "5")
    del asked["NRS_PAIN"]
    enter(patient, crc, "W4", "NRS", asked, missing={"NRS_PAIN": "REF"}, observed_at=at)
    level = {f"EQ_{n}": "2" for n in range(1, 6)} | {"EQ_WHO": "ALONE", "EQ_MODE": "PAPER", "EQ_LANG": "NB"}
    enter(patient, crc, "W4", "EQ5D", level, observed_at=at)
    enter(patient, crc, "W12", "EQ5D", level)
    rows = rows_of(patient, crc)
    pain = next(row for label, row in rows.items() if "smertene i bekkenområdet" in label)
    assert (pain.values, pain.line.lines, len(pain.line.dots)) == (["7", "", "3", ""], [], 2)
    assert rows["Indeks"].values[2] == "" and len(rows["Indeks"].line.lines) == 1


def test_the_page_draws_each_line_and_says_each_value(sign_in, crc, url, patient):
    page = sign_in(crc, "en")
    html = page.get(url).content.decode()
    assert "<polyline" in html and "Physical functioning (PF)" in html and "more trouble" in html
    assert url in page.get(reverse("subject", args=[patient.study.oid, patient.number])).content.decode()


def test_an_index_is_shown_with_three_decimals_and_a_rating_with_none(sign_in, crc, url, patient):
    level = {f"EQ_{n}": "2" for n in range(1, 6)} | {"EQ_WHO": "ALONE", "EQ_MODE": "PAPER", "EQ_LANG": "NB"}
    enter(patient, crc, "W8", "EQ5D", level, observed_at=database_now() - timedelta(days=2))
    assert rows_of(patient, crc)["Indeks"].values[-1] == "0.779144"
    cells = re.findall(r'<td class="num">([^<]+)</td>', sign_in(crc, "nb").get(url).content.decode())
    assert {"0,779", "7", "0,00"} <= set(cells) and "0.779144" not in cells


def test_nothing_that_tells_the_arm_is_among_the_scores(patient, coordinator, monkeypatch):
    form = next(one for one in definition_at(patient.site).forms if one.oid == "NRS")
    pain = next(item for item in form.items if item.oid == "NRS_PAIN")
    before = rows_of(patient, coordinator)
    monkeypatch.setitem(pain.__dict__, "reveals_arm", True)
    assert before.keys() - rows_of(patient, coordinator).keys() == {str(pain.label)}


def test_without_an_answer_the_page_says_so(sign_in, crc, enrol, bodo):
    other = enrol(bodo, birth_year=1960)
    html = sign_in(crc, "en").get(reverse("scores", args=[other.study.oid, other.number])).content.decode()
    assert "No scores yet" in html


def test_the_patients_page_neither_links_to_scores_nor_shows_them(sign_in, crc, url, patient):
    page = sign_in(crc, "nb")
    form = reverse("form", args=[patient.study.oid, patient.number, "W4", 1, "NRS", "1"])
    html = page.get(f"{form}patient/").content.decode()
    assert "NRS_PAIN" in html and url not in html and not re.search(r"Skårer|<polyline", html)


def test_the_page_asks_the_same_number_of_questions_however_many_visits_there_are(sign_in, crc, url, patient, today):
    page = sign_in(crc)

    def asked():
        with CaptureQueriesContext(connection) as queries:
            assert page.get(url).status_code == 200
        return len(queries)

    page.get(url)
    few = asked()
    at = database_now() - timedelta(days=20)
    enter(patient, crc, "W4", "NRS", scores(at.date(), "BOWEL", "5"), observed_at=at)
    assert asked() == few
