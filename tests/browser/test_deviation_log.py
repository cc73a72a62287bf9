"""The log of deviations by mouse and by keyboard on a phone: nothing lies over what has to be pressed."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE
from tests.browser.hands import STUDY

FOUND = """
from crf.models import Deviation, FormData
from pallsoft.audit.context import change_set
row = FormData.objects.filter(subject__site__code="TRD", form_oid="NRS", removed_in=None).first()
with change_set(study=row.study, by=None, action="test"):
    Deviation.objects.create(
        study=row.study, subject_id=row.subject_id, event_id=row.event_id, form_data=row, check_oid="NRS_C2",
        check_version=1, message={"nb": "Svarte for sent", "en": "Answered too late"}, explanation="var på reise",
    )
"""


@pytest.fixture
def proposed(product):
    """One at Trondheim."""
    product.manage("shell", "--no-imports", "-c", FOUND)


def test_the_principal_investigator_judges_on_a_phone(proposed, open_page, sign_in, accessible):
    page = open_page(viewport=PHONE)
    sign_in(page, "principal_investigator", "TRD")
    page.goto(f"{STUDY}deviations/?status=proposed")
    waiting = page.locator(".deviations > li").count()
    line = page.locator(".deviations > li", has_text="Svarte for sent")
    line.locator("summary").click()
    accessible(page)
    line.get_by_role("button", name="Det er ikke et avvik").click()
    expect(line.get_by_role("alert")).to_contain_text("hvorfor")
    line.locator("[name=reason]").fill("målt på nytt, ingen avvik")
    line.get_by_role("button", name="Det er ikke et avvik").press("Enter")
    expect(page.locator(".deviations > li")).to_have_count(waiting - 1)
