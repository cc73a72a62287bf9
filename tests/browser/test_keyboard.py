"""A whole follow-up form without a mouse: digits answer the scales, Enter moves on, Ctrl+S saves."""

import pytest
from playwright.sync_api import expect

from tests.browser import hands
from tests.browser.hands import STUDY

FOCUSED = """() => {
  const field = document.activeElement, item = field.closest(".crf-form .group .item[id]");
  const kind = item?.className.match(/item-(\\w+)/)[1] ?? "";
  const optional = !!item?.querySelector(".item-optional");
  return {kind, optional, type: field.type ?? "", save: field.matches(".save-bar button")};
}"""


@pytest.fixture
def symptoms(product, open_page, sign_in):
    """The page of a symptom form that a seeded subject still owes at a visit after radiotherapy."""
    for nurse in (account for account in product.accounts if account["role"] == "study_nurse"):
        page = open_page()
        sign_in(page, "study_nurse", nurse["site"])
        page.goto(f"{STUDY}subjects/?status=randomized")
        for subject in [link.get_attribute("href") for link in page.locator("tbody th a").all()]:
            page.goto(subject)
            owed = page.locator(".matrix a:is(.chip-planned, .chip-overdue)[href$='/forms/NRS/1/']")
            if owed.count():
                page.goto(owed.first.get_attribute("href"))
                return page
    raise AssertionError("No seeded subject owes a symptom form.")


def test_the_symptoms_of_a_follow_up_visit_are_entered_by_keyboard_alone(symptoms):
    page = symptoms
    page.keyboard.press("Tab")
    expect(page.locator(".skip-link")).to_be_focused()
    page.keyboard.press("Enter")
    presses = 0
    while not (focused := page.evaluate(FOCUSED))["save"]:
        for key in keys_for(focused):
            page.keyboard.press(key)
            presses += 1
        page.evaluate("window.rulesHaveSpoken()")
        assert presses < 150, "the keyboard goes in a circle"
    page.keyboard.press("Control+s")
    expect(page.locator("#messages .alert-success")).to_be_visible()
    stored = hands.questions(page)
    assert {one.answer for one in stored if one.kind == "nrs"} == {"7"}
    assert all(one.answer for one in stored if one.required)


def keys_for(focused):
    """What answers the question that has the focus, and the key that goes on."""
    if not focused["kind"]:
        return ["Tab"]
    if focused["optional"]:
        return ["Enter"]
    answers = {"nrs": ["7"], "date": list(hands.today()), "text": list("Åse")}
    return [*answers.get(focused["kind"], ["Space"] if focused["type"] == "radio" else ["ArrowDown"]), "Enter"]
