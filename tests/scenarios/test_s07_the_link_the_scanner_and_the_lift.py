"""S07: a man of 78 at week 8, a mail scanner before him, a lift in between, and his daughter's tablet at the end."""

import re

import pytest
from django.test import Client

from crf.epro.links import issue_link
from crf.models import FormData, LinkChannel, PersonalLink
from crf.schedule import Timing, timing
from pallsoft.audit.models import ChangeSet
from tests.fixtures.by_hand import enter
from tests.fixtures.leaving import plan, today  # noqa: F401 - fixtures must stand in the module to be found

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("PRV-02")]
TABLET = "Mozilla/5.0 (iPad; CPU OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Version/17.0 Safari/604.1"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Safari/604.1"


@pytest.fixture
def man(subject, crc):
    enter(subject, crc, "SCREEN", "TS", {"TS_TARGET": "URINARY"})
    return subject


@pytest.fixture
def week_8(man, plan):  # noqa: F811
    """week_8(0): so many days from today, with week 12 five weeks after it."""

    def planned(days):
        plan(man, W8=days, W12=days + 35)
        return man.events.select_related("subject__site", "subject__study").get(event_oid="W8")

    return planned


def address_of(event, crc, channel):
    return re.sub(r"^https?://[^/]+", "", issue_link(event=event, channel=channel, by=crc).url)


def asked(browser, address, n):
    found = re.search(r'name="item" value="(\w+)"', browser.get(f"{address}{n}/").content.decode())
    return found[1] if found else ""


def answer(browser, address, n, value):
    item = asked(browser, address, n)
    return browser.post(f"{address}{n}/", {"item": item, item: value})


def test_s07_each_answer_is_there_once_whatever_happened_in_between(man, week_8, crc):
    event = week_8(0)
    sms, card = (address_of(event, crc, channel) for channel in (LinkChannel.SMS, LinkChannel.CARD))
    for _ in range(3):
        Client().get(sms)  # the scanner of the hospital

    phone = Client(headers={"User-Agent": PHONE})
    phone.post(sms, {"year": "1949"})
    phone.post(sms, {"who": "alone"})
    assert asked(phone, sms, 1) == "NRS_URIN"  # the target symptom
    answer(phone, sms, 1, "6")
    answer(phone, sms, 2, "2")
    answer(phone, sms, 2, "2")  # the lift: the answer came, its confirmation did not, and he tries again

    tablet = Client(headers={"User-Agent": TABLET})
    tablet.post(card, {"year": "1949"})
    began = tablet.post(card, {"who": "helped"})
    assert began["Location"] == f"{card}3/"
    n = 3
    while asked(tablet, card, n):
        answer(tablet, card, n, "1")
        n += 1
    tablet.post(f"{card}hand-in/")

    row = FormData.objects.get(subject=man, form_oid="NRS", event=event)
    assert row.data["NRS_URIN"] == "6" and row.data["NRS_WHO"] == "HELPED"
    assert "NRS_HELP" not in row.data and row.status == "incomplete"  # who helped is for the site to ask
    answers = ChangeSet.objects.filter(action="crf.answer_by_link").order_by("at")
    assert answers.count() == n - 1 and len({change.at for change in answers}) == n - 1
    devices = dict(PersonalLink.objects.values_list("channel", "device"))
    assert devices == {"sms": "phone", "card": "tablet"}


@pytest.mark.parametrize(("days", "lies"), [(0, Timing.IN_WINDOW), (-8, Timing.LATE)])
def test_s07_an_answer_after_the_window_is_stored_and_flagged(man, week_8, crc, days, lies):
    event = week_8(days)
    sms = address_of(event, crc, LinkChannel.SMS)
    phone = Client()
    phone.post(sms, {"year": "1949"})
    phone.post(sms, {"who": "alone"})
    answer(phone, sms, 1, "6")
    event.refresh_from_db()
    assert timing(event.happened_on, event.window_from, event.window_to) is lies
