"""Consent and enrolment: the number, the time, the age, the look-alikes."""

import re
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from pallsoft.audit.models import ChangeSet
from pallsoft.errors import Conflict, InvalidInput, NotAllowedNow, NotPermitted
from sites import services
from sites.clock import database_now
from sites.models import AgeBand, Consent, ConsentOption, ScreeningEntry, ScreeningOutcome, Sex, Subject
from sites.policies import consent_in_force
from sites.selectors import look_alikes
from sites.services.consent import LookAlikesFound

pytestmark = pytest.mark.django_db
EIGHTEEN = {"birth_year": 2008}


def test_numbers_are_given_in_order_per_site(enrol, bodo, tromso, outsider):
    first, second = enrol(bodo, birth_year=1940), enrol(bodo, birth_year=1941)
    third = enrol(tromso, birth_year=1942, by=outsider)
    assert [s.number[:3] + s.number[-2:] for s in (first, second, third)] == ["BOD01", "BOD02", "TRO01"]


@pytest.mark.req("PRV-01")
def test_a_subject_holds_no_identity():
    columns = {field.name for field in Subject._meta.get_fields() if field.concrete}
    assert columns <= {
        "id", "created_in", "study", "site", "number", "birth_year", "sex", "adult_at_consent", "status", "request_key",
    }  # fmt: skip


def test_the_consent_is_kept_as_it_was_said(subject, crc, definition):
    consent = Consent.objects.get(subject=subject)
    assert (consent.version, consent.language, consent.informed_by) == ("1.0", "nb", crc)
    asked = [option.oid for option in definition.study.consent.options]
    assert sorted(consent.options.values_list("option", flat=True)) == sorted(asked)


def test_subject_and_consent_are_one_change(subject):
    written = ChangeSet.objects.get(pk=subject.created_in_id)
    assert Consent.objects.get().created_in_id == written.pk
    assert (written.action, written.role, written.site_id) == ("sites.enrol_subject", "study_nurse", subject.site_id)


@pytest.mark.req("DAT-03")
def test_the_same_request_is_one_subject(enrol, bodo):
    key = uuid.uuid4()
    assert enrol(bodo, key=key) == enrol(bodo, key=key)
    assert Subject.objects.count() == 1


@pytest.mark.req("DAT-03")
def test_the_same_key_for_another_person_is_refused(enrol, bodo):
    key = uuid.uuid4()
    enrol(bodo, key=key)
    with pytest.raises(Conflict):
        enrol(bodo, key=key, birth_year=1950)


@pytest.mark.req("DAT-08")
@pytest.mark.parametrize("ahead", [timedelta(minutes=5), timedelta(days=400)])
def test_a_consent_to_come_is_refused(enrol, consent, bodo, ahead):
    with pytest.raises(InvalidInput) as refusal:
        enrol(bodo, consent=consent(signed_at=database_now() + ahead))
    assert set(refusal.value.errors) == {"signed_at"}


def test_a_version_is_not_used_before_it_was_approved(enrol, consent, bodo):
    with pytest.raises(InvalidInput):
        enrol(bodo, consent=consent(signed_at=datetime(2020, 1, 1, tzinfo=UTC)))


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"version": "9"}, "version"), ({"language": "se"}, "language"), ({"options": {}}, "MAIN")],
)
def test_what_the_definition_does_not_have_is_refused(enrol, consent, bodo, changes, field):
    with pytest.raises(InvalidInput) as refusal:
        enrol(bodo, consent=consent(**changes))
    assert field in refusal.value.errors


def test_without_consent_to_the_study_itself_nobody_is_enrolled(enrol, consent, bodo):
    options = dict(consent().options) | {"MAIN": False}
    with pytest.raises(InvalidInput, match=r"MAIN|delta|part"):
        enrol(bodo, consent=consent(options=options))
    assert not Subject.objects.exists()


