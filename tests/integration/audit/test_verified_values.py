"""A verification names the value that was seen; the database refuses another one and drops the mark when it changes."""

import hashlib
import uuid

import pytest

from crf.models import FormData, MonitoringVisit, Verification
from pallsoft.audit.context import change_set
from pallsoft.audit.verification import findings
from pallsoft.errors import Conflict, InvalidInput, NotAllowedNow
from sites.models import Consent, ConsentOption, Site
from tests.integration.audit.small_trial import make_form, make_trial, rows
from tests.integration.audit.verified import digest, verify

pytestmark = pytest.mark.django_db


def dropped(verification):
    verification.refresh_from_db()
    return verification.dropped_in


@pytest.mark.req("DAT-13")
@pytest.mark.parametrize(("kind", "text"), [("value", "6"), ("value", "70"), ("missing", "REF"), ("empty", "")])
def test_a_value_that_is_not_the_present_one_is_refused(trial, form, kind, text):
    with pytest.raises(Conflict):
        verify(trial, form, digest(form, kind, text))
    assert not Verification.objects.exists()


@pytest.mark.req("DAT-13")
def test_a_missing_code_and_an_empty_item_are_verified_as_what_they_are(trial):
    form = make_form(trial, {}, {"NRS_PAIN": {"missing": "REF"}})
    verify(trial, form, digest(form, "missing", "REF"))
    verify(trial, form, digest(form, "empty", "", "WEIGHT"), "WEIGHT")
    assert Verification.objects.count() == 2


@pytest.mark.req("DAT-13")
def test_a_verification_names_its_own_subject_study_item_person_and_visit(trial, form):
    other = make_trial("ANNEN")
    seen = digest(form, "value", "7")
    with change_set(study=trial.study, by=trial.user, action="test"):
        elsewhere = Site.objects.create(study=trial.study, code="1002", name="Ø", city="Ø")
        visit = MonitoringVisit.objects.create(
            study=trial.study, site=elsewhere, visited_on="2026-09-01", monitor=trial.user, request_key=uuid.uuid4()
        )
    for wrong in [{"subject": other.subject}, {"verified_by": other.user}, {"visit": visit}]:
        with pytest.raises(NotAllowedNow):
            verify(trial, form, seen, **wrong)
    with pytest.raises(NotAllowedNow):
        verify(trial, form, digest(form, "empty", "", "NO_SUCH"), "NO_SUCH")
    with change_set(study=trial.study, by=trial.user, action="test", reason="wrong subject") as current:
        FormData.objects.update(removed_in=current)
    with pytest.raises(NotAllowedNow):
        verify(trial, form, seen)


@pytest.mark.req("DAT-13")
def test_the_stored_digest_cannot_be_guessed_back_without_its_salt(trial, form):
    mark = verify(trial, form, digest(form, "value", "7"))
    stored, salt = rows("SELECT value_digest, salt FROM crf_verification WHERE id = %s", [mark.pk])[0]
    assert stored == hashlib.sha256(f"{salt}{digest(form, 'value', '7')}".encode()).hexdigest()
    assert rows("SELECT doc ? 'salt' FROM audit.baseline WHERE row_id = %s", [mark.pk]) == [(False,)]


@pytest.mark.req("DAT-13")
@pytest.mark.parametrize(
    "change",
    ['data = \'{"NRS_PAIN": "6"}\'', "data = '{}'", 'data = \'{}\', marks = \'{"NRS_PAIN": {"missing": "REF"}}\''],
)
def test_pc076_changing_a_verified_item_in_sql_drops_the_mark(trial, form, writing, change):
    mark, other = verify(trial, form, digest(form, "value", "7")), make_form(trial, {"NRS_PAIN": "7"}, repeat_key="2")
    kept = verify(trial, other, digest(other, "value", "7"))
    with writing("corrected") as current:
        rows(f"UPDATE crf_formdata SET {change} WHERE id = %s", [form.pk])
    assert (dropped(mark), dropped(kept)) == (current, None)


def test_the_same_value_or_another_item_leaves_the_mark(trial, form, writing):
    mark = verify(trial, form, digest(form, "value", "7"))
    with writing("corrected"):
        FormData.objects.update(data=form.data | {"WEIGHT": "72.0"}, status="complete")
    assert dropped(mark) is None


def test_taking_a_mark_away_needs_a_reason(trial, form, writing):
    mark = verify(trial, form, digest(form, "value", "7"))
    with pytest.raises(InvalidInput), writing() as current:
        Verification.objects.update(dropped_in=current)
    with writing("read the wrong record") as current:
        Verification.objects.update(dropped_in=current)
    assert dropped(mark) == current


def consent_digest(consent):
    return rows("SELECT audit.consent_digest(%s)", [consent.pk])[0][0]


@pytest.mark.req("DAT-13")
def test_a_verified_consent_stands_through_a_withdrawal_and_falls_with_a_correction(trial, consent, writing):
    mark = verify(trial, None, consent_digest(consent), "", consent=consent)
    with writing("withdrawn"):
        ConsentOption.objects.update(withdrawn_at="2026-09-02T08:00:00Z")
    assert dropped(mark) is None
    with writing("wrong day") as current:
        Consent.objects.create(
            study=trial.study, subject=trial.subject, version="1.0", signed_at="2026-08-31T08:15:00Z", language="nb",
            informed_by=trial.user, copy_given=True, corrects=consent,
        )  # fmt: skip
    assert dropped(mark) == current
    with pytest.raises(NotAllowedNow):
        verify(trial, None, consent_digest(consent), "", consent=consent)


@pytest.mark.req("DAT-13")
def test_changing_a_consent_in_sql_drops_its_mark(trial, consent, writing):
    added = f"SELECT gen_random_uuid(), '{trial.study.pk}', '{trial.subject.pk}', '{consent.pk}', 'BIOBANK', true"
    for change in [
        "UPDATE sites_consent SET language = 'en'",
        "UPDATE sites_consentoption SET granted = false",
        f"INSERT INTO sites_consentoption (id, study_id, subject_id, consent_id, option, granted) {added}",
    ]:
        mark = verify(trial, None, consent_digest(consent), "", consent=consent)
        with writing("corrected") as current:
            rows(change)
        assert dropped(mark) == current


@pytest.mark.req("DAT-13", "AUD-07")
@pytest.mark.django_db(transaction=True)
def test_a_value_changed_past_the_triggers_is_found_by_its_verification(trial, form, superuser):
    verify(trial, form, digest(form, "value", "7"))
    assert list(findings(trial.study.pk)) == []
    with superuser.cursor() as cursor:
        cursor.execute(
            'SET session_replication_role = replica; UPDATE crf_formdata SET data = data || \'{"NRS_PAIN": "6"}\''
        )
    assert "stands for another value" in " ".join(map(str, findings(trial.study.pk)))
