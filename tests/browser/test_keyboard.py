"""A whole follow-up visit without a mouse (S06): the keys are counted, so that it stays quick."""

import pytest
from playwright.sync_api import expect

from tests.browser import hands
from tests.browser.hands import STUDY

# Week 4 as the nurse enters it by telephone: status, five scores, analgesics, ECOG, what happened since. Toxicity is
# the physician's, questionnaires are the patient's: they are passed by. At 0.28 s a press, and 1.35 s of thought before
# each of some 35 answers (keystroke-level model), the bound is under a minute and a half.
MOST_PRESSES = 120
FOCUSED = """() => {
  const field = document.activeElement, item = field.closest(".crf-form .group .item[id]");
  return {
    kind: item?.className.match(/item-(\\w+)/)[1] ?? "",
    oid: item?.id.replace("item-", "") ?? "",
    optional: !!item?.querySelector(".item-optional"),
    answered: item?.querySelector("input[type=radio]:checked") !== null && !!item,
    type: field.type ?? "",
    save: field.matches(".save-bar button"),
  };
}"""
LETTERS = {"nrs": ["7"], "yesno": ["n"]}


@pytest.fixture
def week_4(product, open_page, sign_in):
    """The nurse's page of the first form of a week 4 at which nothing is entered; the visit before had an opioid."""
    for nurse in (account for account in product.accounts if account["role"] == "study_nurse"):
        page = open_page()
        sign_in(page, "study_nurse", nurse["site"])
        page.goto(f"{STUDY}subjects/?status=randomized")
        for subject in [link.get_attribute("href") for link in page.locator("tbody th a").all()]:
            page.goto(subject)
            waiting = page.locator(".matrix a:is(.chip-planned, .chip-overdue)[href*='/W4-1/forms/']")
            if {"ST", "NRS", "CM", "EC", "VIS"} <= {form_of(link.get_attribute("href")) for link in waiting.all()}:
                give_an_opioid(page, subject)
                for form in ("NRS", "ST"):
                    open_without_draft(page, f"{subject}events/W4-1/forms/{form}/1/#questions")
                return page
    raise AssertionError("No seeded subject waits for week 4.")


def form_of(address):
    return address.split("/forms/")[1].split("/")[0]


def open_without_draft(page, address):
    """Other tests have typed here too."""
    page.goto(address)
    if page.locator("#kept").count():
        page.locator("#kept button").first.click()
        page.goto(address)


def give_an_opioid(page, subject):
    """At screening, where the seed gave none."""
    page.goto(f"{subject}events/W4-1/forms/OPI/")
    if not page.locator("[data-key=u]").count():
        page.goto(f"{subject}events/SCREEN-1/forms/OPI/new/")
        hands.answer_everything(page, {"OPI_DRUG": "MORPHINE_PO"})
        hands.press(page)


class Keys:
    """The keyboard, counting."""

    def __init__(self, page):
        self.page, self.presses = page, 0

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)
            self.presses += 1
        assert self.presses <= 2 * MOST_PRESSES, "the keyboard goes in a circle"

    def and_go(self, key, form):
        """A key that leads to the page of another form."""
        with self.page.expect_navigation():
            self.press(key)
        assert f"/forms/{form}/" in self.page.url, self.page.locator("main").inner_text()

    def fill_in(self, given=None):
        """Answer what is required, in the order in which the keys lead there."""
        while not (focused := self.page.evaluate(FOCUSED))["save"]:
            self.press(*self._answer(focused, given or {}))
            self.page.evaluate("window.rulesHaveSpoken()")

    def _answer(self, focused, given):
        if not focused["kind"]:
            return ["Tab"]
        if focused["oid"] in given:
            return [*given[focused["oid"]], "Enter"]
        if focused["optional"]:
            return ["Enter"]
        chosen = ["Space"] if focused["type"] == "radio" else ["ArrowDown"]
        usual = LETTERS | {"date": list(hands.today()), "text": list("Åse")}
        return [*usual.get(focused["kind"], chosen), "Enter"]


@pytest.mark.req("DAT-10")
def test_s06_a_whole_week_4_is_entered_by_keyboard_alone(week_4, picture):
    page, keys = week_4, Keys(week_4)
    keys.fill_in()
    keys.and_go("Control+Enter", "NRS")
    keys.fill_in({"NRS_MODE": ["t"]})
    keys.and_go("Control+Enter", "CM")
    keys.fill_in({"CM_OPI": ["j"]})
    keys.and_go("Control+Enter", "OPI")
    expect(page.locator("[data-key=u]")).to_be_visible()
    picture(page, "unchanged-1440-nb")
    keys.press("u")
    expect(page.locator("#messages .alert-success")).to_contain_text("uendret")
    keys.and_go("g", "EC")
    keys.fill_in({"EC_ECOG": ["2"]})
    keys.press("Control+Enter")
    while page.url.split("/forms/")[1].split("/")[0] != "VIS":
        here = page.url
        keys.press("g")
        page.wait_for_url(lambda url, here=here: url != here)
        page.wait_for_load_state()
    keys.fill_in()
    keys.press("Control+s")
    expect(page.locator("#messages .alert-success")).to_be_visible()
    print(f"{keys.presses} presses")
    assert keys.presses <= MOST_PRESSES


def test_the_card_of_keys_opens_by_its_key_and_tells_them(week_4, accessible, picture):
    page = week_4
    page.keyboard.press("?")
    card = page.locator(".keys-card")
    expect(card).to_be_visible()
    expect(card).to_contain_text("Ctrl+S")
    accessible(page)
    picture(page, "keys-1440-nb")
    page.keyboard.press("Escape")
    expect(card).to_be_hidden()
    page.keyboard.press("?")
    page.locator("[data-single-keys]").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(card).to_be_hidden()


def test_one_key_says_why_an_answer_is_missing(week_4):
    page = week_4
    keys = Keys(page)
    page.locator("[name=ST_ON]").focus()
    keys.press("F2")
    chosen = page.locator("[name=ST_ON-missing]")
    expect(chosen).to_be_visible()
    expect(chosen).to_have_value("UNK")
    keys.press("F2")
    expect(chosen).to_have_value("")
    page.locator("[name=ST_ON]").fill("01.09.2026")
    keys.press("F2")
    expect(chosen).to_have_value("")
    expect(chosen).to_be_focused()
    hands.until_rules_have_spoken(page)


def test_a_scale_takes_ten_by_two_keys_and_says_missing_by_one(week_4):
    page = week_4
    page.goto(page.url.replace("/ST/", "/NRS/"))
    scale = page.locator("[name=NRS_PAIN]")
    scale.first.focus()
    page.keyboard.press("1")
    page.keyboard.press("0")
    expect(page.locator("[name=NRS_PAIN][value='10']")).to_be_checked()
    page.keyboard.press("F2")
    expect(page.locator("[name=NRS_PAIN][value^='missing:']").first).to_be_checked()
    hands.until_rules_have_spoken(page)
