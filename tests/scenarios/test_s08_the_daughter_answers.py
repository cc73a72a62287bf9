"""S08: at week 12 the patient answers two questions, then her daughter answers for her; next time she is too tired."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from crf.epro.links import issue_link
from crf.exports.dataset import Scope, query
from crf.models import FormData, LinkChannel
from pallsoft.audit.models import ChangeSet
from sites.selectors import definition_at
from tests.fixtures.by_hand import enter
from tests.fixtures.leaving import plan, today  # noqa: F401 - fixtures must stand in the module to be found

pytestmark = [pytest.mark.django_db, pytest.mark.req("PRV-02")]
NOTICE = "ikke pasientens egne"


@pytest.fixture
def woman(subject, crc, plan):  # noqa: F811
    enter(subject, crc, "SCREEN", "TS", {"TS_TARGET": "BLEED"})
    plan(subject, W12=0)
    return subject


@pytest.fixture
def link(woman, crc):
    """The address on her card, opened with her year of birth."""
    event = woman.events.select_related("subject__site", "subject__study").get(event_oid="W12")
    address = re.sub(r"^https?://[^/]+", "", issue_link(event=event, channel=LinkChannel.CARD, by=crc).url)
    browser = Client(HTTP_ACCEPT_LANGUAGE="nb")
    browser.post(address, {"year": "1949"})
    return browser, address


def answers(link, who, value="1", until=""):
    """Say who answers, and answer from the first open question on, as far as a form, or to the end."""
    browser, address = link
    page = browser.post(address, {"who": who}, follow=True).content.decode()
    while (item := re.search(r'name="item" value="(\w+)"', page)) and not (until and item[1].startswith(until)):
        codes = re.findall(rf'type="radio" name="{item[1]}" value="([^":]+)"', page)
        n = re.search(r"Spørsmål (\d+) av", page)[1]
        given = {"item": item[1], item[1]: codes[-1] if codes else value}
        page = browser.post(f"{address}{n}/", given, follow=True).content.decode()


def answer_one(link, who, n, item, value="2"):
    browser, address = link
    browser.post(address, {"who": who})
    browser.post(f"{address}{n}/", {"item": item, item: value})


def who(woman):
    """{form: who answered}"""
    rows = FormData.objects.filter(subject=woman, event__event_oid="W12")
    return {row.form_oid: next(row.data[key] for key in row.data if key.endswith("_WHO")) for row in rows}


def page_of(client, woman, form):
    return client.get(reverse("form", args=[woman.study.oid, woman.number, "W12", 1, form, "1"])).content.decode()


def exported(woman, form):
    """The one row of a form as the export has it."""
    study = definition_at(woman.site)
    with connection.cursor() as cursor:
        cursor.execute(query(woman.study, study, study.form(form), Scope((woman.site.code,), with_arm=False)))
        names = [column.name for column in cursor.description]
        return dict(zip(names, cursor.fetchone(), strict=True))


def test_s08_what_the_daughter_answers_is_hers_on_the_page_and_in_the_export(woman, link, sign_in, crc):
    answers(link, "alone", until="QLC")
    answers(link, "proxy")
    told = who(woman)
    assert told.pop("NRS") == "ALONE" and set(told.values()) == {"PROXY"} and "QLC" in told
    nurse = sign_in(crc, "nb")
    assert NOTICE in page_of(nurse, woman, "QLC") and NOTICE not in page_of(nurse, woman, "NRS")
    row = exported(woman, "QLC")
    assert (row["QLC_WHO"], row["QLC_MODE"]) == ("PROXY", "LINK") and row["QLC_SUM"]


def test_s08_a_form_on_paper_that_the_staff_enters_for_a_proxy_says_the_same(woman, sign_in, crc):
    enter(woman, crc, "W12", "QLC", {"QLC_WHO": "PROXY", "QLC_MODE": "PAPER", "QLC_LANG": "NB", "QLC_01": "2"})
    assert NOTICE in page_of(sign_in(crc, "nb"), woman, "QLC")
    assert exported(woman, "QLC")["QLC_WHO"] == "PROXY"


def test_s08_who_takes_over_in_the_middle_makes_the_form_theirs_and_it_stays_so(woman, link):
    answer_one(link, "alone", 1, "NRS_BLEED")
    assert who(woman) == {"NRS": "ALONE"}
    answer_one(link, "proxy", 2, "NRS_PAIN")
    assert who(woman) == {"NRS": "PROXY"}
    assert "før levering" in ChangeSet.objects.filter(action="crf.answer_by_link").latest("at").reason
    answer_one(link, "alone", 3, "NRS_BOWEL")
    assert who(woman) == {"NRS": "PROXY"}


def test_s08_too_tired_to_go_on_leaves_it_the_patients_own(woman, link):
    browser, address = link
    answer_one(link, "alone", 1, "NRS_BLEED")
    browser.post(address, {"who": "proxy"})
    browser.post(f"{address}stop/")
    row = FormData.objects.get(subject=woman, form_oid="NRS", event__event_oid="W12")
    assert row.data["NRS_WHO"] == "ALONE" and row.missing_codes["NRS_PAIN"] == "ILL"
