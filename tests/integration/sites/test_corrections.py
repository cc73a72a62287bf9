"""What was recorded wrongly at enrolment is put right: with a reason, both values kept, what depends on it follows."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import translation

from crf.models import FormData, Signature, StudyEvent
from crf.selectors.eligibility import eligibility_of
from crf.services import confirm_eligibility, save_form
from pallsoft.audit.models import ChangeSet
from pallsoft.audit.selectors import trail_for
from pallsoft.errors import Conflict, InvalidInput, NotAllowedNow, NotPermitted
from sites import services
from sites.clock import database_now
from sites.models import Consent, Sex, Subject
from sites.policies import consent_in_force

pytestmark = pytest.mark.django_db
SIGNED = datetime(2026, 9, 1, 8, 15, tzinfo=UTC)


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


@pytest.fixture
def correct(subject, crc):
    def correct(by=crc, reason="lest feil av journalen", **changes):
        stored = {"birth_year": subject.birth_year, "sex": subject.sex, "adult_at_consent": None}
        return services.correct_subject(subject=subject, by=by, reason=reason, **stored | changes)

    return correct


@pytest.fixture
def answered(subject, crc):
    """A form whose questions depend on the sex."""
    event = StudyEvent(study=subject.study, subject=subject, event_oid="SCREEN")
    save_form(event=event, form_oid="NRS", values={}, seen_version=0, key=uuid.uuid4(), by=crc)
    return FormData.objects.get(subject=subject, form_oid="NRS")


@pytest.mark.req("AUD-04")
def test_the_earlier_value_and_the_reason_stand_in_the_trail(correct, subject, crc):
    correct(birth_year=1950)
    row = trail_for(table="sites_subject", row_id=subject.pk, item="birth_year")[0]
    assert (row.old, row.new, row.reason, row.actor_name) == (1949, 1950, "lest feil av journalen", crc.full_name)


def test_forms_that_ask_for_the_sex_follow(correct, answered):
    assert "NRS_VAG" not in answered.marks
    correct(sex=Sex.MALE)
    answered.refresh_from_db()
    assert answered.marks["NRS_VAG"] == {"missing": "NA", "by_rule": "yes"}
    written = ChangeSet.objects.get(action="crf.recalculate")
    assert written.actor_name and written.reason


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"birth_year": 1950, "reason": " "}, "reason"),
        ({}, "birth_year"),
        ({"birth_year": 1850}, "birth_year"),
        ({"birth_year": 2008}, "adult_at_consent"),
        ({"birth_year": 1950, "adult_at_consent": True}, "adult_at_consent"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(correct, subject, changes, field):
    with pytest.raises(InvalidInput) as refusal:
        correct(**changes)
    assert list(refusal.value.errors) == [field] and refusal.value.errors[field][0].endswith((".", "?"))
    subject.refresh_from_db()
    assert subject.birth_year == 1949


@pytest.mark.parametrize("who", ["outsider", "monitor", "coordinator", "data_manager"])
def test_only_who_records_consent_at_the_site_corrects(correct, request, who):
    with pytest.raises(NotPermitted):
        correct(by=request.getfixturevalue(who), birth_year=1950)


def test_a_confirmation_given_for_the_wrong_year_falls(correct, subject, investigator, crc):
    answer_all(subject, crc)
    confirm_eligibility(subject=subject, by=investigator)
    correct(birth_year=1950)
    assert Signature.objects.get().voided_in is not None
    assert eligibility_of(subject).signature is None


def answer_all(subject, by):
    answers = {"ELIG_I2": "PELVIS", "ELIG_I3": "PRIMARY", "ELIG_I8": "NB"}
    questions = eligibility_of(subject).study.eligibility.criteria
    yes = {"Y" if one.kind == "inclusion" else "N": one for one in questions}
    assert set(yes) == {"Y", "N"}
    values = {one.item: "Y" if one.kind == "inclusion" else "N" for one in questions if one.item} | answers
    forms = {
        "DM": {"DM_VAG": "Y", "DM_MENO": "Y"},
        "TS": {"TS_TARGET": "PAIN"},
        "NRS": {"NRS_ON": "2026-09-01", "NRS_WHO": "ALONE", "NRS_MODE": "TABLET", "NRS_LANG": "NB", "NRS_PAIN": "6"},
        "EC": {"EC_ECOG": "1"},
        "ELIG": values,
    }
    for form_oid, said in forms.items():
        event = StudyEvent(study=subject.study, subject=subject, event_oid="SCREEN")
        save_form(event=event, form_oid=form_oid, values=said, seen_version=0, key=uuid.uuid4(), by=by)


@pytest.mark.req("AUD-04")
def test_a_wrongly_recorded_consent_is_superseded_and_kept(subject, consent, crc):
    wrong = Consent.objects.get()
    right = services.correct_consent(
        consent=wrong, facts=consent(signed_at=SIGNED - timedelta(hours=2)), by=crc, reason="feil klokkeslett"
    )
    assert list(subject.consents.standing()) == [right] and subject.consents.count() == 2
    wrong.refresh_from_db()
    assert (wrong.signed_at, right.corrects) == (SIGNED, wrong)
    assert ChangeSet.objects.get(action="sites.correct_consent").reason == "feil klokkeslett"
    assert consent_in_force(subject, {"MAIN"})


def test_what_was_withdrawn_stays_withdrawn_when_the_record_is_corrected(subject, consent, crc):
    wrong = Consent.objects.get()
    main = wrong.options.get(option="MAIN")
    services.withdraw_consent_option(option=main, withdrawn_at=database_now(), by=crc, reason="pasientens ønske")
    services.correct_consent(consent=wrong, facts=consent(), by=crc, reason="feil versjon")
    assert not consent_in_force(subject, {"MAIN"})


def test_a_superseded_consent_is_history(subject, consent, crc):
    wrong = Consent.objects.get()
    services.correct_consent(consent=wrong, facts=consent(), by=crc, reason="feil språk")
    with pytest.raises(NotAllowedNow, match="corrected already"):
        services.correct_consent(consent=wrong, facts=consent(), by=crc, reason="igjen")
    option = wrong.options.get(option="MAIN")
    with pytest.raises(NotAllowedNow, match="not in force"):
        services.withdraw_consent_option(option=option, withdrawn_at=database_now(), by=crc, reason="x")


@pytest.mark.parametrize(
    ("facts", "reason", "field"),
    [({}, "", "reason"), ({"version": "9"}, "feil", "version"), ({"language": "xx"}, "feil", "language")],
)
def test_a_correction_of_a_consent_is_checked_as_a_consent_is(subject, consent, crc, facts, reason, field):
    with pytest.raises(InvalidInput) as refusal:
        services.correct_consent(consent=Consent.objects.get(), facts=consent(**facts), by=crc, reason=reason)
    assert list(refusal.value.errors) == [field]
    assert Consent.objects.count() == 1


@pytest.mark.req("ACC-01")
def test_a_used_key_does_not_tell_the_number_of_another_sites_subject(enrol, bodo, tromso, outsider):
    key = uuid.uuid4()
    foreign = enrol(tromso, key=key, by=outsider)
    with pytest.raises(Conflict) as refusal:
        enrol(bodo, key=key)
    assert foreign.number not in refusal.value.message


@pytest.fixture
def page(sign_in, crc):
    return sign_in(crc, "en")


def test_the_page_corrects_the_year_of_birth(page, subject):
    consent = reverse("consent", args=["PALLSOFT", subject.number])
    url = reverse("correct-subject", args=["PALLSOFT", subject.number])
    assert url in page.get(consent).content.decode()
    assert 'value="1949"' in page.get(url).content.decode()
    assert page.post(url, {"birth_year": "1950", "sex": "F"}).status_code == 422  # no reason
    answer = page.post(url, {"birth_year": "1950", "sex": "F", "reason": "lest feil"}, follow=True)
    assert "born 1950" in answer.content.decode()
    assert Subject.objects.get().birth_year == 1950


def test_the_page_shows_both_records_of_a_corrected_consent(page, subject, crc):
    wrong = Consent.objects.get()
    url = reverse("correct-consent", args=["PALLSOFT", subject.number, wrong.pk])
    form = page.get(url).context["form"]
    assert form["signed_on"].value().isoformat() == "2026-09-01" and form["signed_clock"].value().hour == 10
    sent = {name: form[name].value() for name in form.fields if form[name].value() is not None}
    sent |= {"signed_on": "1.9.26", "signed_clock": "09:05", "reason": "feil klokkeslett"}
    html = page.post(url, sent, follow=True).content.decode()
    assert "superseded by a correction" in html and html.index("9:05") < html.index("10:15")
    assert url not in html
