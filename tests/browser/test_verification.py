"""A monitor verifies a form by keyboard: all of it at one tick, and only what is left stands there afterwards."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, WIDE
from tests.browser.hands import STUDY


def test_a_form_is_verified_at_one_tick_by_keyboard(open_page, sign_in):
    page = open_page()
    sign_in(page, "monitor", "BOD")
    page.goto(f"{STUDY}verification/?site=BOD")
    page.locator("tbody th a").first.click()
    block = page.locator("section.verify", has=page.locator("[data-tick-all]:visible")).first
    title = block.locator("h2").inner_text()
    boxes = block.locator(".verify-list input[type=checkbox]")
    number = boxes.count()
    assert number > 1
    block.locator("[data-tick-all] input").focus()
    page.keyboard.press("Space")
    assert all(box.is_checked() for box in boxes.all())
    expect(page.locator("[data-ticked]")).to_contain_text(str(number))
    boxes.first.focus()
    page.keyboard.press("Space")
    expect(page.locator("[data-ticked]")).to_contain_text(str(number - 1))
    page.keyboard.press("Control+s")
    expect(page.locator("#messages .alert-success")).to_contain_text(str(number - 1))
    left = page.locator("section.verify", has=page.locator("h2", has_text=title)).first
    expect(left.locator(".verify-list input[type=checkbox]")).to_have_count(1)


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_the_pages_of_verification_and_locking_are_accessible(open_page, sign_in, accessible, viewport):
    page = open_page(viewport)
    sign_in(page, "monitor", "BOD")
    page.goto(f"{STUDY}verification/?site=BOD")
    accessible(page)
    subject = page.locator("tbody th a").first.get_attribute("href")
    page.goto(f"{subject}?show=all")
    accessible(page)
    page = open_page(viewport)
    sign_in(page, "data_manager")
    page.goto(f"{STUDY}locking/sites/BOD/")
    accessible(page)
    page.goto(subject.replace("verification/", "lock/"))
    accessible(page)
