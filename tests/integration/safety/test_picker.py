"""An adverse event is chosen from NCI's terms, and graded by the sentence of its grade."""

import re

import pytest
from django.core.management import call_command
from django.urls import reverse

from tests.fixtures import definition  # noqa: F401 - PALLSOFT's own
from tests.fixtures.ctcae import table
from trials.ctcae.words import norwegian_words
from trials.definition import CTCAE_VERSION

pytestmark = pytest.mark.django_db
DIARRHEA = {
    "soc": "Gastrointestinal disorders", "term": "Diarrhea", "grade1": "A few more <stools>", "grade2": "Many more",
    "grade5": "Death",
}  # fmt: skip
INVENTED = {"soc": "Invented disorders", "term": 'Itch & "more", invented', "grade1": "A little"}


@pytest.fixture
def loaded(tmp_path):
    file = tmp_path / "table.csv"
    file.write_bytes(table(DIARRHEA, INVENTED))
    call_command("load_ctcae", str(file))


@pytest.fixture
def url(subject):
    place = dict(
        study_oid="PALLSOFT", number=subject.number, event_oid="LOG", ordinal=1, form_oid="AE", repeat_key="new"
    )
    return lambda name="form": reverse(name, kwargs=place)


@pytest.fixture
def page(client, crc):
    client.force_login(crc)
    return client


def offered(html):
    (found,) = re.findall(r'<datalist id="terms">(.*?)</datalist>', html, re.S)
    return re.findall(r'<option value="([^"]*)">([^<]*)</option>', found)


def sentences(html):
    return re.findall(r"<dt>(\d)</dt><dd>(.*?)</dd>", html, re.S)


def test_the_terms_are_offered_with_norwegian_words_beside(page, url, loaded):
    html = page.get(url()).content.decode()
    assert offered(html) == [("Diarrhea", "diaré, løs avføring"), ("Itch &amp; &quot;more&quot;, invented", "")]
    assert re.search(r'<input[^>]*name="AE_TERM"[^>]* list="terms"', html)
    assert sentences(html) == []


def test_without_a_table_one_writes_in_words_of_ones_own(page, url):
    html = page.get(url()).content.decode()
    assert offered(html) == [] and sentences(html) == []


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("Diarrhea", [("1", "A few more &lt;stools&gt;"), ("2", "Many more"), ("5", "Death")]),
        (" diarrhea ", [("1", "A few more &lt;stools&gt;"), ("2", "Many more"), ("5", "Death")]),
        ("", []),
    ],
)
def test_what_is_chosen_brings_the_sentences_of_its_grades_at_once(page, url, loaded, typed, shown):
    html = page.post(url("form-preview"), {"AE_TERM": typed, "shown": "AE_TERM"}).content.decode()
    assert sentences(html) == shown
    assert 'id="grades" aria-live="polite" hx-swap-oob="true"' in html


@pytest.mark.parametrize(
    ("language", "first", "said"),
    [("nb", "Lette eller ingen plager", "for enhver hendelse"), ("en", "Slight or no", "of any event")],
)
def test_words_of_ones_own_bring_what_a_grade_means_of_any_event(page, url, loaded, language, first, said):
    page.cookies["language"] = language
    html = page.post(url("form-preview"), {"AE_TERM": "Diaré", "shown": "AE_TERM"}).content.decode()
    told = sentences(html)
    assert [grade for grade, _ in told] == ["1", "2", "3", "4", "5"] and told[0][1].startswith(first)
    assert said in html and '<dl lang="en">' not in html


def test_only_the_version_of_the_study_is_offered(page, url, tmp_path):
    file = tmp_path / "table.csv"
    file.write_bytes(table(DIARRHEA, code="meddra28_llt_code"))
    call_command("load_ctcae", str(file))
    assert offered(page.get(url()).content.decode()) == []


def test_no_other_form_offers_terms(page, url, loaded, subject):
    answer = page.get(url().replace("LOG-1/forms/AE/new", "SCREEN-1/forms/DM/1"))
    html = answer.content.decode()
    assert answer.status_code == 200 and "<datalist" not in html and 'id="grades"' not in html


def test_the_version_is_a_setting_of_the_study_and_no_word_is_given_twice(definition):  # noqa: F811
    assert definition.study.setting(CTCAE_VERSION) == "5.0"
    words = norwegian_words()
    assert all(text and text == text.strip() and text[0].islower() for text in words.values())
    assert len({term.lower() for term in words}) == len(words)
