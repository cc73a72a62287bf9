"""Nothing typed is lost: the tab dies, the net goes, the session ends, a second tab, back, the screen locks."""

import pytest
from playwright.sync_api import expect

from tests.browser import hands
from tests.browser.hands import STUDY

KEPT = ".autosave[data-state=kept]"
TYPED = "Åse Bærøy fra Kárášjohka, «ærlig talt»"


@pytest.fixture
def address(product, open_page, sign_in):
    """A form of the staff with a text, not begun, of a seeded subject in Trondheim."""
    page = open_page()
    sign_in(page, "study_nurse", "TRD")
    page.goto(f"{STUDY}subjects/")
    number = page.locator("tbody th a").first.inner_text()
    page.goto(f"{STUDY}subjects/{number}/events/LOG-1/forms/AE/")
    return page.locator(".page-header a.btn-primary").get_attribute("href")


@pytest.fixture
def nurse(open_page, sign_in, address):
    """nurse(): a window of the study nurse with the form open and no draft."""

    def opened(**more):
        page = open_page(**more)
        sign_in(page, "study_nurse", "TRD")
        page.goto(address)
        if page.locator("#kept").count():
            page.locator("#kept button").first.click()
        return page

    yield opened


def type_in(page, text=TYPED, name="AE_TERM"):
    page.locator(f"[name={name}]").fill(text)
    page.locator(f"[name={name}]").blur()


def is_back(page, text=TYPED, name="AE_TERM"):
    expect(page.locator("#kept")).to_be_visible()
    expect(page.locator(f"[name={name}]")).to_have_value(text)


@pytest.mark.req("DAT-10")
def test_f14_the_tab_is_killed_while_somebody_types(nurse, address, accessible, picture):
    page = nurse()
    expect(page.locator(".autosave")).to_contain_text("Det er ikke data før du lagrer")
    page.locator("[name=AE_TERM]").press_sequentially(TYPED)
    page.locator("label", has=page.locator("[name=AE_SER][value=N]")).click()
    expect(page.locator(KEPT)).to_contain_text("✓ Kladd lagret")
    accessible(page)
    context = page.context
    page.close()
    page = context.new_page()
    page.goto(address)
    is_back(page)
    expect(page.locator("[name=AE_SER][value=N]")).to_be_checked()
    accessible(page)
    picture(page, "draft-1440-nb")


@pytest.mark.req("DAT-10")
def test_f14_the_page_is_left_before_the_pause_is_over_and_opened_by_the_back_button(nurse):
    page = nurse()
    page.locator("[name=AE_TERM]").press_sequentially("Kvalme")
    page.goto(STUDY)
    page.goto(f"{STUDY}recruitment/")
    page.go_back()
    page.go_back()
    is_back(page, "Kvalme")


@pytest.mark.req("DAT-10")
def test_f13_the_net_is_away_and_comes_back(nurse, address):
    page = nurse(complains=False)
    page.context.set_offline(True)
    type_in(page)
    expect(page.locator(".autosave[data-state=failed]")).to_contain_text("Ikke lagret")
    page.keyboard.press("Control+s")
    expect(page.locator("[name=AE_TERM]")).to_have_value(TYPED)  # no error page of the browser
    page.context.set_offline(False)
    expect(page.locator(KEPT)).to_be_visible(timeout=20_000)
    page.reload()
    is_back(page)


@pytest.mark.req("DAT-10")
def test_f13_the_server_stops_and_starts_anew(nurse, product):
    page = nurse(complains=False)
    product.web.stop()
    try:
        type_in(page)
        expect(page.locator(".autosave[data-state=failed]")).to_contain_text("Ikke lagret")
    finally:
        product.web.start()
    expect(page.locator(KEPT)).to_be_visible(timeout=40_000)
    page.reload()
    is_back(page)


@pytest.mark.req("DAT-10")
def test_pc022_the_session_ends_and_the_person_signs_in_again_in_another_tab(nurse, product, sign_in):
    page = nurse(complains=False)
    page.context.clear_cookies(name="session")
    type_in(page)
    expect(page.locator(".autosave[data-state=away]")).to_contain_text("logget ut")
    with page.context.expect_page() as opened:
        page.locator("[data-autosave-sign-in]").click()
    account = product.account("study_nurse", "TRD")
    second = opened.value
    second.locator("input[name=login]").fill(account["username"])
    second.locator("input[name=password]").fill(account["password"])
    second.locator("main button[type=submit]").first.click()
    second.wait_for_url(product.address + "/")
    second.close()
    page.bring_to_front()
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    expect(page.locator(KEPT)).to_be_visible()
    page.locator("[name=AE_SER][value=N]").check()
    hands.press(page)
    assert page.locator("#messages .alert-success").count() == 1


@pytest.mark.req("DAT-10")
def test_two_tabs_lose_nothing(nurse, address):
    first = nurse()
    type_in(first, "Diaré")
    expect(first.locator(KEPT)).to_be_visible()
    second = first.context.new_page()
    second.goto(address)
    is_back(second, "Diaré")
    with second.expect_response("**/draft/"):
        second.locator("[name=AE_SER][value=N]").check()
    with first.expect_response("**/draft/"):
        type_in(first, "Diaré i tre dager")
    first.reload()
    is_back(first, "Diaré i tre dager")
    expect(first.locator("[name=AE_SER][value=N]")).to_be_checked()


@pytest.mark.req("ACC-10", "DAT-10")
def test_an_unattended_screen_locks_and_keeps_what_was_typed(nurse, product, accessible, picture):
    page = nurse(complains=False)
    page.clock.install()
    page.reload()
    type_in(page)
    expect(page.locator(KEPT)).to_be_visible()
    page.clock.fast_forward("16:00")
    lock = page.locator("#screen-lock")
    expect(lock).to_be_visible()
    expect(page.locator("[name=AE_TERM]")).to_be_hidden()
    accessible(page)
    page.keyboard.press("Escape")
    expect(lock).to_be_visible()
    picture(page, "locked-1440-nb")
    lock.locator("[name=password]").fill("feil")
    lock.locator("form").first.locator("button").click()
    expect(lock.locator("[role=alert]")).to_contain_text("Det er ikke passordet")
    lock.locator("[name=password]").fill(product.account("study_nurse", "TRD")["password"])
    page.keyboard.press("Enter")
    expect(lock).to_be_hidden()
    expect(page.locator("[name=AE_TERM]")).to_have_value(TYPED)


@pytest.mark.req("DAT-10", "ACC-11")
def test_nothing_of_a_patient_is_left_in_the_browser_after_signing_out(nurse):
    page = nurse()
    type_in(page)
    expect(page.locator(KEPT)).to_be_visible()
    hands.sign_out(page)
    stored = page.evaluate("""async () => JSON.stringify([
        {...localStorage}, {...sessionStorage}, document.cookie, await indexedDB.databases(), await caches?.keys(),
    ])""")
    assert "Åse" not in stored and "TRD-" not in stored
    page.go_back()
    expect(page.locator("input[name=password]")).to_be_visible()
