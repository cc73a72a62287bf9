"""Every page a person can reach: accessible, quiet, within the phone's width, in the person's language."""

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import PHONE, WIDE
from tests.browser.hands import STUDY
from tools.messages import entries
from tools.steps import ROOT

NOT_FOLLOWED = re.compile(r"\.(pdf|csv)$|/export/[^/]+/|/accounts/(logout|2fa|password)|#")
NUMBERED = re.compile(r"[A-Z]{3}-\d{3}|[0-9a-f-]{36}|\d+")
LINK = re.compile(r'<a [^>]*href="(/[^"?#]*)')
PEOPLE = [
    ("study_nurse", "BOD"), ("investigator", "BOD"), ("principal_investigator", "BOD"), ("coordinator", ""),
    ("data_manager", ""), ("monitor", "BOD"), ("unblinded_statistician", ""), ("dsmb_reader", ""),
    ("user_administrator", ""), ("inspector", ""),
]  # fmt: skip
TEXTS = """() => [...document.querySelectorAll("body *:not([lang])")].flatMap(e => [
  ...[...e.childNodes].filter(n => n.nodeType === 3).map(n => n.textContent),
  e.getAttribute("aria-label"), e.getAttribute("placeholder"), e.getAttribute("title"),
]).filter(Boolean).map(text => text.replace(/\\s+/g, " ").trim()).filter(Boolean)"""


@pytest.fixture(scope="module")
def english():
    """The English sentences that are no bokmål of anything ("By" is a town)."""
    po = entries((ROOT / "locale/nb/LC_MESSAGES/django.po").read_text(encoding="utf-8"))
    return {english.split("\0")[0] for english in po} - {one for bokmal in po.values() for one in bokmal.split("\0")}


def kind_of(address: str) -> str:
    """Two subjects, or two visits, have the same kind of page; each form is a kind of its own, its history is not."""
    path = re.sub(r"/events/[A-Z0-9]+-\d+/", "/events/V/", NUMBERED.sub("N", urlsplit(address).path))
    path = re.sub(r"/forms/\w+/\w+/items/\w+/", "/forms/F/N/items/I/", path)
    path = re.sub(r"/lock/\w+/", "/lock/F/", path)
    return re.sub(r"/forms/\w+/(\w+/(trail|void|patient|sign|mask|next|lock)/)", r"/forms/F/\1", path)


def links_on(page: Page) -> list[str]:
    found = page.locator("a[href^='/']").evaluate_all("links => links.map(link => link.pathname)")
    return [address for address in dict.fromkeys(found) if not NOT_FOLLOWED.search(address)]


def crawl(page: Page, start: str = "/"):
    """Each kind of page that links lead to, once; of the subjects only the first one that has a page."""
    waiting, seen = [start], set()
    while waiting:
        address = waiting.pop(0)
        if kind_of(address) in seen:
            continue
        seen.add(kind_of(address))
        assert page.goto(address).status == 200, address
        yield address
        waiting += links_on(page)


def problems(page: Page, accessible, english: set[str]) -> list[str]:
    accessible(page)
    width = page.viewport_size["width"]
    found = [] if page.evaluate("document.documentElement.scrollWidth") <= width else [f"wider than {width} px"]
    if page.evaluate("document.documentElement.lang") == "nb":
        found += [f"English: {text}" for text in page.evaluate(TEXTS) if text in english]
    return [f"{page.url}: {one}" for one in found]


@pytest.mark.parametrize("role", ["coordinator", "data_manager", "unblinded_statistician", "user_administrator"])
def test_the_pages_of_the_menu_are_in_order(open_page, sign_in, accessible, english, role):
    page = open_page(language="en")
    sign_in(page, role)
    found = problems(page, accessible, english)
    for address in page.locator(".sidebar .nav-list a").evaluate_all("links => links.map(link => link.pathname)")[1:]:
        assert page.goto(address).status == 200
        found += problems(page, accessible, english)
    assert sorted(set(found)) == []


def test_no_link_leads_who_may_not_see_arms_to_a_refusal(open_page, sign_in):
    page = open_page()
    sign_in(page, "data_manager")
    waiting, refused = {"/": ""}, []
    seen = set()
    while waiting:
        address, shown_on = waiting.popitem()
        seen.add(kind_of(address))
        answer = page.request.get(address)
        if answer.status != 200:
            refused.append(f"{answer.status} {address} on {shown_on}")
        found = [link for link in LINK.findall(answer.text()) if not NOT_FOLLOWED.search(link)]
        waiting |= {link: address for link in found if kind_of(link) not in seen}
    assert refused == [] and len(seen) > 50


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_the_main_pages_are_accessible_in_the_dark(open_page, sign_in, accessible, viewport):
    page = open_page(viewport=viewport, theme="dark")
    page.goto("/accounts/login/")
    accessible(page)
    sign_in(page, "study_nurse", "BOD")
    subject = first_subject(page)
    for address in ("", "eligibility/", "consent/", "randomize/", "events/SCREEN-1/", "events/SCREEN-1/forms/NRS/1/"):
        page.goto(f"{subject}{address}")
        accessible(page)
    for address in ("recruitment/", "flow/", "flow/rows/?box=missing", "follow-up/", "follow-up/rows/?state=overdue"):
        page.goto(f"{STUDY}{address}")
        accessible(page)


def first_subject(page: Page) -> str:
    page.goto(f"{STUDY}subjects/?status=randomized")
    return page.locator("tbody th a").first.get_attribute("href")


@pytest.mark.long
@pytest.mark.parametrize(("language", "viewport"), [("nb", PHONE), ("en", WIDE)], ids=["nb-phone", "en-wide"])
@pytest.mark.parametrize(("role", "site"), PEOPLE)
def test_every_page_of_every_role_is_in_order(open_page, sign_in, accessible, english, role, site, language, viewport):
    page = open_page(viewport=viewport, language=language)
    sign_in(page, role, site)
    found = [(address, problems(page, accessible, english)) for address in crawl(page)]
    assert [one for _address, those in found for one in those] == []
    assert len(found) > 5
