"""S02: a slow network, two clicks, a time-out, back, reload, and a colleague: one draw, one answer."""

import re
import uuid

import pytest

from pallsoft.audit.models import Access, ChangeSet
from pallsoft.outbox.models import Message
from randomization.facts import arm_code
from randomization.models import Allocation
from randomization.services import randomize
from tests.fixtures.ready_for_pallsoft import pallsoft_list, screened  # noqa: F401

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("RND-04")]


@pytest.fixture
def patient(screened):  # noqa: F811
    return screened("GI", "PAIN")


def test_every_call_gets_the_same_arm_time_and_receipt(patient, sign_in, crc, investigator, screened, pallsoft_list):  # noqa: F811
    page = f"/s/PALLSOFT/subjects/{patient.number}/randomize/"
    nurse = sign_in(crc, "en")
    form = nurse.get(page)
    sent = {"key": re.search(rb'name="key" value="([^"]+)"', form.content)[1].decode(), "typed_number": patient.number}
    nurse.post(page, sent)  # the answer is lost: a time-out
    change_sets = ChangeSet.objects.count()
    nurse.post(page, sent)  # the second click
    reloaded = nurse.get(page)
    back_and_again = nurse.post(page, sent, follow=True)
    fresh_key = nurse.post(page, sent | {"key": str(uuid.uuid4())}, follow=True)
    colleague = sign_in(investigator, "en")
    seen = colleague.get(page)
    told = [_told(response) for response in (reloaded, back_and_again, fresh_key, seen)]
    assert len(set(told)) == 1
    assert re.search(r"Already randomised .*\d\d:\d\d .* by Åse Nordgård", told[0])

    assert Allocation.objects.count() == 1
    confirmations = Message.objects.filter(kind="randomization.confirmed").values_list("recipient_id", flat=True)
    assert len(confirmations) == len(set(confirmations)) > 0
    assert ChangeSet.objects.count() == change_sets  # the repeats are in the access log alone
    assert Access.objects.filter(subject_id=patient.pk, user_id=crc.pk).count() >= 5
    following = screened("GI", "PAIN")
    randomize(subject=following, key=uuid.uuid4(), by=crc, typed_number=following.number)
    assert [arm_code(patient), arm_code(following)] == pallsoft_list["GI|PAIN"][:2]


def _told(response):
    """The content of the page: without the shell, whose user differs."""
    main = re.search(r"<h1>.*</main>", response.content.decode(), re.S)[0]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", main)).strip()
