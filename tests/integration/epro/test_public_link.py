"""What the public tree of addresses lets through: nothing of the staff's, and no token into the log."""

import logging

import pytest

from pallsoft.failures import WithoutData

pytestmark = pytest.mark.django_db
WAYS = [
    "/q/%2e%2e/s/PALLSOFT/subjects/",
    "/q/%252e%252e/s/PALLSOFT/subjects/",
    "/q/..;/s/PALLSOFT/subjects/",
    "/q//s/PALLSOFT/subjects/",
    "//q/../s/PALLSOFT/subjects/",
    "/Q/../s/PALLSOFT/subjects/",
    "/q/s/PALLSOFT/subjects/BOD-001/",
    "/q/%73/PALLSOFT/subjects/;jsessionid=1",
    "/q/x/../../s/PALLSOFT/export/",
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("method", ["get", "post"])
def test_cve_2026_90817_public_link_never_reaches_staff_view(client, subject, way, method):
    answer = getattr(client, method)(way, headers={"X-HTTP-Method-Override": "GET"})
    text = answer.content.decode()
    assert subject.number not in text and 'class="sidebar"' not in text
    assert answer.status_code in {200, 302, 403, 404, 405}
    if answer.status_code == 302:
        assert answer["Location"].startswith("/accounts/login/")


def test_who_is_signed_in_finds_no_staff_page_in_the_public_tree(sign_in, crc, subject):
    for way in WAYS:
        assert subject.number not in sign_in(crc).get(way).content.decode()


def test_the_token_of_a_link_does_not_stand_in_the_log():
    line = "Forbidden (CSRF cookie not set.): /q/Zm9vYmFyYmF6cXV4eHh4/3/"
    record = logging.LogRecord("django.security.csrf", logging.WARNING, "", 0, line, None, None)
    told = WithoutData("%(message)s").format(record)
    assert told == "Forbidden (CSRF cookie not set.): /q/…/3/"
