"""A participant answers on a phone: without JavaScript, on a bad network, in both languages (S07, F-13)."""

import json

import pytest
from playwright.sync_api import Error, expect

from tests.browser.conftest import PHONE

ISSUE = """
import json
from datetime import timedelta
from crf.epro.links import issue_link
from crf.models import LinkChannel, StudyEvent
from pallsoft.audit.context import change_set
from sites.clock import local_today
event = StudyEvent.objects.select_related("subject__site", "subject__study").filter(
    event_oid__in=["W2", "W8"], happened_on=None, not_done_reason="", links=None, subject__status="randomized"
).latest("event_oid", "subject__number")
today = local_today(event.subject.site.timezone)
event.window_from, event.window_to = today, today + timedelta(days=5)
with change_set(study=event.subject.study, by=None, action="test.plan", reason="plan"):
    event.save(update_fields=["window_from", "window_to"])
print(json.dumps([issue_link(event=event, channel=LinkChannel.SMS, by=None).url, str(event.subject.birth_year)]))
"""


@pytest.fixture
def link(product):
    """(address, year of birth) of somebody who has not been asked yet."""
    return json.loads(product.manage("shell", "-v", "0", "-c", ISSUE).splitlines()[-1])


def begin(page, link):
    address, year = link
    page.goto(address)
    page.locator("input[name=year]").fill(year)
    page.locator("main button[type=submit]").first.click()
    page.locator("button[value=alone]").click()


def choose(page, score):
    page.locator(f"input[type=radio][value='{score}']").first.check(force=True)


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no script"])
def test_all_questions_are_answered_with_few_touches(open_page, link, accessible, picture, javascript):
    page = open_page(viewport=PHONE, javascript=javascript)
    begin(page, link)
    number = int(page.locator("#progress").inner_text().split()[-1])
    for n in range(1, number + 1):
        expect(page.locator("#progress")).to_have_text(f"Spørsmål {n} av {number}")
        boxes = page.locator(".nrs-box").all()
        assert all(box.bounding_box()["height"] >= 44 for box in boxes)
        choose(page, n % 8)
        page.get_by_role("button", name="Neste").click()
    if javascript:
        accessible(page)
        picture(page, "by-link-hand-in-390-nb")
    page.get_by_role("button", name="Lever svarene").click()
    expect(page.locator("h1")).to_have_text("Takk")


def test_a_cut_network_loses_nothing_that_was_answered(open_page, link, accessible, picture):
    page = open_page(viewport=PHONE, complains=False)
    begin(page, link)
    accessible(page)
    picture(page, "by-link-question-390-nb")
    choose(page, 6)
    page.get_by_role("button", name="Neste").click()
    expect(page.locator("#progress")).to_contain_text("Spørsmål 2")
    choose(page, 3)
    page.context.set_offline(True)
    with pytest.raises(Error):
        page.get_by_role("button", name="Neste").click()
        page.goto(link[0])
    page.context.set_offline(False)
    page.goto(link[0])
    expect(page.locator("h1")).to_have_text("Fortsett der du slapp")
    page.locator("button[value=alone]").click()
    expect(page.locator("#progress")).to_contain_text("Spørsmål 2")
    page.get_by_role("link", name="Tilbake").click()
    assert page.locator("input[type=radio][value='6']").first.is_checked()


def test_no_strength_left_is_one_touch(open_page, link, accessible):
    page = open_page(viewport=PHONE)
    begin(page, link)
    page.get_by_role("button", name="Jeg orker ikke mer").click()
    accessible(page)
    page.get_by_role("button", name="Bare i dag").click()
    expect(page.locator("h1")).to_have_text("Takk")


def test_every_page_of_the_link_is_accessible_in_english_too(open_page, link, accessible, product):
    page = open_page(viewport=PHONE, language="en")
    page.goto(link[0])
    accessible(page)
    page.locator("input[name=year]").fill("1800")
    page.locator("main button[type=submit]").first.click()
    expect(page.locator("[role=alert]")).to_contain_text("not the year")
    accessible(page)
    page.goto(product.address + "/q/" + "a" * 22 + "/")
    accessible(page)
