"""An adverse event by keyboard on a phone: NCI's terms to choose from, each grade by its own sentence."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE
from tests.browser.hands import STUDY
from tests.fixtures.ctcae import table

TERM = {"soc": "Invented disorders", "term": "Hiccups, invented", "grade1": "Now and then", "grade3": "All day"}


@pytest.fixture
def terms(product, tmp_path):
    """A small table; loaded once, as the same file changes nothing."""
    file = tmp_path / "table.csv"
    file.write_bytes(table(TERM))
    product.manage("load_ctcae", str(file))


def test_the_chosen_term_says_what_its_grades_mean_at_once(terms, open_page, sign_in, accessible):
    page = open_page(viewport=PHONE)
    sign_in(page, "study_nurse", "TRD")
    page.goto(f"{STUDY}subjects/")
    number = page.locator("tbody th a").last.inner_text()
    page.goto(f"{STUDY}subjects/{number}/events/LOG-1/forms/AE/new/")
    expect(page.locator("#terms option")).to_have_attribute("value", TERM["term"])
    page.locator("[name=AE_TERM]").focus()
    page.keyboard.type(TERM["term"])
    page.keyboard.press("Enter")  # moves on, and sends nothing
    expect(page.locator("#grades dd")).to_have_text(["Now and then", "All day"])
    assert page.evaluate("document.activeElement.name") == "AE_ON"
    accessible(page)
    page.locator("[name=AE_TERM]").fill("Hikke, med egne ord")
    page.locator("[name=AE_ON]").focus()
    expect(page.locator("#grades dd")).to_have_count(5)  # what a grade means of any event