def test_who_informed_works_at_the_site(enrol, consent, bodo, outsider):
    with pytest.raises(InvalidInput) as refusal:
        enrol(bodo, consent=consent(informed_by=outsider))
    assert set(refusal.value.errors) == {"informed_by"}


@pytest.mark.parametrize("year", [1899, 2027, 0])
def test_an_impossible_birth_year_is_refused(enrol, bodo, year):
    with pytest.raises(InvalidInput) as refusal:
        enrol(bodo, birth_year=year)
    assert "birth_year" in refusal.value.errors


@pytest.mark.parametrize("answer", [True, False])
def test_whoever_turns_18_in_the_year_of_consent_is_asked(enrol, bodo, answer):
    with pytest.raises(InvalidInput) as refusal:
        enrol(bodo, **EIGHTEEN)
    assert set(refusal.value.errors) == {"adult_at_consent"}
    assert enrol(bodo, **EIGHTEEN, adult_at_consent=answer).adult_at_consent is answer


def test_whoever_is_older_is_not_asked(enrol, bodo):
    with pytest.raises(InvalidInput):
        enrol(bodo, birth_year=1949, adult_at_consent=True)


def test_the_year_of_consent_is_the_sites_own(enrol, consent, bodo):
    """New Year's Eve at 23.30 UTC is already the next year in Bodø."""
    new_year = consent(signed_at=datetime(2025, 12, 31, 23, 30, tzinfo=UTC), version="1.0")
    with pytest.raises(InvalidInput) as refusal:
        enrol(bodo, birth_year=2008, consent=new_year)
    assert "adult_at_consent" in refusal.value.errors or "signed_at" in refusal.value.errors


def test_a_look_alike_must_be_seen_first(subject, enrol, bodo):
    with pytest.raises(LookAlikesFound) as refusal:
        enrol(bodo)
    assert [other.label for other in refusal.value.found] == [subject.number]
    assert enrol(bodo, seen=[subject.number]).number != subject.number


def test_a_look_alike_that_came_meanwhile_is_shown_too(subject, enrol, bodo):
    newcomer = enrol(bodo, seen=[subject.number])
    with pytest.raises(LookAlikesFound) as refusal:
        enrol(bodo, seen=[subject.number])
    assert newcomer.number in [other.label for other in refusal.value.found]


@pytest.mark.req("ACC-02")
def test_look_alikes_of_another_site_are_not_shown(subject, enrol, tromso, outsider):
    assert enrol(tromso, by=outsider).number.startswith("TRO")


@pytest.mark.parametrize(
    ("band", "sex", "alike"),
    [
        (AgeBand.FROM_70, Sex.FEMALE, True),
        (AgeBand.FROM_60, Sex.FEMALE, False),
        (AgeBand.FROM_70, Sex.MALE, False),
        (AgeBand.FROM_90, Sex.FEMALE, False),
    ],
)
def test_an_open_screening_entry_that_fits_is_shown(crc, bodo, band, sex, alike):
    services.log_screening(
        site=bodo, screened_in=datetime(2026, 9, 1).date(), age_band=band, sex=sex, key=uuid.uuid4(), by=crc
    )
    assert bool(look_alikes(bodo, 1949, Sex.FEMALE)) is alike


@pytest.fixture
def entry(crc, bodo):
    month = datetime(2026, 9, 1).date()
    facts = {"screened_in": month, "age_band": AgeBand.FROM_70, "sex": Sex.FEMALE}
    return services.log_screening(site=bodo, **facts, key=uuid.uuid4(), by=crc)


def test_the_screening_entry_leads_to_the_subject(enrol, bodo, entry):
    subject = enrol(bodo, screening_entry=entry)
    kept = ScreeningEntry.objects.get(pk=entry.pk)
    assert (kept.outcome, kept.subject) == (ScreeningOutcome.CONSENTED, subject)


def test_a_screening_entry_leads_to_one_subject_only(enrol, bodo, entry):
    first = enrol(bodo, screening_entry=entry)
    with pytest.raises(NotAllowedNow):
        enrol(bodo, screening_entry=entry, seen=[first.number])
    assert Subject.objects.count() == 1


