"""The second factor: enrolled on one's own pages, asked for at the next sign-in."""

import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core.cache import cache

from tests.fixtures import PASSWORD

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_codes_remembered(db):
    cache.clear()


def code_for(secret, steps=0):
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + steps))


def sign_in_with_password(client):
    return client.post("/accounts/login/", {"login": "crc", "password": PASSWORD})


@pytest.fixture
def at_enrolment(client, crc):
    """The page that enrols, which asks for the password once more."""
    sign_in_with_password(client)
    assert client.get("/accounts/2fa/totp/activate/").status_code == 302
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    return client.get("/accounts/2fa/totp/activate/")


@pytest.fixture
def secret(client, at_enrolment):
    """The study nurse has just enrolled a second factor."""
    page = at_enrolment
    secret = page.context["form"].secret
    client.post("/accounts/2fa/totp/activate/", {"code": code_for(secret)})
    client.post("/accounts/logout/")
    cache.clear()
    return secret


def test_the_page_shows_a_code_to_scan_that_the_policy_does_not_block(at_enrolment):
    page = at_enrolment.content.decode()
    assert "<svg" in page and "data:image" not in page


def test_once_enrolled_the_password_alone_is_not_enough(client, secret):
    response = sign_in_with_password(client)
    assert response["Location"] == "/accounts/2fa/authenticate/"
    assert client.get("/").status_code == 302


def test_password_and_code_lead_in(client, secret):
    sign_in_with_password(client)
    client.post("/accounts/2fa/authenticate/", {"code": code_for(secret)})
    assert client.get("/").status_code == 200


@pytest.mark.req("ACC-09")
def test_the_session_gets_a_new_id_with_the_second_factor(client, secret):
    sign_in_with_password(client)
    half_way = client.cookies["session"].value
    client.post("/accounts/2fa/authenticate/", {"code": code_for(secret)})
    assert client.cookies["session"].value != half_way
    client.cookies["session"] = half_way
    assert client.get("/").status_code == 302


@pytest.mark.parametrize("code", ["000000", "", "abc", "12345678"])
def test_a_wrong_code_does_not(client, secret, code):
    sign_in_with_password(client)
    client.post("/accounts/2fa/authenticate/", {"code": code})
    assert client.get("/").status_code == 302


def test_a_recovery_code_leads_in_once(client, secret):
    codes = Authenticator.objects.get(type="recovery_codes").wrap().get_unused_codes()
    for expected in (200, 302):
        sign_in_with_password(client)
        client.post("/accounts/2fa/authenticate/", {"code": codes[0]})
        assert client.get("/").status_code == expected
        client.post("/accounts/logout/")


def test_the_secret_is_not_in_the_trail(client, secret):
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM audit.regulated WHERE tbl LIKE 'mfa%'")
        assert cursor.fetchone() == (0,)
