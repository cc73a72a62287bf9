"""Pages on a phone: nothing wider than the screen, and the bar that saves is one row."""

import pytest

from tests.browser.conftest import PHONE
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


def test_the_choice_of_a_monitoring_visit_fits(phone):
    assert inside(phone("monitor", "subjects/BOD-001/verification/"), ".save-bar-choice .form-select")


def test_the_tabs_of_the_queries_wrap(phone):
    page = phone("monitor", "queries/")
    assert all(inside(page, f".boxes li:nth-child({n}) a") for n in (1, 2, 3))
