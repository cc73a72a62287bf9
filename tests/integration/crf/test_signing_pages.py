"""The pages that take a signature: the password goes with it, what changed is shown, failures lock and are told."""

import re
import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from django.core import mail
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone

from crf.models import Meaning, Signature
from pallsoft.accounts.signing import ATTEMPT, locked_until
from pallsoft.outbox.services import send_due
from sites.services import verify_identity
from tests.fixtures import PASSWORD
from tests.integration.crf.signing import SCORES, fresh, sign_form


@pytest.fixture
def form(save, row):
    save("WK2", "SCORE", SCORES)
    return fresh(row("WK2", "SCORE"))


@pytest.fixture
def url(form):
    return reverse("form-sign", args=["PROVE", form.subject.number, "WK2", 1, "SCORE", "1"])


@pytest.fixture
def post(sign_in, pi, url):
    """post(password=…): what the page's form sends, with what it showed."""

    def send(to=url, **typed):
        page = sign_in(pi, "en").get(to).content.decode()
        fields = dict(re.findall(r'name="(seen|seal|meaning)" value="([^"]*)"', page))
        return sign_in(pi, "en").post(to, fields | {"password": PASSWORD} | typed)

    return send


@pytest.mark.req("SIG-01", "SIG-02", "SIG-10")
def test_the_page_shows_what_is_signed_and_signs_with_the_password(form, post, sign_in, pi, url):
    page = sign_in(pi, "en").get(url).content.decode()
    for shown in ("Pain", "6", "Ragnhild Øvergård", "Reviewed", "Europe/Oslo"):
        assert shown in page
    answer = post()
    assert answer.status_code == 302
    form_page = sign_in(pi, "en").get(answer["Location"]).content.decode()
    assert "chip-signed" in form_page and "Ragnhild Øvergård" in form_page and "(Europe/Oslo)" in form_page


@pytest.mark.req("SIG-02")
@pytest.mark.parametrize("password", ["", "feil", PASSWORD.upper()])
def test_without_the_password_nothing_is_signed_and_it_never_comes_back(post, password):
    answer = post(password=password)
    assert answer.status_code == 422
    assert not Signature.objects.exists()
    assert b'name="password" value' not in answer.content


@pytest.mark.req("SIG-02")
def test_each_signature_asks_again(form, post, save, row):
    post()
    save("WK4", "SCORE", SCORES)
    other = reverse("form-sign", args=["PROVE", form.subject.number, "WK4", 1, "SCORE", "1"])
    assert post(other, password="").status_code == 422
    assert Signature.objects.count() == 1


