"""S02 and S12: two clicks, and two people in one form. Nothing is drawn twice, nothing is lost."""

import pytest
from playwright.sync_api import expect

from tests.browser import hands
from tests.browser.hands import STUDY

SUBMIT = "main form.card button[type=submit]"


@pytest.fixture
def ready(open_page, sign_in):
    """The seeded subject in Bodø that waits for nothing but the button; the nurse's page of it."""
    page = open_page()
    sign_in(page, "study_nurse", "BOD")
    page.goto(f"{STUDY}subjects/?status=screening")
    for address in [link.get_attribute("href") for link in page.locator("tbody th a").all()]:
        page.goto(f"{address}randomize/")
        if page.locator("[name=typed_number]").count():
            return page
    raise AssertionError("No seeded subject is ready to be randomised.")


@pytest.mark.req("RND-04")
def test_s02_two_clicks_and_a_colleague_get_the_same_arm(ready, open_page, sign_in):
    colleague = open_page()
    sign_in(colleague, "investigator", "BOD")
    colleague.goto(ready.url)
    number = ready.url.split("/")[-3]
    for page in (ready, colleague):
        page.locator("[name=typed_number]").fill(number)
    ready.locator(SUBMIT).dblclick()
    expect(ready.locator("#record-line")).to_be_visible()
    told = ready.locator("#record-line").input_value()

    colleague.locator(SUBMIT).click()
    expect(colleague.locator("#record-line")).to_have_value(told)
    ready.go_back()
    ready.reload()
    expect(ready.locator("#record-line")).to_have_value(told)


@pytest.mark.req("DAT-02")
def test_s12_two_people_in_one_form_see_both_versions(open_page, sign_in, picture):
    first, second = open_page(), open_page()
    sign_in(first, "study_nurse", "TRD")
    sign_in(second, "investigator", "TRD")
    first.goto(f"{STUDY}sites/TRD/enrol/")
    number = hands.record_consent(first, born="1940", sex="M")
    address = hands.form_address(number, "SCREEN-1", "EC")
    hands.fill_form(first, address, {"EC_ECOG": "0"})

    second.goto(address)
    hands.answer(first, question(first, "EC_ECOG"), "2")
    hands.press(first)
    hands.answer(second, question(second, "EC_ECOG"), "3")
    hands.answer(second, question(second, "EC_CATH"), "Y")
    with second.expect_navigation():
        second.locator(".save-bar button").first.click()
    panel = second.locator("[aria-labelledby=conflict-title]")
    expect(panel.locator("mark")).to_contain_text(["2 Selvhjulpen", "3 I seng"])
    expect(panel.locator("fieldset")).to_have_count(1)  # the catheter is merged without a question
    picture(second, "conflict-1440-nb")
    panel.locator("input[value=mine]").check()
    panel.locator("#id_reason").fill("Vurdert på nytt ved visitten")
    hands.press(second, "[aria-labelledby=conflict-title] button")

    assert {"EC_ECOG": "3", "EC_CATH": "Y", "EC_STOMA": "N"}.items() <= answers(second).items()
    second.goto(f"{address}trail/?item=EC_ECOG")
    expect(second.locator("tbody tr")).to_have_count(3)
    expect(second.locator("tbody tr").first).to_contain_text("Vurdert på nytt")
    picture(second, "history-1440-nb")


def question(page, oid):
    return next(one for one in hands.questions(page) if one.oid == oid)


def answers(page):
    return {one.oid: one.answer for one in hands.questions(page)}
