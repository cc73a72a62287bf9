"""Contact data of participants: apart, encrypted, seen at their site only, deletable alone (D9, PRV-01)."""

import pytest
from django.db import connection
from django.urls import reverse

from crf.services import record_screen_failure
from pallsoft.audit.context import change_set
from pallsoft.audit.models import Access
from pallsoft.errors import InvalidInput, NotAllowedNow, NotPermitted
from sites.models import Contact, ContactChange, DeathCause, DeathPlace, StopKind, ToldBy
from sites.phones import norwegian_mobile
from sites.sealing import NotOurs, seal
from sites.services import (
    DeathFacts,
    delete_contact,
    keep_contact,
    record_death,
)
from sites.services.contact import facts_of
from tests.fixtures.contact import MAIL, NAME, PHONE, leave, said
from tests.fixtures.leaving import *  # noqa: F403 - fixtures must stand in the module to be found
from tests.integration.audit.small_trial import rows

pytestmark = pytest.mark.django_db
TYPED = {
    "name": NAME, "phone": "400 00 001", "phone_again": "+47 40 00 00 01", "mail": MAIL, "mail_again": MAIL,
    "channels": ["sms", "mail"], "language": "nb",
}  # fmt: skip


@pytest.fixture(autouse=True)
def gateway(settings, tmp_path):
    settings.SMS_BACKEND, settings.SMS_DIR = "pallsoft.outbox.sms.FileGateway", str(tmp_path / "sms")


@pytest.fixture
def patient(subject, crc):
    keep_contact(subject=subject, facts=said(), by=crc)
    return subject


def stored(subject):
    contact = Contact.objects.filter(subject=subject).first()
    return contact and facts_of(contact)


def kinds(subject):
    return sorted(ContactChange.objects.filter(subject=subject).values_list("kind", flat=True))


def page(subject):
    return reverse("contact", args=[subject.study.oid, subject.number])


@pytest.mark.req("PRV-01")
def test_what_is_kept_is_encrypted_and_in_no_trail(patient):
    assert stored(patient) == said()
    found = " ".join(str(row) for table in TABLES for row in rows(f"SELECT to_jsonb(t) FROM {table} t"))
    assert patient.number in found and "insert" in found
    for secret in (NAME, "Blåbærlyng", PHONE, "40000001", MAIL):
        assert secret not in found


# where the database could tell
TABLES = (
    "identity.contact",
    "audit.baseline",
    "audit.item_change",
    "audit.change_set",
    "audit.access",
    "sites_subject",
)


@pytest.mark.req("PRV-01")
def test_a_text_moved_to_another_participant_does_not_open(patient, enrol, bodo):
    other = enrol(bodo, birth_year=1951)
    with change_set(study=patient.study, by=None, action="test.attack"):
        stolen = Contact.objects.get(subject=patient)
        Contact.objects.create(study=other.study, subject=other, channels=["sms"], language="nb", sealed=stolen.sealed)
    with pytest.raises(NotOurs):
        stored(other)


def test_an_older_key_still_opens_and_a_lost_one_does_not(patient, settings):
    old = settings.CONTACT_KEYS
    settings.CONTACT_KEYS = ["en ny nøkkel som er lang nok til å brukes", *old]
    assert stored(patient) == said()
    settings.CONTACT_KEYS = settings.CONTACT_KEYS[:1]
    with pytest.raises(NotOurs):
        stored(patient)


def test_without_a_key_nothing_is_stored(subject, crc, settings):
    settings.CONTACT_KEYS = []
    with pytest.raises(NotAllowedNow):
        keep_contact(subject=subject, facts=said(), by=crc)
    assert not Contact.objects.exists()


@pytest.mark.req("PRV-01")
def test_each_change_is_noted_and_the_same_again_is_none(patient, crc):
    keep_contact(subject=patient, facts=said(), by=crc)
    assert kinds(patient) == ["insert"]
    keep_contact(subject=patient, facts=said(phone="40000002"), by=crc)
    assert stored(patient).phone == "+4740000002"
    delete_contact(subject=patient, by=crc)
    assert (kinds(patient), stored(patient)) == (["delete", "insert", "update"], None)


@pytest.mark.req("PRV-01")
def test_a_change_by_raw_sql_is_noted_too_and_needs_an_author(patient):
    with pytest.raises(Exception, match="change set"), connection.cursor() as cursor:
        cursor.execute("DELETE FROM identity.contact")


@pytest.mark.parametrize("typed", ["912 34 567", "+47 91234567", "004791234567", "91.23.45.67", "(+47) 912 34 567"])
def test_usual_ways_to_write_a_mobile_number(typed):
    assert norwegian_mobile(typed) == "+4791234567"


@pytest.mark.parametrize("typed", ["9123456", "912345678", "22 34 56 78", "+46 70 123 45 67", "9123456a", "٩١٢٣٤٥٦٧"])
def test_what_gets_no_text_message_is_refused(typed):
    assert norwegian_mobile(typed) == ""


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"channels": frozenset()}, "channels"),
        ({"phone": ""}, "phone"),
        ({"mail": ""}, "mail"),
        ({"mail": "aase@"}, "mail"),
        ({"name": "Åse 20036914700"}, "name"),
    ],
)
def test_what_cannot_be_used_is_refused(subject, crc, changes, field):
    with pytest.raises(InvalidInput) as refusal:
        keep_contact(subject=subject, facts=said(**changes), by=crc)
    assert set(refusal.value.errors) == {field}


def test_everything_that_is_wrong_is_said_at_once(subject, crc):
    with pytest.raises(InvalidInput) as refusal:
        keep_contact(subject=subject, facts=said(channels=frozenset(), phone="22 34 56 78", mail="aase@"), by=crc)
    assert set(refusal.value.errors) == {"channels", "phone", "mail"}


