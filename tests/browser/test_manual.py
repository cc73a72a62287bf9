"""The pages of the manual: each fills its window without a sideways scroll. Their pictures go to docs/screenshots."""

import pytest

from tests.browser.conftest import PHONE, WIDE
from tests.browser.hands import STUDY

SUBJECT = f"{STUDY}subjects/{{number}}/"
PAGES = [
    ("sign-in-1440-nb", "/accounts/login/", "nb", WIDE, "light"),
    ("worklist-1440-nb", "/", "nb", WIDE, "light"),
    ("subjects-1440-en", f"{STUDY}subjects/", "en", WIDE, "light"),
    ("subject-1440-nb", SUBJECT, "nb", WIDE, "light"),
    ("subject-1440-en-dark", SUBJECT, "en", WIDE, "dark"),
    ("subject-390-nb", SUBJECT, "nb", PHONE, "light"),
    ("form-1440-nb", f"{SUBJECT}events/SCREEN-1/forms/CH/1/", "nb", WIDE, "light"),
    ("form-390-en", f"{SUBJECT}events/SCREEN-1/forms/CH/1/", "en", PHONE, "light"),
    ("nrs-390-nb", f"{SUBJECT}events/W24-1/forms/NRS/1/patient/", "nb", PHONE, "light"),
    ("screening-log-1440-nb", f"{STUDY}screening/", "nb", WIDE, "light"),
    ("consent-1440-nb", f"{STUDY}sites/BOD/enrol/", "nb", WIDE, "light"),
    ("recruitment-1440-nb", f"{STUDY}recruitment/", "nb", WIDE, "light"),
    ("recruitment-390-en-dark", f"{STUDY}recruitment/", "en", PHONE, "dark"),
    ("study-1440-nb", f"{STUDY}study/", "nb", WIDE, "light"),
]


@pytest.fixture
def number(open_page, sign_in):
    page = open_page()
    sign_in(page, "study_nurse", "BOD")
    page.goto(f"{STUDY}subjects/?status=randomized")
    return page.locator("tbody th a").first.inner_text()


@pytest.mark.parametrize(("name", "address", "language", "viewport", "theme"), PAGES, ids=[one[0] for one in PAGES])
def test_a_page_of_the_manual_fits_its_window(
    open_page, sign_in, picture, number, name, address, language, viewport, theme
):
    page = open_page(viewport=viewport, language=language, theme=theme)
    if "accounts" not in address:
        sign_in(
            page,
            "coordinator" if "recruitment" in address else "study_nurse",
            "" if "recruitment" in address else "BOD",
        )
    page.goto(address.format(number=number))
    assert page.locator("h1").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    picture(page, name)
