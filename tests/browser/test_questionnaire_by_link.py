"""A participant answers on a phone: without JavaScript, on a bad network, in both languages (S07, F-13)."""

import pytest
from playwright.sync_api import Error, expect

from tests.browser.conftest import PHONE
from tests.browser.hands import STUDY, record_consent

ISSUE = """
from datetime import timedelta
from crf.epro.links import issue_link
from crf.models import LinkChannel, StudyEvent
from pallsoft.audit.context import change_set
from sites.clock import local_today
from sites.models import Subject
subject = Subject.objects.select_related("site", "study").get(number="{number}")
today = local_today(subject.site.timezone)
week_2 = StudyEvent(
    study=subject.study, subject=subject, event_oid="W2", target_on=today, window_from=today, window_to=today
)
with change_set(study=subject.study, by=None, action="test.plan", reason="plan"):
    StudyEvent.objects.bulk_create([week_2])
print(issue_link(event=week_2, channel=LinkChannel.SMS, by=None).url)
"""


@pytest.fixture
def link(product, open_page, sign_in, born):
    """(address, year of birth) of somebody who is to be asked for the first time today."""
    page = open_page()
    sign_in(page, "study_nurse", "TRD")
    page.goto(f"{STUDY}sites/TRD/enrol/")
    number = record_consent(page, born=born, sex="M")
    told = product.manage("shell", "-v", "0", "-c", ISSUE.format(number=number))
    return told.splitlines()[-1], born


def begin(page, link):
    address, year = link
    page.goto(address)
    page.locator("input[name=year]").fill(year)
    page.locator("main button[type=submit]").first.click()
    page.locator("button[value=alone]").click()


def choose(page, score):
    page.locator(f"input[type=radio][value='{score}']").first.check(force=True)


@pytest.mark.parametrize(("javascript", "born"), [(True, "1921"), (False, "1922")], ids=["script", "no script"])
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


@pytest.mark.parametrize("born", ["1923"])
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


@pytest.mark.parametrize("born", ["1924"])
def test_no_strength_left_is_one_touch(open_page, link, accessible):
    page = open_page(viewport=PHONE)
    begin(page, link)
    page.get_by_role("button", name="Jeg orker ikke mer").click()
    accessible(page)
    page.get_by_role("button", name="Bare i dag").click()
    expect(page.locator("h1")).to_have_text("Takk")


@pytest.mark.parametrize("born", ["1925"])
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
