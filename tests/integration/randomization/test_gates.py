"""Each gate that is missing refuses, with a sentence, and uses no slot (RND-01)."""

import uuid
from datetime import date

import pytest

from crf.services import confirm_eligibility, record_screen_failure
from pallsoft.errors import InvalidInput, NotAllowedNow, NotPermitted
from randomization.facts import arm_code
from randomization.list_file import commitment
from randomization.models import Allocation
from randomization.readiness import readiness_of
from randomization.services import import_list, randomize
from sites import services as places
from sites.clock import database_now
from sites.models import Role, Subject
from tests.fixtures.randomizing import randomized, save_one
from trials.models import Status

pytestmark = [pytest.mark.django_db, pytest.mark.req("RND-01")]
commits = pytest.mark.django_db(transaction=True)


@pytest.fixture
def refused(crc, make_ready, sealed_list):
    """refused(subject, says): the refusal came, nothing of the subject changed, and the first slot is still there."""

    def check(subject, says, by=None, error=NotAllowedNow):
        status = Subject.objects.get(pk=subject.pk).status
        with pytest.raises(error, match=says):
            randomized(subject, by or crc)
        assert not Allocation.objects.exists()
        assert Subject.objects.get(pk=subject.pk).status == status
        return True

    return check


def uses_first_slot(subject, by, sealed_list):
    return randomized(subject, by) and arm_code(subject) == sealed_list.sequences["GI|PAIN"][0]


@commits
def test_after_a_refusal_the_first_slot_is_still_the_next(refused, fill, enrol, bodo, make_ready, crc, sealed_list):
    not_confirmed = enrol(bodo)
    fill(not_confirmed)
    assert refused(not_confirmed, "must confirm eligibility")
    assert uses_first_slot(make_ready(), crc, sealed_list)


def test_withdrawn_consent(refused, make_ready, crc):
    subject = make_ready()
    option = subject.consent_options.get(option="MAIN")
    places.withdraw_consent_option(option=option, withdrawn_at=database_now(), by=crc, reason="ringte og trakk seg")
    assert refused(subject, "Consent to the trial")


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        ({"FIT_ADULT": "N"}, "I1 speaks against"),
        ({"FIT_PREGNANT": "Y"}, "E1 speaks against"),
        ({"SCORE_NRS": "3"}, "I2 speaks against"),
        ({"FIT_ADULT": None}, "I1 is not answered"),
        ({"SCORE_NRS": None}, "I2 is not answered.*scored the target symptom"),
        ({"SCORE_ON": None}, "score must have a date"),
        ({"BASE_GROUP": None}, "Cancer group must be known"),
        ({"BASE_TARGET": None}, "pain must be known"),
    ],
)
def test_an_answer_that_is_missing_or_speaks_against(refused, enrol, bodo, fill, answers, says):
    subject = enrol(bodo)
    fill(subject, **answers)
    assert refused(subject, says)


def test_no_criterion_answered_yet(refused, enrol, bodo, fill):
    subject = enrol(bodo)
    fill(subject, forms=["BASE", "SCORE"])
    assert refused(subject, "criteria are not answered yet")


@commits
def test_a_confirmation_is_void_once_an_answer_under_it_changes(refused, make_ready, crc, investigator, sealed_list):
    subject = make_ready()
    save_one(subject, "SCORE", {"SCORE_NRS": "7"}, crc, reason="skrevet feil")
    assert refused(subject, "must confirm eligibility")
    confirm_eligibility(subject=subject, by=investigator)
    assert uses_first_slot(subject, crc, sealed_list)


def test_a_criterion_that_does_not_block_may_wait(ready, crc):
    assert "I3" not in {gate.oid for gate in readiness_of(ready).closed}
    assert randomized(ready, crc).inputs["criteria"]["I3"] == "unknown"


def test_a_screen_failure(refused, make_ready, crc):
    subject = make_ready()
    record_screen_failure(subject=subject, by=crc, reason="ville likevel ikke")
    assert refused(subject, "in screening")


def test_a_paused_site(refused, make_ready, bodo):
    subject = make_ready()
    places.set_site_status(site=bodo, status=Status.PAUSED, since=date(2026, 1, 1), by=None, reason="ferie")
    assert refused(subject, "site is not open")


def test_a_paused_trial(refused, make_ready, study):
    subject = make_ready()
    places.set_study_status(study=study, status=Status.PAUSED, by=None, reason="pause")
    assert refused(subject, "Randomisation is stopped")


@commits
@pytest.mark.req("RND-14")
def test_an_emergency_stop_and_its_end(refused, make_ready, study, crc, sealed_list):
    subject = make_ready()
    places.stop_randomization(study=study, by=None, reason="alvorlig hendelse")
    assert refused(subject, "Randomisation is stopped")
    places.resume_randomization(study=study, by=None, reason="avklart")
    assert uses_first_slot(subject, crc, sealed_list)


def test_a_trial_without_a_list(make_ready, crc):
    subject = make_ready()
    with pytest.raises(NotAllowedNow, match="sealed list"):
        randomized(subject, crc)


def test_a_list_that_nobody_confirmed(make_ready, crc, study, statistician, list_file):
    content = list_file()
    import_list(study=study, content=content, sha256=commitment(content), by=statistician)
    with pytest.raises(NotAllowedNow, match="sealed list"):
        randomized(make_ready(), crc)


def test_a_nurse_to_whom_it_is_not_delegated(refused, make_ready, make_user, bodo):
    nurse = make_user("nurse2", "Ørjan Sæth", Role.STUDY_NURSE, bodo)
    assert refused(make_ready(), "not delegated", by=nurse, error=NotPermitted)


@pytest.mark.parametrize("who", ["monitor", "data_manager", "coordinator", "statistician", "admin", "outsider"])
def test_a_person_without_the_permission(refused, make_ready, request, who):
    assert refused(make_ready(), "role does not allow", by=request.getfixturevalue(who), error=NotPermitted)


@pytest.mark.parametrize("typed", ["", "BOD-002", "bod-001", "001"])
def test_a_mistyped_subject_number(ready, crc, typed):
    with pytest.raises(InvalidInput, match="Type BOD-001"):
        randomize(subject=ready, key=uuid.uuid4(), by=crc, typed_number=typed)
    assert not Allocation.objects.exists()


def test_the_gates_are_asked_again_under_the_lock(ready, crc):
    """The page was opened while all was in order; the stop came before the click."""
    assert readiness_of(ready).closed == []
    places.stop_randomization(study=ready.study, by=None, reason="stopp")
    with pytest.raises(NotAllowedNow):
        randomized(ready, crc)
