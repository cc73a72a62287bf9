"""S01: from the screening log to the first follow-up form, by the hands of those who do it, in bokmål."""

import re
import zipfile

import pytest
from playwright.sync_api import Page, expect

from tests.browser import hands
from tests.browser.hands import STUDY

SCREENING = {
    "CH_GROUP": "GI", "CH_SITE": "C20", "TS_TARGET": "PAIN", "EC_ECOG": "2", "DM_VAG": "Y", "DM_MENO": "Y",
    "ELIG_I1": "Y", "ELIG_I5": "Y", "ELIG_I9": "Y", "ELIG_I11": "Y", "ELIG_I12": "Y", "EQ_VAS": "60",
}  # fmt: skip
DOSES = {"1 × 8 Gy": ("1", "8"), "5 × 5 Gy": ("5", "5")}  # fractions, Gy
SUBMIT = "main form.card button[type=submit]"


@pytest.mark.pdf
@pytest.mark.req("RND-01", "RND-03", "CNS-01", "ELG-01", "EXP-01", "AUD-01")
def test_s01_an_ordinary_inclusion_in_bodo(open_page, sign_in, picture):
    nurse, physician, coordinator = open_page(), open_page(), open_page()
    sign_in(nurse, "study_nurse", "BOD")
    sign_in(coordinator, "coordinator")
    before = included(coordinator)

    log_the_screening(nurse)
    number = hands.record_consent(nurse, born="1949", sex="F")
    assert re.fullmatch(r"BOD-\d{3}", number)
    fill_the_screening_forms(nurse, number)
    nurse.goto(f"{STUDY}subjects/{number}/randomize/")
    assert nurse.locator("[name=typed_number]").count() == 0  # closed until a physician has confirmed
    hands.sign_out(nurse)

    account = sign_in(physician, "investigator", "BOD")
    confirm_eligibility(physician, number, account["password"], picture)
    sign_in(nurse, "study_nurse", "BOD")
    arm = randomise(nurse, number, picture)
    receipt_is_a_pdf(nurse)

    assert included(coordinator) == before + 1
    another_sites_monitor_sees_nothing(open_page, sign_in, number)
    enter_radiotherapy_and_week_2(nurse, number, *DOSES[arm])
    history_of_one_value(nurse, number)
    data_manager_downloads_every_form(open_page, sign_in, number, picture)


def included(page: Page) -> int:
    page.goto(f"{STUDY}recruitment/")
    return int(page.locator(".stats dd").first.inner_text())


def log_the_screening(page: Page) -> None:
    page.goto(f"{STUDY}screening/new/")
    page.locator("[name=screened_in]").fill(hands.today()[3:])
    page.locator("[name=age_band]").select_option("70-79")
    page.locator("[name=sex]").select_option("F")
    page.locator(SUBMIT).click()
    page.wait_for_url("**/screening/")
    page.locator("tbody a[href*='/enrol/']").first.click()


def fill_the_screening_forms(page: Page, number: str) -> None:
    """One after the other with "save and go on", as far as the laboratory values, which may stay empty."""
    page.goto(hands.form_address(number, "SCREEN-1", "DM"))
    forms, handed = [], 0
    while not page.url.endswith("/LB/1/"):
        forms.append(page.url)
        if page.locator(".page-acts a[href$='/patient/']").count():
            hands.hand_to_the_patient(page, SCREENING)
            handed += 1
        hands.answer_everything(page, SCREENING)
        hands.press(page, ".save-bar button[name=go]")
    assert handed >= 3
    assert len(forms) == len(set(forms)) >= 10


def confirm_eligibility(page: Page, number: str, password: str, picture) -> None:
    page.goto(f"{STUDY}subjects/{number}/eligibility/")
    computed = page.locator(".criteria li", has=page.locator("p.small")).locator(".criteria-number").all_inner_texts()
    assert computed[:4] == ["I4", "I6", "I7", "I10"]
    picture(page, "eligibility-1440-nb")
    page.locator("#id_password").fill(password)
    page.locator("button[name=act][value=confirm]").click()
    expect(page.locator("#messages .alert-success")).to_be_visible()


def randomise(page: Page, number: str, picture) -> str:
    page.goto(f"{STUDY}subjects/{number}/randomize/")
    picture(page, "randomize-1440-nb")
    page.locator("[name=typed_number]").fill("BOD-999")
    page.locator(SUBMIT).click()
    expect(page.locator("main .invalid-feedback")).to_be_visible()
    page.locator("[name=typed_number]").fill(number)
    page.locator(SUBMIT).click()
    expect(page.locator("#record-line")).to_have_value(re.compile(number))
    picture(page, "randomized-1440-nb")
    return next(arm for arm in DOSES if arm in page.locator("#record-line").input_value())


def receipt_is_a_pdf(page: Page) -> None:
    with page.expect_download() as download:
        page.locator("a[href$='receipt.pdf']").click()
    assert download.value.path().read_bytes().startswith(b"%PDF-")


def another_sites_monitor_sees_nothing(open_page, sign_in, number: str) -> None:
    monitor = open_page(complains=False)
    sign_in(monitor, "monitor", "OSL")
    assert monitor.goto(f"{STUDY}subjects/{number}/").status == 404


def enter_radiotherapy_and_week_2(page: Page, number: str, planned: str, dose: str) -> None:
    plan = {"RTS_START": "Y", "RTS_PLANN": planned, "RTS_PLAND": dose, "RTS_EARLY": "N"}
    hands.fill_form(page, hands.form_address(number, "RT-1", "RTS"), plan)
    fraction = {"RTF_NO": "1", "RTF_STATUS": "GIVEN", "RTF_DOSE": dose}
    hands.open_new_entry(page, number, "RT-1", "RTF")
    hands.answer_everything(page, fraction)
    hands.press(page)
    hands.fill_form(page, hands.form_address(number, "W2-1", "CM"))
    page.goto(f"{STUDY}subjects/{number}/")
    expect(page.locator(".matrix a.chip-complete[href*='/W2-1/']")).to_have_count(1)


def history_of_one_value(page: Page, number: str) -> None:
    page.goto(hands.form_address(number, "SCREEN-1", "EC"))
    page.locator("#item-EC_ECOG .item-trail").click()
    panel = page.locator("#side-panel")
    expect(panel).to_contain_text("2 Selvhjulpen")
    expect(panel).to_contain_text("Åse Nordgård")


def data_manager_downloads_every_form(open_page, sign_in, number: str, picture) -> None:
    """The worker makes it; the page shows the link without being asked again."""
    page = open_page()
    sign_in(page, "data_manager")
    page.goto(f"{STUDY}export/")
    page.locator(".page-header button").click()
    link = page.locator("#exports tbody tr").first.locator("a")
    link.wait_for(timeout=60_000)
    picture(page, "export-1440-nb")
    with page.expect_download() as download:
        link.click()
    with zipfile.ZipFile(download.value.path()) as archive:
        form = next(name for name in archive.namelist() if name.endswith("EC.csv"))
        assert number in archive.read(form).decode("utf-8-sig")
        assert any("manifest" in name for name in archive.namelist())