@pytest.mark.req("PRV-01", "PRV-03")
def test_with_the_consent_they_go_and_cannot_come_back(patient, crc):
    leave(patient, crc, StopKind.CONSENT)
    assert (stored(patient), kinds(patient)) == (None, ["delete", "insert"])
    with pytest.raises(NotAllowedNow):
        keep_contact(subject=patient, facts=said(), by=crc)


def test_a_stop_of_questionnaires_may_be_taken_up_again_so_they_stay(patient, crc):
    leave(patient, crc, StopKind.QUESTIONNAIRES)
    assert stored(patient) == said()


@pytest.mark.req("PRV-01")
def test_with_a_death_they_go(patient, crc, today):
    facts = DeathFacts(day=str(today), cause=DeathCause.CANCER, place=DeathPlace.HOME, told_by=ToldBy.RELATIVE)
    record_death(subject=patient, facts=facts, by=crc)
    assert stored(patient) is None


def test_with_a_screen_failure_they_go(patient, crc):
    record_screen_failure(subject=patient, reason="Flyttet til utlandet", by=crc)
    assert stored(patient) is None
    with pytest.raises(NotAllowedNow):
        keep_contact(subject=patient, facts=said(), by=crc)


@pytest.mark.req("PRV-01")
def test_an_erasure_takes_also_what_was_left(subject, erase, monkeypatch):
    """Whatever way they came back after the withdrawal."""
    monkeypatch.setattr("sites.services.withdrawal.forget_contact", lambda subject: _smuggle(subject))
    erase(subject)
    assert (stored(subject), kinds(subject)) == (None, ["delete", "insert"])


def _smuggle(subject):
    sealed = seal(subject.pk, {"name": NAME, "phone": PHONE, "mail": MAIL})
    Contact.objects.create(study=subject.study, subject=subject, channels=["sms"], language="nb", sealed=sealed)


def test_nobody_else_may_keep_or_delete_them(patient, coordinator, monitor, outsider):
    for person in (coordinator, monitor, outsider):
        with pytest.raises(NotPermitted):
            keep_contact(subject=patient, facts=said(), by=person)
        with pytest.raises(NotPermitted):
            delete_contact(subject=patient, by=person)
    assert stored(patient) == said()


@pytest.mark.req("PRV-01")
def test_for_all_others_the_page_is_not_there(patient, sign_in, coordinator, monitor, data_manager, outsider):
    for person in (coordinator, monitor, data_manager, outsider):
        client = sign_in(person)
        assert client.get(page(patient)).status_code == client.post(page(patient), TYPED).status_code == 404
        assert page(patient) not in client.get(reverse("subject", args=["PALLSOFT", patient.number])).content.decode()


@pytest.mark.req("PRV-01", "AUD-12")
def test_the_site_saves_reads_and_deletes_them_and_reading_is_logged(subject, sign_in, crc):
    client = sign_in(crc)
    assert page(subject) in client.get(reverse("subject", args=[subject.study.oid, subject.number])).content.decode()
    assert client.post(page(subject), TYPED).status_code == 302
    assert stored(subject) == said()
    shown = client.get(page(subject)).content.decode()
    assert NAME in shown and 'value="400 00 001"' in shown and crc.full_name in shown
    assert Access.objects.filter(subject_id=subject.pk, what="keep_contact", ok=True).count() == 2
    assert client.post(page(subject), {"act": "delete"}).status_code == 302
    assert stored(subject) is None


@pytest.mark.parametrize("field", ["phone_again", "mail_again"])
def test_what_is_typed_twice_must_agree(subject, sign_in, crc, field):
    answer = sign_in(crc).post(page(subject), TYPED | {field: "40000002"})
    assert (answer.status_code, stored(subject)) == (422, None)
    assert f"error_1_id_{field}" in answer.content.decode()


def test_after_leaving_the_page_says_why_it_is_empty(patient, sign_in, crc):
    leave(patient, crc, StopKind.CONSENT)
    client = sign_in(crc)
    assert "id_phone" not in client.get(page(patient)).content.decode()
    assert client.post(page(patient), TYPED).status_code == 422
    assert stored(patient) is None


def test_the_page_tells_everything_that_is_wrong_at_once(subject, sign_in, crc):
    wrong = {"name": NAME, "phone": "22 34 56 78", "phone_again": "22 34 56 79", "mail": "aase@", "mail_again": "aase@"}
    answer = sign_in(crc).post(page(subject), wrong).content.decode()
    for field in ("phone", "phone_again", "mail", "channels", "language"):
        assert f"error_1_id_{field}" in answer, field
    assert "error_1_id_mail_again" not in answer and NAME in answer


def test_without_a_gateway_only_mail_is_offered(patient, enrol, bodo, sign_in, crc, settings):
    """What was agreed to earlier stays."""
    settings.SMS_BACKEND = ""
    client = sign_in(crc)
    assert 'value="sms"' not in client.get(page(enrol(bodo, birth_year=1951))).content.decode()
    shown = client.get(page(patient)).content.decode()
    assert shown.count('value="sms"') == 1  # the tick; there is no button for a test message
    assert 'name="channel" value="mail"' in shown


def test_what_no_key_opens_is_said_and_can_be_saved_anew(patient, sign_in, crc, settings):
    settings.CONTACT_KEYS = ["en ny nøkkel som er lang nok til å brukes"]
    client = sign_in(crc)
    shown = client.get(page(patient)).content.decode()
    assert "alert-danger" in shown and NAME not in shown
