"""The core of a day: sign in, consent, one form saved, its history read. In English, and without JavaScript."""

import pytest
from playwright.sync_api import expect

from tests.browser import hands
from tests.browser.hands import STUDY


@pytest.mark.req("AUD-01", "DAT-01")
@pytest.mark.parametrize(("language", "javascript"), [("en", True), ("nb", False)])
def test_from_consent_to_the_history_of_a_form(open_page, sign_in, language, javascript):
    page = open_page(language=language, javascript=javascript)
    sign_in(page, "study_nurse", "TRO")
    page.goto(f"{STUDY}sites/TRO/enrol/")
    number = hands.record_consent(page, born="1951", sex="M")

    hands.fill_form(page, hands.form_address(number, "SCREEN-1", "EC"), {"EC_ECOG": "1"})
    page.goto(hands.form_address(number, "SCREEN-1", "EC"))
    assert {one.oid: one.answer for one in hands.questions(page)}["EC_ECOG"] == "1"
    page.locator(".page-acts a[href$='/trail/']").click()
    page.wait_for_url("**/trail/")
    expect(page.locator("tbody tr").first).to_contain_text({"en": "Study nurse", "nb": "Studiesykepleier"}[language])
    expect(page.locator("tbody")).to_contain_text({"en": "1 Up and about", "nb": "1 Oppegående"}[language])


@pytest.mark.req("DAT-06")
def test_a_refused_number_keeps_what_was_typed_and_nothing_is_saved(open_page, sign_in):
    page = open_page()
    sign_in(page, "study_nurse", "TRO")
    page.goto(f"{STUDY}sites/TRO/enrol/")
    number = hands.record_consent(page, born="1958", sex="F")
    page.goto(hands.form_address(number, "SCREEN-1", "CM"))
    hands.answer_everything(page, {"CM_OPI": "Y"})
    hands.press(page)
    hands.open_new_entry(page, number, "SCREEN-1", "OPI")
    hands.answer_everything(page, {"OPI_DOSE": "1.234"})
    with page.expect_navigation():
        page.locator(".save-bar button").first.click()
    expect(page.locator("#id_OPI_DOSE")).to_have_value("1.234")
    expect(page.locator("#err_OPI_DOSE")).to_be_visible()
    expect(page.locator("[data-error-summary]")).to_be_focused()
    page.locator("#id_OPI_DOSE").fill("12,5")
    hands.press(page)
    expect(page.locator("#id_OPI_DOSE")).to_have_value("12,5")


@pytest.mark.req("AUD-01")
def test_a_change_of_a_stored_answer_asks_why_and_the_wheel_changes_nothing(open_page, sign_in):
    page = open_page()
    sign_in(page, "study_nurse", "TRO")
    page.goto(f"{STUDY}sites/TRO/enrol/")
    number = hands.record_consent(page, born="1944", sex="M")
    address = hands.form_address(number, "SCREEN-1", "NRS")
    hands.fill_form(page, address)

    before = [one.answer for one in hands.questions(page)]
    for control in (page.locator("#id_NRS_PAIN"), page.locator("#id_NRS_ON")):
        control.focus()
        page.mouse.wheel(0, 400)
    assert [one.answer for one in hands.questions(page)] == before

    page.locator("#item-NRS_PAIN input[value='3']").check()
    hands.until_rules_have_spoken(page)
    with page.expect_navigation():
        page.locator(".save-bar button").first.click()
    panel = page.locator("[aria-labelledby=questions-title]")
    expect(panel.locator("tbody td")).to_have_text(["6", "3"])
    panel.locator("#id_reason").fill("Leste feil av papirskjemaet")
    with page.expect_navigation():
        panel.locator("button").click()
    page.goto(f"{address}trail/?item=NRS_PAIN")
    expect(page.locator("tbody tr").first).to_contain_text("Leste feil av papirskjemaet")
    expect(page.locator("tbody tr")).to_have_count(2)
