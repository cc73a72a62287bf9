"""Eligibility: live verdict, the physician's confirmation, screen failure and another attempt (S03, S19)."""

import pytest
from django.urls import reverse

from crf.models import Signature, StudyEvent
from crf.selectors.eligibility import eligibility_of
from crf.services import confirm_eligibility, record_screen_failure, start_screening_attempt
from pallsoft.errors import InvalidInput, NotAllowedNow, NotPermitted
from sites.models import SubjectStatus
from tests.fixtures import PASSWORD


@pytest.fixture
def fit(save):
    """fit(pain="6"): all forms of a screening that fulfil the criteria, except where told otherwise."""

    def fill(pain="6", pregnant="N", ordinal=1):
        save("START", "SCORE", {"SCORE_PAIN": pain, "SCORE_VAGINAL": "0"}, ordinal=ordinal)
        save("START", "FIT", {"FIT_ADULT": "Y", "FIT_PREGNANT": pregnant}, ordinal=ordinal)

    return fill


@pytest.fixture
def url(subject):
    return reverse("eligibility", args=[subject.study.oid, subject.number])


def test_a_delegated_physician_confirms_and_the_signature_binds_the_values(fit, subject, investigator):
    fit()
    signature = confirm_eligibility(subject=subject, by=investigator)
    assert (signature.printed_name, signature.delegation.user) == (investigator.full_name, investigator)
    assert {part["version"] for part in signature.manifest} == {1}
    assert len(signature.manifest) == 2, "the criteria's form, and the score that a criterion is computed from"
    assert len(signature.sha256) == 64


def test_confirming_again_gives_the_confirmation_that_stands(fit, subject, investigator):
    fit()
    first = confirm_eligibility(subject=subject, by=investigator)
    assert confirm_eligibility(subject=subject, by=investigator) == first


@pytest.mark.parametrize(("form", "change"), [("FIT", {"FIT_PREGNANT": "Y"}), ("SCORE", {"SCORE_PAIN": "7"})])
def test_a_change_of_what_was_confirmed_voids_it(fit, subject, investigator, save, form, change):
    fit()
    signature = confirm_eligibility(subject=subject, by=investigator)
    save("START", form, change, reason="misread")
    signature.refresh_from_db()
    assert signature.voided_in is not None
    assert eligibility_of(subject).signature is None


def test_nurse_monitor_and_outsider_cannot_confirm(fit, subject, crc, monitor, outsider):
    fit()
    for person in (crc, monitor, outsider):
        with pytest.raises(NotPermitted):
            confirm_eligibility(subject=subject, by=person)


def test_nobody_can_waive_a_criterion(fit, subject, pi):
    fit(pain="3")
    with pytest.raises(NotAllowedNow, match="I2"):
        confirm_eligibility(subject=subject, by=pi)
    assert not Signature.objects.exists()


def test_an_unanswered_criterion_blocks(save, subject, pi):
    save("START", "FIT", {"FIT_ADULT": "Y"})
    with pytest.raises(NotAllowedNow, match="I2, E1"):
        confirm_eligibility(subject=subject, by=pi)


@pytest.mark.parametrize(("pain", "fits"), [("3", False), ("4", True)])
def test_s03_the_limit_is_inside(fit, subject, pain, fits):
    fit(pain=pain)
    assert eligibility_of(subject).fits is fits


def test_a_screen_failure_carries_the_criteria_as_its_reason(fit, subject, crc):
    fit(pain="3", pregnant="Y")
    assert record_screen_failure(subject=subject, by=crc).status == SubjectStatus.SCREEN_FAILURE
    with pytest.raises(NotAllowedNow):
        record_screen_failure(subject=subject, by=crc)


def test_a_screen_failure_without_a_criterion_needs_words(fit, subject, crc):
    fit()
    with pytest.raises(InvalidInput):
        record_screen_failure(subject=subject, by=crc)
    record_screen_failure(subject=subject, by=crc, reason="moved abroad")


def test_s03_a_new_attempt_keeps_the_number_and_asks_everything_anew(fit, subject, crc, row):
    fit(pain="3")
    record_screen_failure(subject=subject, by=crc)
    attempt = start_screening_attempt(subject=subject, by=crc)
    subject.refresh_from_db()
    assert (attempt.ordinal, subject.status, subject.number) == (2, SubjectStatus.SCREENING, "BOD-001")
    found = eligibility_of(subject)
    assert found.row is None and [verdict.criterion.oid for verdict in found.undecided] == ["I1", "I2", "E1"]
    fit(pain="5", ordinal=2)
    assert eligibility_of(subject).fits
    assert row("START", "SCORE").data["SCORE_PAIN"] == "3", "the earlier score stays readable"


def test_the_page_shows_criteria_sources_and_verdict(fit, sign_in, investigator, url):
    fit()
    browser = sign_in(investigator, "en")
    html = browser.get(url).content.decode()
    assert html.count("verdict-yes") == 3
    assert "Computed from: Pain: 6" in html
    assert 'value="confirm"' in html
    answer = browser.post(url, {"act": "confirm", "password": PASSWORD}, follow=True)
    assert f"Confirmed by {investigator.full_name}" in answer.content.decode()


def test_the_page_of_the_subject_leads_on_to_what_comes_next(fit, save, subject, sign_in, crc, investigator):
    page, address = sign_in(crc, "en"), reverse("subject", args=[subject.study.oid, subject.number])
    fit()
    save("START", "BASE", {"BASE_WEIGHT": "70", "BASE_HEIGHT": "175", "BASE_ORGAN": "GUT", "BASE_SMOKES": "N"})
    assert "The forms are complete: go to eligibility" in page.get(address).content.decode()
    confirm_eligibility(subject=subject, by=investigator)
    assert "Eligibility is confirmed: the subject can be randomised." in page.get(address).content.decode()


def test_the_page_has_no_confirm_button_for_a_nurse(fit, sign_in, crc, url):
    fit()
    assert 'value="confirm"' not in sign_in(crc).get(url).content.decode()
    assert sign_in(crc).post(url, {"act": "confirm"}).status_code == 403


def test_failing_and_screening_again_from_the_page(fit, sign_in, crc, url, subject):
    fit(pain="3")
    browser = sign_in(crc)
    assert browser.post(url, {"act": "fail"}).status_code == 302
    assert browser.post(url, {"act": "again"}).status_code == 302
    assert StudyEvent.objects.filter(subject=subject, event_oid="START").count() == 2
    assert browser.post(url, {"act": "again"}).status_code == 422
    assert browser.post(url, {}).status_code == 422