@pytest.mark.req("ACC-02")
def test_nobody_enrols_at_another_site(enrol, bodo, outsider, monitor):
    for stranger in (outsider, monitor):
        with pytest.raises(NotPermitted):
            enrol(bodo, by=stranger)


def test_a_withdrawn_option_leaves_the_others(subject, crc):
    main, *others = ConsentOption.objects.filter(granted=True).order_by("-option")
    required = {main.option}
    assert consent_in_force(subject, required)
    services.withdraw_consent_option(option=main, withdrawn_at=database_now(), by=crc, reason="pasientens ønske")
    assert not consent_in_force(subject, required)
    assert not any(ConsentOption.objects.get(pk=other.pk).withdrawn_at for other in others)


def test_a_withdrawal_is_not_done_twice(subject, crc):
    option = ConsentOption.objects.filter(granted=True).first()
    at = database_now()
    services.withdraw_consent_option(option=option, withdrawn_at=at, by=crc, reason="pasientens ønske")
    with pytest.raises(NotAllowedNow):
        services.withdraw_consent_option(option=option, withdrawn_at=at, by=crc, reason="en gang til")


@pytest.mark.parametrize("moment", ["before the consent", "to come"])
def test_a_withdrawal_has_a_possible_time(subject, crc, moment):
    option = ConsentOption.objects.filter(granted=True).first()
    at = datetime(2020, 1, 1, tzinfo=UTC) if moment == "before the consent" else database_now() + timedelta(hours=1)
    with pytest.raises(InvalidInput):
        services.withdraw_consent_option(option=option, withdrawn_at=at, by=crc, reason="x")


def test_a_new_consent_takes_back_a_withdrawal(subject, crc, consent):
    option = ConsentOption.objects.get(option="MAIN")
    services.withdraw_consent_option(option=option, withdrawn_at=database_now(), by=crc, reason="ville slutte")
    services.record_consent(subject=subject, consent=consent(signed_at=database_now()), by=crc)
    assert consent_in_force(subject, {"MAIN"})
    assert ConsentOption.objects.get(pk=option.pk).withdrawn_at


IDENTITY = r"name|phone|mobile|fnr|national|address|mail|birth|contact"
NO_PATIENT = {
    ("audit", "change_set", "actor_name"),
    ("audit", "item_column", "item_name"),
    ("public", "crf_exportjob", "file_name"),
    ("public", "crf_signature", "printed_name"),
    ("public", "sites_site", "name"),
    ("public", "sites_site", "phone"),
}


@pytest.mark.req("PRV-01")
def test_the_database_has_no_column_for_who_a_patient_is(db):
    """No key to the pseudonym is kept here at all; what looks like one is about the staff, a site or a file."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_schema, table_name, column_name FROM information_schema.columns"
            " WHERE table_schema IN ('public', 'audit', 'sealed') AND column_name ~ %s"
            " AND table_name ~ '^(sites|crf|randomization|outbox|change|item|base|slot|seal|access|row)'",
            [IDENTITY],
        )
        found = set(cursor.fetchall())
    assert found - NO_PATIENT == {("public", "sites_subject", "birth_year")}


@pytest.mark.req("PRV-01")
def test_no_question_of_the_trial_asks_who_the_patient_is(definition):
    asks = re.compile(r"navn|fødselsdato|fødselsnummer|personnummer|adresse|telefon|mobil|e-post", re.IGNORECASE)
    items = {item.oid for form in definition.study.forms for item in form.items if asks.search(item.label.nb)}
    assert items == {"TOX_BY", "VIS_TRNAM"}  # a physician's name, another trial's


def test_the_application_cannot_delete_a_subject(subject):
    with pytest.raises(Exception, match="permission denied"), connection.cursor() as cursor:
        cursor.execute("DELETE FROM sites_subject")
