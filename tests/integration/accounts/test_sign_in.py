"""Signing in, by the pages that people use."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core import mail
from django.core.cache import cache
from django.db.models.functions import Now
from django.urls import NoReverseMatch, reverse

from pallsoft.accounts import resets
from pallsoft.accounts.links import set_password_link
from pallsoft.accounts.models import User
from pallsoft.audit.models import ChangeSet
from pallsoft.outbox.models import Message
from pallsoft.outbox.services import send_due
from sites import services
from sites.clock import local_today
from tests.fixtures import PASSWORD

pytestmark = pytest.mark.django_db
LOGIN, LOGOUT = "/accounts/login/", "/accounts/logout/"


@pytest.fixture(autouse=True)
def no_failures_remembered(db):
    cache.clear()


def sign_in_as(client, name, password=PASSWORD, **extra):
    return client.post(LOGIN, {"login": name, "password": password}, **extra)


def signed_in(client):
    return "_auth_user_id" in client.session


@pytest.mark.parametrize("name", ["crc", "CRC", "crc@sykehus.example", "CRC@sykehus.example"])
def test_a_person_signs_in_with_user_name_or_address(client, crc, name):
    response = sign_in_as(client, name)
    assert (response.status_code, response["Location"], signed_in(client)) == (302, "/", True)


@pytest.mark.parametrize(
    ("name", "password"),
    [("crc", "feil"), ("crc", ""), ("crc", PASSWORD.upper()), ("ukjent", PASSWORD), ("", ""), ("crc\x00", PASSWORD)],
)
def test_a_wrong_name_or_password_is_refused(client, crc, name, password):
    assert sign_in_as(client, name, password).status_code == 200
    assert not signed_in(client)


@pytest.mark.req("ACC-12")
def test_a_fresh_installation_has_no_account(db):
    assert not User.objects.exists()


@pytest.mark.req("ACC-06")
def test_passwords_are_kept_by_argon2(crc):
    assert User.objects.get(pk=crc.pk).password.startswith("argon2$argon2id")


@pytest.mark.req("SIG-06")
def test_a_closed_account_signs_in_no_more_and_its_session_ends(client, crc, admin, study):
    sign_in_as(client, "crc")
    services.deactivate_user(study=study, user=crc, by=admin, reason="har sluttet")
    assert client.get("/").status_code == 302
    client.logout()
    sign_in_as(client, "crc")
    assert not signed_in(client)


@pytest.mark.req("ACC-09")
def test_the_session_gets_a_new_id_at_sign_in(client, crc):
    client.cookies["language"] = "nb"
    session = client.session
    session["before"] = "sign-in"
    session.save()
    client.cookies["session"] = session.session_key
    sign_in_as(client, "crc")
    own = client.session.session_key
    assert own != session.session_key
    client.cookies["session"] = session.session_key  # whoever planted the earlier id has nothing in hand
    assert client.get("/").status_code == 302
    client.cookies["session"] = own
    assert client.get("/").status_code == 200


@pytest.mark.req("ACC-09")
def test_signing_out_kills_the_session_on_the_server(client, crc):
    sign_in_as(client, "crc")
    stolen = client.cookies["session"].value
    client.post(LOGOUT)
    client.cookies["session"] = stolen
    assert client.get("/").status_code == 302


@pytest.mark.req("ACC-09")
def test_a_role_that_ends_ends_in_the_session_that_is_open(client, crc, subject, study, pi):
    sign_in_as(client, "crc")
    page = reverse("subject", args=["PALLSOFT", subject.number])
    assert client.get(page).status_code == 200
    yesterday = local_today(study.timezone) - timedelta(days=1)
    for held in crc.assignments.all():
        services.end_assignment(assignment=held, last_day=yesterday, by=None, reason="ny jobb")
    assert client.get(page).status_code == 404


@pytest.mark.req("ACC-09")
def test_signing_out_is_a_post(client, crc):
    sign_in_as(client, "crc")
    client.get(LOGOUT)
    assert signed_in(client)


@pytest.mark.req("AUD-12")
def test_signing_in_and_out_and_failing_stand_in_the_access_log(client, crc, access_log):
    sign_in_as(client, "crc", "feil")
    sign_in_as(client, "ukjent")
    sign_in_as(client, "crc")
    client.post(LOGOUT)
    assert access_log() == [
        (crc.pk, None, "sign in", False),
        (None, None, "sign in", False),
        (crc.pk, None, "sign in", True),
        (crc.pk, None, "sign out", True),
    ]


def test_signing_in_changes_no_regulated_row(client, crc):
    before = ChangeSet.objects.count()
    sign_in_as(client, "crc")
    assert ChangeSet.objects.count() == before
    assert User.objects.get(pk=crc.pk).last_login is None


def fail(client, times, **extra):
    for _ in range(times):
        sign_in_as(client, "crc", "feil", **extra)


@pytest.mark.req("ACC-07")
def test_after_ten_wrong_passwords_the_right_one_is_refused_from_there(client, crc):
    fail(client, 10)
    sign_in_as(client, "crc")
    assert not signed_in(client)


@pytest.mark.req("ACC-07")
def test_the_lock_is_soft_and_ends_by_itself_after_a_quarter_of_an_hour(client, crc):
    now = datetime.now(UTC)
    with time_machine.travel(now, tick=False):
        fail(client, 10)
    with time_machine.travel(now + timedelta(minutes=14, seconds=59), tick=False):
        sign_in_as(client, "crc")
        assert not signed_in(client)
    with time_machine.travel(now + timedelta(minutes=15, seconds=1), tick=False):
        sign_in_as(client, "crc")
        assert signed_in(client)


@pytest.mark.req("ACC-07")
def test_one_network_that_guesses_at_many_accounts_is_slowed_too(client, crc):
    for n in range(100):
        sign_in_as(client, f"gjettet{n}", "feil")
    sign_in_as(client, "crc")
    assert not signed_in(client)
    sign_in_as(client, "crc", REMOTE_ADDR="192.0.2.7")
    assert signed_in(client)


@pytest.mark.req("ACC-07")
def test_the_right_person_at_another_network_still_gets_in(client, crc):
    fail(client, 11)
    sign_in_as(client, "crc", REMOTE_ADDR="192.0.2.7")
    assert signed_in(client)


@pytest.mark.req("ACC-07")
def test_a_colleague_at_the_same_network_still_gets_in(client, crc, pi):
    fail(client, 11)
    sign_in_as(client, "pi")
    assert signed_in(client)


@pytest.mark.req("ACC-07")
def test_a_made_up_forwarded_address_does_not_reset_the_count(client, crc):
    for n in range(11):
        fail(client, 1, HTTP_X_FORWARDED_FOR=f"203.0.113.{n}")
    sign_in_as(client, "crc", HTTP_X_FORWARDED_FOR="203.0.113.99")
    assert not signed_in(client)


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example/", "\\\\evil.example", "https:evil.example"]
)
def test_sign_in_leads_to_no_other_host(client, crc, target):
    response = client.post(LOGIN, {"login": "crc", "password": PASSWORD, "next": target})
    assert response["Location"] == "/"


@pytest.mark.req("ACC-12")
@pytest.mark.parametrize("name", ["account_signup", "account_email", "socialaccount_connections", "admin:index"])
def test_what_we_do_not_offer_has_no_address(name):
    with pytest.raises(NoReverseMatch):
        reverse(name)


@pytest.mark.req("ACC-12")
@pytest.mark.parametrize("path", ["/accounts/signup/", "/accounts/email/", "/admin/", "/api/schema/", "/accounts/"])
def test_what_we_do_not_offer_is_not_found(client, crc, sign_in, path):
    assert sign_in(crc).get(path).status_code == 404


@pytest.fixture
def invited(admin, study):
    return services.invite_user(
        study=study, username="kari", full_name="Kari Åsen", email="kari@sykehus.example", by=admin
    )


def link_in(message):
    return re.search(r"http://\S+/accounts/password/reset/key/\S+", message.body)[0]


def follow(client, link, password):
    """Opens the link, as a browser does, and types the password twice."""
    page = client.get(link, follow=True)
    where = page.redirect_chain[-1][0] if page.redirect_chain else link
    return client.post(where, {"password1": password, "password2": password}), page


def test_an_invitation_leads_to_a_password_and_in(client, invited):
    send_due()
    follow(client, link_in(mail.outbox[0]), "en lang setning som kari husker")
    sign_in_as(client, "kari", "en lang setning som kari husker")
    assert signed_in(client)


@pytest.mark.req("ACC-08")
def test_forgetting_a_password_is_answered_alike_for_known_and_unknown_addresses(client, crc):
    answers = [client.post(reverse("account_reset_password"), {"email": to}) for to in (crc.email, "x@sykehus.example")]
    assert [(answer.status_code, answer["Location"]) for answer in answers] == [
        (302, reverse("account_reset_password_done"))
    ] * 2
    send_due()
    assert [message.to for message in mail.outbox] == [[crc.email]]


def test_the_reset_mail_leads_to_a_new_password(client, crc):
    client.post(reverse("account_reset_password"), {"email": crc.email})
    send_due()
    follow(client, link_in(mail.outbox[0]), "en ny setning som crc husker")
    sign_in_as(client, crc.username, "en ny setning som crc husker")
    assert signed_in(client)


def test_a_dead_mail_server_does_not_break_the_page_and_the_mail_comes_later(client, crc, settings):
    working = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND, settings.EMAIL_PORT = "django.core.mail.backends.smtp.EmailBackend", 1
    assert client.post(reverse("account_reset_password"), {"email": crc.email}).status_code == 302
    send_due()
    assert (Message.objects.get(kind=resets.KIND).state, mail.outbox) == ("due", [])
    settings.EMAIL_BACKEND = working
    Message.objects.update(next_try_at=Now())
    send_due()
    assert [message.to for message in mail.outbox] == [[crc.email]]


def test_the_link_in_the_mail_leads_to_our_own_address_whatever_host_was_asked(client, crc, settings):
    client.post(reverse("account_reset_password"), {"email": crc.email}, headers={"host": "localhost:6666"})
    send_due()
    assert link_in(mail.outbox[0]).startswith(settings.BASE_URL + "/accounts/password/reset/key/")


@pytest.mark.req("PRV-02")
def test_the_subject_line_of_the_invitation_names_nobody(invited):
    send_due()
    assert "Kari" not in mail.outbox[0].subject
    assert "Kari Åsen" in mail.outbox[0].body


def test_the_link_works_once(client, invited):
    link = set_password_link(invited)
    follow(client, link, "en lang setning som kari husker")
    follow(client, link, "en annen setning fra en fremmed")
    sign_in_as(client, "kari", "en annen setning fra en fremmed")
    assert not signed_in(client)


def test_an_invitation_is_not_sent_to_who_has_set_a_password_or_is_closed(client, invited, admin, study):
    services.deactivate_user(study=study, user=invited, by=admin, reason="feil person")
    send_due()
    assert mail.outbox == []


@pytest.mark.req("ACC-06")
@pytest.mark.parametrize(
    "password",
    ["kort", "1234567891234567", "passordpassord", "pallsoft er best", "haukeland 2026!", "kari@sykehus.example"],
)
def test_a_weak_password_is_refused(client, invited, password):
    follow(client, set_password_link(invited), password)
    assert not User.objects.get(pk=invited.pk).has_usable_password()


@pytest.mark.req("ACC-06")
@pytest.mark.parametrize("password", ["tolv små tegn", "æøåæøåæøåæøå", "x9" * 64])
def test_a_long_password_without_rules_is_taken(client, invited, password):
    follow(client, set_password_link(invited), password)
    assert User.objects.get(pk=invited.pk).check_password(password)


def test_the_trail_says_nothing_of_a_password(client, invited):
    before = ChangeSet.objects.count()
    follow(client, set_password_link(invited), "en lang setning som kari husker")
    assert ChangeSet.objects.count() == before


@pytest.mark.req("ACC-07")
def test_who_guesses_from_many_networks_pushes_nobodys_count_out(client, crc):
    fail(client, 11)
    for n in range(2_000):
        cache.set(f"~another-network-{n}", 1, 900)  # the last in order: what comes before is culled first
    sign_in_as(client, "crc")
    assert not signed_in(client)
