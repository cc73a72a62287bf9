"""Pages on a phone: nothing wider than the screen, and the bar that saves is one row."""

import pytest
from playwright.sync_api import expect

from tests.browser import hands
from tests.browser.conftest import PHONE, WIDE
from tests.browser.hands import STUDY


@pytest.fixture
def phone(open_page, sign_in):
    """phone(role, address): that page, as that person of Bodø sees it."""

    def opened(role, address, site="BOD"):
        page = open_page(viewport=PHONE)
        sign_in(page, role, site)
        page.goto(f"{STUDY}{address}")
        return page

    return opened


def inside(page, selector):
    box = page.locator(selector).first.bounding_box()
    return box["x"] >= 0 and box["x"] + box["width"] <= PHONE["width"]


def test_the_buttons_that_save_stand_in_one_row(phone):
    page = phone("study_nurse", "subjects/BOD-001/events/SCREEN-1/forms/EC/1/")
    boxes = [one.bounding_box() for one in page.locator(".save-bar > .btn").all()]
    assert len(boxes) == 3 and len({box["y"] for box in boxes}) == 1
    assert page.locator(".save-bar").bounding_box()["height"] < 80
    assert page.get_by_role("link", name="Gå videre uten å lagre").count() == 1


@pytest.mark.parametrize("viewport", [PHONE, WIDE], ids=["phone", "wide"])
def test_after_save_and_go_on_one_sees_that_it_is_saved_and_where_one_is(open_page, sign_in, viewport):
    page = open_page(viewport=viewport)
    sign_in(page, "study_nurse", "TRD")
    page.goto(f"{STUDY}sites/TRD/enrol/")
    number = hands.record_consent(page, born="1944", sex="M")
    page.goto(hands.form_address(number, "SCREEN-1", "NRS"))
    hands.answer_everything(page)
    hands.press(page, ".save-bar button[value=next]")
    expect(page.locator("#messages .alert-success")).to_be_in_viewport(ratio=1)
    expect(page.locator("h1")).to_be_in_viewport(ratio=1)
    expect(page.locator(".item-head").first).to_be_in_viewport()


def test_the_choice_of_a_monitoring_visit_fits(phone):
    assert inside(phone("monitor", "subjects/BOD-001/verification/"), ".save-bar-choice .form-select")


def test_the_tabs_of_the_queries_wrap(phone):
    page = phone("monitor", "queries/")
    assert all(inside(page, f".boxes li:nth-child({n}) a") for n in (1, 2, 3))
