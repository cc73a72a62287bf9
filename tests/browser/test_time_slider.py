"""The time slider, with the hand, with the keyboard and without JavaScript; the history beside the field."""

import pytest
from playwright.sync_api import expect

from tests.browser.hands import STUDY


@pytest.fixture
def saved_form(open_page, sign_in):
    """saved_form(javascript): a page at a complete form of a seeded subject in Bodø."""

    def go(javascript=True):
        page = open_page(javascript=javascript)
        sign_in(page, "study_nurse", "BOD")
        page.goto(f"{STUDY}subjects/?status=randomized")
        page.goto(page.locator("tbody th a").first.get_attribute("href"))
        page.goto(page.locator(".matrix a:is(.chip-complete, .chip-signed)").first.get_attribute("href"))
        return page

    return go


def test_the_handle_says_its_moment_and_shows_it_by_keyboard(saved_form, accessible):
    page = saved_form()
    subject = page.locator(".strip-title a").get_attribute("href")
    page.goto(f"{subject}?as_of=last")
    accessible(page)
    last = page.locator("#time-slider-title").inner_text()
    handle = page.locator("#id_step")
    handle.focus()
    page.keyboard.press("Home")
    first = page.locator("#time-slider-shown").inner_text()
    assert handle.get_attribute("aria-valuetext") == first
    page.keyboard.press("Enter")
    expect(page.locator("#time-slider-title")).to_contain_text(first)
    expect(page.locator("a[rel=prev].btn")).to_have_count(0)
    page.locator("#time-slider-title ~ .card-body a[rel=next]").click()
    expect(page.locator("#id_step")).to_have_value("2")
    page.get_by_role("link", name="Tilbake til nå").click()
    expect(page.locator(".time-slider")).to_have_count(0)
    assert last


def test_without_javascript_the_slider_and_the_written_moment_work(saved_form):
    page = saved_form(javascript=False)
    page.locator(".more > summary").click()
    page.get_by_role("link", name="Slik det var").click()
    page.get_by_label("Eller skriv et tidspunkt").fill("01.01.2099 14:32")
    page.get_by_role("button", name="Vis", exact=True).click()
    expect(page.locator("#time-slider-title")).to_contain_text("Slik det var")
    page.get_by_role("button", name="Vis dette tidspunktet").click()
    assert "step=" in page.url
    expect(page.locator(".crf-form .item-value").first).to_be_visible()
    expect(page.locator(".save-bar")).to_have_count(0)


def test_the_history_opens_beside_the_field_and_closes_by_escape(saved_form, accessible):
    page = saved_form()
    clock = page.locator(".item-trail").first
    clock.click()
    panel = page.locator("#side-panel")
    expect(panel.locator("[data-panel-title]")).to_be_focused()
    expect(panel.locator(".history li").first).to_be_visible()
    accessible(page)
    page.keyboard.press("Escape")
    expect(panel).to_be_empty()
    expect(clock).to_be_focused()