@pytest.mark.req("SIG-02")
def test_who_enrolled_a_second_factor_signs_with_a_code_that_works_once(post, pi, form, save):
    cache.clear()
    secret = generate_totp_secret()
    TOTP.activate(pi, secret)
    assert post().status_code == 422
    code = format_hotp_value(hotp_value(secret, int(time.time()) // 30))
    assert post(code="000000").status_code == 422
    assert post(code=code).status_code == 302
    save("WK2", "SCORE", {"SCORE_PAIN": "7"}, reason="Feil tall")
    assert post(code=code).status_code == 422
    assert Authenticator.objects.get(user=pi).type == "totp" and Signature.objects.count() == 1


@pytest.mark.req("SIG-08")
@pytest.mark.django_db(transaction=True)
def test_five_failures_lock_and_tell_the_person_and_the_security_contact(post, pi, settings, access_log):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    settings.SECURITY_CONTACT = "sikkerhet@sykehus.example"
    answers = [post(password="feil").status_code for _ in range(5)]
    assert answers == [422, 422, 422, 422, 409]
    locked = post()
    assert locked.status_code == 409 and not Signature.objects.exists()
    send_due()
    told = {one.to[0] for one in mail.outbox if "Mislykkede" in one.subject}
    assert told == {pi.email, "sikkerhet@sykehus.example"}
    assert [ok for user, _subject, what, ok in access_log() if what == ATTEMPT and user == pi.pk] == [False] * 5
    settings.SIGNING_LOCK_MINUTES = 0
    assert post().status_code == 302


@pytest.mark.req("SIG-08")
@pytest.mark.parametrize(
    ("minutes_ago", "minutes_left"),
    [
        ([1, 1, 1, 1, 1], 29),
        ([29, 2, 2, 1, 1], 29),  # from the last of them, not from the first
        ([58, 33, 32, 31, 29], 1),
        ([60, 34, 33, 32, 31], None),
        ([32, 2, 2, 1, 1], None),  # too far from one another
        ([9, 9, 9, 9], None),
        ([59, 32, 31, 31, 31, 1], None),  # the lock is over: one more failure does not lock at once
    ],
)
def test_a_lock_lasts_its_whole_time_from_the_last_failure(pi, owner, settings, minutes_ago, minutes_left):
    settings.SIGNING_LOCK_MINUTES = 30
    with owner.cursor() as cursor:
        for minutes in minutes_ago:
            cursor.execute(
                "INSERT INTO audit.access (at, user_id, what, ok, request_id, db_user)"
                " VALUES (clock_timestamp() - make_interval(mins => %s), %s, %s, false, '', '')",
                [minutes, str(pi.pk), ATTEMPT],
            )
    until = locked_until(pi)
    left = until and round((until - timezone.now()).total_seconds() / 60)
    assert left == minutes_left


@pytest.mark.req("SIG-08")
def test_a_success_forgets_the_failures_before_it_and_empty_fields_are_no_attempt(post, form, save):
    for _ in range(4):
        post(password="feil")
    for _ in range(3):
        post(password="")
    assert post().status_code == 302
    save("WK2", "SCORE", {"SCORE_PAIN": "7"}, reason="Feil tall")
    assert [post(password="feil").status_code for _ in range(4)] == [422] * 4


@pytest.mark.req("SIG-10")
@pytest.mark.django_db(transaction=True)
def test_a_change_between_page_and_signature_is_shown_item_by_item(sign_in, pi, url, save, crc):
    page = sign_in(pi, "en").get(url).content.decode()
    fields = dict(re.findall(r'name="(seen|seal|meaning)" value="([^"]*)"', page))
    save("WK2", "SCORE", {"SCORE_PAIN": "9"}, reason="Feil tall")
    answer = sign_in(pi, "en").post(url, fields | {"password": PASSWORD})
    text = answer.content.decode()
    assert answer.status_code == 409 and not Signature.objects.exists()
    assert crc.full_name in text and "Feil tall" in text and "<bdi>6</bdi>" in text and "<mark><bdi>9</bdi>" in text
    again = dict(re.findall(r'name="(seen|seal|meaning)" value="([^"]*)"', text))
    assert sign_in(pi, "en").post(url, again | {"password": PASSWORD}).status_code == 302


def test_the_list_shows_voided_first_with_what_changed_and_signs_many(form, save, sign_in, pi, row):
    sign_form(form, pi)
    save("WK2", "SCORE", {"SCORE_PAIN": "9"}, reason="Feil tall")
    save("WK4", "SCORE", SCORES)
    url = reverse("to-sign", args=["PROVE"])
    text = sign_in(pi, "en").get(url).content.decode()
    assert text.index("Signed before and changed since") < text.index("Not signed yet")
    chosen = re.findall(r'name="form" value="([^"]*)"', text)
    assert len(chosen) == 2
    refused = sign_in(pi, "en").post(url, {"form": chosen, "password": "feil"})
    assert refused.status_code == 422 and refused.content.decode().count(" checked>") == 2
    assert sign_in(pi, "en").post(url, {"form": chosen, "password": PASSWORD}).status_code == 302
    assert Signature.objects.filter(voided_in=None, meaning=Meaning.REVIEWED).count() == 2
    assert "Everything is signed." in sign_in(pi, "en").get(url).content.decode()


@pytest.mark.parametrize("chosen", [[], ["nonsens"], ["00000000-0000-0000-0000-000000000000:x"]])
def test_nothing_or_nonsense_chosen_is_answered_with_a_sentence(form, sign_in, pi, chosen):
    answer = sign_in(pi, "en").post(reverse("to-sign", args=["PROVE"]), {"form": chosen, "password": PASSWORD})
    assert answer.status_code == 422 and b"Choose what you want to sign." in answer.content


def test_visit_and_casebook_are_signed_on_their_pages(form, post, sign_in, pi):
    number = form.subject.number
    for name, args in (("visit-sign", [number, "WK2", 1]), ("casebook-sign", [number])):
        assert post(reverse(name, args=["PROVE", *args])).status_code == 302
    assert Signature.objects.filter(form_data=None, voided_in=None).count() == 2
    subject = sign_in(pi, "en").get(reverse("subject", args=["PROVE", number])).content.decode()
    assert "chip-signed" in subject and "The whole casebook" in subject


def test_the_worklist_tells_what_waits_and_what_lost_its_signature(form, sign_in, pi, save):
    assert "1 form waits for a signature" in sign_in(pi, "en").get("/").content.decode()
    sign_form(form, pi)
    assert "for a signature" not in sign_in(pi, "en").get("/").content.decode()
    save("WK2", "SCORE", {"SCORE_PAIN": "9"}, reason="Feil tall")
    assert "1 form lost its signature by a change" in sign_in(pi, "en").get("/").content.decode()


@pytest.mark.req("SIG-07")
def test_the_user_administrator_verifies_identity_by_whom_how_and_when(sign_in, admin, make_user, study):
    user = make_user("ny", "Ny Lege", verified=False)
    url = reverse("verify-identity", args=["PROVE", user.pk])
    assert sign_in(admin, "en").post(url, {"how": ""}).status_code == 422
    assert sign_in(admin, "en").post(url, {"how": "passport"}).status_code == 302
    user.refresh_from_db()
    assert (user.verified_by, user.verified_how) == (admin, "passport") and user.verified_at
    assert sign_in(admin, "en").post(url, {"how": "id_card"}).status_code == 422
    with pytest.raises(Exception, match=r"egen identitet|own identity"):
        verify_identity(study=study, user=admin, how="passport", by=admin)
