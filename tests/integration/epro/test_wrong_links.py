"""Wrong links are counted per network and told; a right one works however many wrong ones came before."""

import logging
from datetime import timedelta

import pytest
from django.conf import settings
from django.core import mail

from crf.epro.guessing import MANY, WINDOW
from crf.epro.links import issue_link
from crf.models import LinkChannel, WrongToken
from pallsoft.outbox.models import Message
from pallsoft.outbox.services import send_due
from tests.fixtures.by_hand import enter
from tests.fixtures.leaving import plan, today  # noqa: F401 - fixtures must stand in the module to be found

pytestmark = [pytest.mark.django_db, pytest.mark.req("ACC-07")]
HOSPITAL = "192.0.2.10"


def guess(client, times, network=HOSPITAL, path="a" * 22, **headers):
    """The last answer to so many wrong links."""
    answers = [client.get(f"/q/{path}/", REMOTE_ADDR=network, **headers) for _ in range(times)]
    return answers[-1]


def told():
    return Message.objects.filter(kind="crf.many_wrong_links").count()


@pytest.fixture
def just_below(client):
    """One more wrong link from the hospital is told."""
    guess(client, 1)
    WrongToken.objects.update(tries=MANY - 1)


def test_the_hundredth_wrong_link_of_a_network_is_told_once(client, just_below, caplog):
    assert told() == 0
    with caplog.at_level(logging.WARNING):
        guess(client, 3)
    assert told() == 1
    assert [record.getMessage().split(" within")[0] for record in caplog.records] == [
        f"{MANY} wrong personal links came from {HOSPITAL}"
    ]
    send_due()
    assert mail.outbox[-1].to == [settings.SECURITY_CONTACT] and HOSPITAL not in mail.outbox[-1].body


def test_a_right_link_from_the_same_network_is_answered_all_the_same(client, just_below, subject, crc, plan):  # noqa: F811
    enter(subject, crc, "SCREEN", "TS", {"TS_TARGET": "BLEED"})
    plan(subject, W4=0)
    event = subject.events.select_related("subject__site", "subject__study").get(event_oid="W4")
    token = issue_link(event=event, channel=LinkChannel.CARD, by=crc).url.split("/")[-2]
    guess(client, 3)
    assert "Fødselsår" in client.get(f"/q/{token}/", REMOTE_ADDR=HOSPITAL).content.decode()


def test_the_page_is_the_same_before_and_after(client):
    first = guess(client, 1)
    WrongToken.objects.update(tries=MANY)
    after = guess(client, 1)
    assert (after.status_code, after.content) == (200, first.content)


@pytest.mark.parametrize("path", ["a" * 22, "x/y/z", "%2569"])
def test_a_wrong_and_a_mangled_link_count_alike_and_nothing_is_written_at_the_limit(client, path):
    guess(client, 2, path=path)
    assert WrongToken.objects.get().tries == 2
    WrongToken.objects.update(tries=MANY)
    guess(client, 2, path=path)
    assert WrongToken.objects.get().tries == MANY


def test_after_the_window_it_is_counted_anew_and_old_networks_are_forgotten(client, just_below):
    guess(client, 1, "192.0.2.20")
    WrongToken.objects.update(since=WrongToken.objects.first().since - WINDOW - timedelta(seconds=1))
    guess(client, 1)
    assert WrongToken.objects.get().tries == 1 and told() == 0


def test_no_header_of_the_caller_makes_another_network_of_it(client):
    for n in range(3):
        made_up = f"203.0.113.{n}"
        guess(client, 1, HTTP_X_FORWARDED_FOR=made_up, HTTP_X_REAL_IP=made_up, HTTP_FORWARDED=f"for={made_up}")
    assert WrongToken.objects.get().tries == 3


def test_behind_the_proxy_the_address_that_it_names_is_counted(client, settings):
    settings.ALLAUTH_TRUSTED_CLIENT_IP_HEADER = "X-Real-IP"
    for n in range(3):
        guess(client, 1, "172.18.0.2", HTTP_X_REAL_IP=f"203.0.113.{n}")
    assert WrongToken.objects.count() == 3


@pytest.mark.parametrize(
    ("addresses", "networks"),
    [
        (["2001:db8::1", "2001:db8::2:3"], 1),
        (["2001:db8::1", "2001:db8:0:1::1"], 2),
        (["::ffff:192.0.2.1", "::ffff:192.0.2.2"], 2),
    ],
)
def test_a_household_of_ipv6_is_one_network(client, addresses, networks):
    for address in addresses:
        guess(client, 1, address)
    assert WrongToken.objects.count() == networks


def test_no_address_is_kept(client):
    guess(client, 1)
    assert HOSPITAL not in str(list(WrongToken.objects.values()))
