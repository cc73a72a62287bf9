"""A real browser on the running product; any console message or failed request fails the test."""

import os
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright

from tests.browser.hands import WATCH
from tests.browser.product import running

SCREENSHOTS = Path(__file__).resolve().parents[2] / "docs" / "screenshots"
QUIET = [
    "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
expect.set_options(timeout=30_000)  # as long as every other wait of Playwright: a busy machine is no fault of the page
WIDE, PHONE = {"width": 1440, "height": 960}, {"width": 390, "height": 844}


def pytest_collection_modifyitems(items):
    for item in items:
        if "tests/browser/" in str(item.path):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.timeout(300))


@pytest.fixture(scope="session")
def product(tmp_path_factory):
    with running(tmp_path_factory.mktemp("product")) as running_product:
        yield running_product


@pytest.fixture(scope="session")
def browser():
    arguments = [*QUIET, "--no-sandbox"] if os.geteuid() == 0 else QUIET
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=os.environ["CHROMIUM"], args=arguments)
        yield chromium
        chromium.close()


@contextmanager
def _pages(browser, product):
    """`open_page(viewport=…, language=…, javascript=…)`: a page of its own; its complaints fail the test.

    `complains=False` for a page that is to be refused: the browser writes every 404 to its console.
    """
    contexts, complaints = [], []

    def open_page(viewport=WIDE, language="nb", javascript=True, theme="light", complains=True):
        context = browser.new_context(
            base_url=product.address, viewport=viewport, java_script_enabled=javascript, locale=f"{language}-NO",
            color_scheme=theme,
        )  # fmt: skip
        context.add_cookies([{"name": "language", "value": language, "url": product.address}])
        context.add_init_script(WATCH)
        page = context.new_page()
        if complains:
            page.on("console", lambda message: _note(message.text, page.url, complaints))
        page.on("pageerror", lambda error: complaints.append(f"{page.url} error: {error}"))
        page.on("request", lambda request: _note_foreign(request.url, product.address, complaints))
        contexts.append(context)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


def _note(text, url, complaints):
    """A refused form (409, 422) is shown again, and the browser logs its status as it should; htmx logs a look ahead
    that a newer one replaced (hx-sync). One that failed logs htmx:sendError too."""
    refused = text.endswith(("(Conflict)", "(Unprocessable Entity)", "(Unprocessable Content)"))
    replaced = text.startswith(("htmx:afterRequest", "htmx:sendAbort"))
    if not refused and not replaced:
        complaints.append(f"{url} console: {text}")


def _note_foreign(url, address, complaints):
    if not url.startswith((address, "data:", "blob:")):
        complaints.append(f"asked another host: {url}")


@pytest.fixture
def open_page(browser, product):
    with _pages(browser, product) as open_page:
        yield open_page


@pytest.fixture(scope="session")
def sign_in(product):
    """By user name and password the first time and after a sign-out; else with the cookies of the time before, and the
    password where the screen has locked meanwhile."""
    kept = {}

    def sign_in(page: Page, role: str, site: str = ""):
        account = product.account(role, site)
        page.context.add_cookies(kept.get(account["username"], []))
        page.goto("/")
        if urlsplit(page.url).path != "/":
            if page.locator("input[name=login]").count():
                page.locator("input[name=login]").fill(account["username"])
            page.locator("main input[name=password]").fill(account["password"])
            page.locator("main button[type=submit]").first.click()
            page.wait_for_url(product.address + "/")
            kept[account["username"]] = [one for one in page.context.cookies() if one["name"] != "language"]
        return account

    return sign_in


@pytest.fixture
def accessible():
    """No violation of WCAG 2.2 A and AA on the page as it stands."""

    def accessible(page: Page):
        seen = page.viewport_size
        height = page.evaluate("document.documentElement.scrollHeight")
        page.set_viewport_size({"width": seen["width"], "height": height})  # the save bar covers nothing
        options = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
        found = Axe().run(page, options=options)
        page.set_viewport_size(seen)
        assert found.violations_count == 0, f"{page.url}\n{found.generate_report()}"

    return accessible


@pytest.fixture
def picture():
    """Keep what the window shows for the manual, in 256 colours, when PALLSOFT_SCREENSHOTS is set."""

    def picture(page: Page, name: str):
        if os.environ.get("PALLSOFT_SCREENSHOTS"):
            SCREENSHOTS.mkdir(exist_ok=True)
            image = Image.open(BytesIO(page.screenshot(caret="initial")))
            image.convert("RGB").quantize(256).save(SCREENSHOTS / f"{name}.png", optimize=True)

    return picture
