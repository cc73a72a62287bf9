"""Queries in the browser: the panel beside a form touches nothing of it; the list and its panel; keyboard and phone."""

import pytest
from playwright.sync_api import expect

from tests.browser import hands
from tests.browser.conftest import PHONE, WIDE
from tests.browser.hands import STUDY

PANEL = "#side-panel"
QUESTION = "Står det ECOG 2 eller 3 i journalen? Æ kan ikkje lese det <b>her</b>."


@pytest.fixture
def form(open_page, sign_in):
    """A form of a patient in Trondheim that the nurse has saved; (page, address, number)."""
    page = open_page()
    sign_in(page, "study_nurse", "TRD")
    page.goto(f"{STUDY}sites/TRD/enrol/")
    number = hands.record_consent(page, born="1941", sex="M")
    address = hands.form_address(number, "SCREEN-1", "EC")
    hands.fill_form(page, address, {"EC_ECOG": "2"})
    page.goto(address)
    return page, address, number


def ask(page, address, item, text):
    page.goto(address)
    page.locator(f"#item-{item} .item-ask").click()
    page.locator(f"{PANEL} textarea").fill(text)
    page.locator(f"{PANEL} .thread-form button[type=submit]").click()
    expect(page.locator(f"{PANEL} .thread")).to_have_count(1)


@pytest.mark.req("DAT-12")
def test_pc028_a_thread_beside_the_form_is_answered_and_nothing_typed_in_the_form_is_lost(
    form, open_page, sign_in, accessible, picture
):
    nurse, address, _number = form
    monitor = open_page()
    sign_in(monitor, "monitor", "TRD")
    ask(monitor, address, "EC_ECOG", QUESTION)
    expect(monitor.locator("#item-EC_ECOG .chip-query")).to_be_visible()
    expect(monitor.locator(f"{PANEL} .thread-text")).to_have_text(QUESTION)
    accessible(monitor)
    picture(monitor, "query-beside-form-1440-nb")

    nurse.reload()
    nurse.locator("#item-EC_CATH input[value=Y]").check()
    hands.until_rules_have_spoken(nurse)
    nurse.locator("#item-EC_ECOG .chip-query").focus()
    nurse.keyboard.press("Enter")
    expect(nurse.locator(f"{PANEL} [data-panel-title]")).to_be_focused()
    written = nurse.locator(f"{PANEL} textarea").first
    written.fill("Det står 2, side 4 i journalen.")
    nurse.keyboard.press("Escape")
    expect(written).to_have_value("Det står 2, side 4 i journalen.")
    nurse.locator(f"{PANEL} button[value=answer]").click()
    expect(nurse.locator("#item-EC_ECOG .chip-answered")).to_be_visible()
    nurse.locator(f"{PANEL} [data-panel-title]").press("Escape")
    expect(nurse.locator(PANEL)).to_be_empty()
    expect(nurse.locator("#item-EC_CATH input[value=Y]")).to_be_checked()


@pytest.mark.parametrize(("viewport", "name"), [(WIDE, "1440"), (PHONE, "390")])
def test_the_list_of_queries_and_its_panel(form, open_page, sign_in, accessible, picture, viewport, name):
    _nurse, address, number = form
    monitor = open_page(viewport=viewport)
    sign_in(monitor, "monitor", "TRD")
    ask(monitor, address, "EC_CATH", QUESTION)
    monitor.goto(f"{STUDY}queries/?box=waiting")
    accessible(monitor)
    picture(monitor, f"queries-{name}-nb")
    row = monitor.locator(".query-row", has_text=number)
    row.locator(".query-item").click()
    expect(row).to_have_attribute("data-panel-open", "")
    picture(monitor, f"queries-thread-{name}-nb")
    before = monitor.locator(".query-row").count()
    settled = monitor.locator(".boxes a[href*='box=closed'] .tab-count")
    closed_before = int(settled.inner_text())
    monitor.locator(f"{PANEL} textarea").first.fill("Funnet i kilden")
    monitor.locator(f"{PANEL} button[value=close]").click()
    expect(monitor.locator(".query-row")).to_have_count(before - 1)
    expect(settled).to_have_text(str(closed_before + 1))
    assert monitor.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_without_javascript_the_thread_is_a_page(form, open_page, sign_in):
    _nurse, address, number = form
    page = open_page(javascript=False)
    sign_in(page, "monitor", "TRD")
    page.goto(address)
    page.locator("#item-EC_STOMA .item-ask").click()
    page.locator("textarea[name=text]").fill(QUESTION)
    page.locator(".thread-form button[type=submit]").click()
    expect(page.locator(".thread-text")).to_have_text(QUESTION)
    page.goto(f"{STUDY}queries/?box=waiting")
    page.locator(".query-row", has_text=number).locator(".query-item").click()
    page.locator(".thread textarea").fill("Likevel ikke")
    page.locator("button[value=cancel]").click()
    expect(page.locator(".thread-cancel .thread-text")).to_have_text("Likevel ikke")
