"""What a person's hands do with a page. They go by the page's own markup, not by what a study happens to ask."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from playwright.sync_api import Page

STUDY = "/s/PALLSOFT/"
HOME = ZoneInfo("Europe/Oslo")

# Counts the changes that ask the server for a preview, and how many of them are answered.
WATCH = """
window.asked = window.answered = 0;
let underway = 0;
addEventListener("change", (event) => { window.asked += event.target.closest("form[hx-post]") ? 1 : 0; }, true);
addEventListener("htmx:beforeRequest", () => { underway = window.asked; });
addEventListener("htmx:afterRequest", (event) => { if (event.detail.successful) window.answered = underway; });
window.rulesHaveSpoken = () => new Promise((resolve) => {
  const look = () => (window.answered === window.asked ? resolve() : setTimeout(look, 10));
  look();
});
"""

READ = """items => items.filter(item => item.checkVisibility() && !item.querySelector(".item-value")).map(item => {
  const radios = [...item.querySelectorAll(".item-body input[type=radio]")];
  const field = item.querySelector(".item-body :is(input[type=text], textarea, select:not([name$='-missing']))");
  const reason = item.querySelector("select[name$='-missing']");
  return {
    oid: item.id.replace("item-", ""),
    kind: item.className.match(/item-(\\w+)/)[1],
    required: !item.querySelector(".item-optional"),
    codes: radios.length ? radios.map(radio => radio.value).filter(value => value && !value.startsWith("missing:"))
      : field.tagName === "SELECT" ? [...field.options].map(option => option.value).filter(Boolean) : [],
    chosen: radios.length > 0,
    answer: radios.find(radio => radio.checked)?.value || reason?.value || field?.value || "",
  };
})"""


@dataclass(frozen=True)
class Question:
    """An item as it stands on the page. `chosen`: by radio buttons. `answer`: "" while there is none."""

    oid: str
    kind: str
    required: bool
    codes: list[str]
    chosen: bool
    answer: str


def today() -> str:
    return f"{datetime.now(HOME):%d.%m.%Y}"


def questions(page: Page) -> list[Question]:
    return [Question(**found) for found in page.locator(".crf-form .group .item[id^=item-]").evaluate_all(READ)]


def answer(page: Page, question: Question, text: str) -> None:
    item = page.locator(f"#item-{question.oid}")
    if question.chosen:
        item.locator(f"input[value='{text}']").check()
    elif question.codes:
        item.locator("select").first.select_option(text)
    else:
        item.locator("input[type=text], textarea").first.fill(text)


def usual_answer(question: Question) -> str:
    """The dullest answer that fits: no, the first of the list, six of ten, today."""
    if question.kind == "yesno":
        return "N"
    if question.codes:
        return "6" if question.kind == "nrs" else question.codes[0]
    plain = {"integer": "1", "decimal": "1", "time": "08:30", "text": "Åse Bærøy", "datetime": f"{today()} 08:30"}
    return plain.get(question.kind, today())


def answer_everything(page: Page, given: Mapping[str, str] | None = None) -> int:
    """Every required question, also those that an answer brings forth. Returns how many were answered."""
    given, answered = given or {}, 0
    while waiting := [one for one in questions(page) if not one.answer and (one.required or one.oid in given)]:
        for question in waiting:
            if page.locator(f"#item-{question.oid}").is_visible():  # an answer may also have taken it away
                answer(page, question, given.get(question.oid) or usual_answer(question))
                until_rules_have_spoken(page)
                answered += 1
    return answered


def until_rules_have_spoken(page: Page) -> None:
    """A field tells of its change when it is left; without JavaScript the rules speak when the form is sent."""
    page.evaluate("document.activeElement.blur()")
    page.evaluate("window.rulesHaveSpoken?.()")


def press(page: Page, button: str = ".save-bar button[type=submit] >> nth=0") -> None:
    """Press and give every explanation that is asked for, until the form is saved."""
    with page.expect_navigation():
        page.locator(button).click()
    while page.locator("#questions-title").count():
        for field in page.locator("[aria-labelledby=questions-title] input.form-control").all():
            field.fill("Slik står det i journalen")
        with page.expect_navigation():
            page.locator("[aria-labelledby=questions-title] button[type=submit]").click()
    assert page.locator("[data-error-summary]").count() == 0, page.locator("[data-error-summary]").inner_text()


def fill_form(page: Page, address: str, given: Mapping[str, str] | None = None) -> None:
    """Open a form, answer it, save it. The page says so when it is saved."""
    page.goto(address)
    answer_everything(page, given)
    press(page)
    assert page.locator("#messages .alert-success").count() == 1


def open_new_entry(page: Page, number: str, visit: str, form: str) -> None:
    """One more entry of a repeating form, by the button over its list."""
    page.goto(f"{STUDY}subjects/{number}/events/{visit}/forms/{form}/")
    page.locator(".page-header a.btn-primary").click()
    page.locator(".crf-form").wait_for()


def hand_to_the_patient(page: Page, given: Mapping[str, str] | None = None) -> None:
    """The patient answers alone on the tablet and gives it back; then the page is the staff's again."""
    page.locator(".page-acts a[href$='/patient/']").click()
    page.wait_for_url("**/patient/")
    assert page.locator("nav, aside").count() == 0
    assert answer_everything(page, given) > 0
    press(page, ".crf-form .form-actions button[type=submit]")
    page.locator(".plain-card .form-actions a").click()
    page.wait_for_url(lambda url: not url.endswith(("/patient/", "/thanks/")))


def record_consent(page: Page, born: str, sex: str) -> str:
    """From the open consent page to the number that the system gives."""
    page.locator("[name=birth_year]").fill(born)
    page.locator(f"[name=sex][value={sex}]").check()
    page.locator("[name=signed_on]").fill(today())
    page.locator("[name=signed_clock]").fill(f"{datetime.now(HOME):%H:%M}")
    page.locator("main [name=language]").first.check()
    page.locator("[name=informed_by]").select_option(index=1)
    for yes in page.locator("main input[type=radio][value=Y]:visible").all():
        yes.check()
    page.locator("main form.card button[type=submit]").click()
    if page.locator("[name=another_person]:visible").count():
        page.locator("[name=another_person]").check()
        page.locator("main form.card button[type=submit]").click()
    page.wait_for_url("**/consent/")
    return page.url.split("/")[-3]


def form_address(number: str, visit: str, form: str, repeat: str = "1") -> str:
    return f"{STUDY}subjects/{number}/events/{visit}/forms/{form}/{repeat}/"


def sign_out(page: Page) -> None:
    page.locator(".sidebar .user-menu summary").click()
    page.locator(".sidebar form[action$='/logout/'] button").click()
    page.wait_for_url("**/accounts/**")
