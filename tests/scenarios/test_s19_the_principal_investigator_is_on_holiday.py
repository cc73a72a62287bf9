"""S19. Bodø: the patient is ready, the principal investigator is away; a deputy confirms until the last day, 24.00."""

import uuid
from datetime import timedelta

import pytest

from crf.models import FormData, Signature, StudyEvent
from crf.services import save_form
from pallsoft.accounts.models import Profession
from pallsoft.audit.context import change_set
from pallsoft.audit.models import ChangeSet
from pallsoft.errors import NotAllowedNow, NotPermitted
from sites.clock import local_today
from sites.models import Delegation, Role, Task
from sites.permissions import delegations_to, has_delegation, may_perform, require_task
from sites.services import end_delegation
from tests.integration.crf.signing import fresh, sign_form

pytestmark = pytest.mark.req("SIG-05", "RND-01")
TASKS = [Task.CONFIRM_ELIGIBILITY, Task.SIGN]


@pytest.fixture
def today(bodo):
    return local_today(bodo.timezone)


@pytest.fixture
def deputy(make_user, delegate, bodo, today):
    """Delegated for eligibility and signing, for three weeks that end today."""
    user = make_user("vikar", "Tormod Ødegård", Role.INVESTIGATOR, bodo, Profession.PHYSICIAN)
    for task in TASKS:
        delegate(user, task, bodo, valid_until=today)
    return user


@pytest.fixture
def other_doctor(make_user, bodo):
    return make_user("lege", "Grethe Vågø", Role.INVESTIGATOR, bodo, Profession.PHYSICIAN)


@pytest.mark.parametrize("task", TASKS)
def test_the_deputy_may_until_the_last_day_at_24(deputy, bodo, today, task):
    assert may_perform(deputy, task, bodo)
    assert has_delegation(deputy, task, bodo, on=today)


@pytest.mark.parametrize("task", TASKS)
def test_the_day_after_the_deputy_is_refused(deputy, bodo, today, task):
    assert not has_delegation(deputy, task, bodo, on=today + timedelta(days=1))


def test_on_the_day_after_the_refusal_says_whom_to_ring(deputy, pi, bodo, today):
    for delegation in Delegation.objects.filter(user=deputy):
        end_delegation(delegation=delegation, last_day=today - timedelta(days=1), by=pi, reason="tilbake fra ferie")
    with pytest.raises(NotPermitted, match="Ragnhild Øvergård"):
        require_task(deputy, Task.CONFIRM_ELIGIBILITY, bodo)


def test_the_nurse_cannot_confirm_eligibility(deputy, crc, bodo):
    with pytest.raises(NotPermitted):
        require_task(crc, Task.CONFIRM_ELIGIBILITY, bodo)


def test_the_doctor_without_delegation_cannot_and_reads_whom_to_ring(deputy, other_doctor, bodo):
    with pytest.raises(NotPermitted, match="Ragnhild Øvergård"):
        require_task(other_doctor, Task.CONFIRM_ELIGIBILITY, bodo)


def test_the_deputy_acts_in_their_own_name_on_a_delegation_that_can_be_named(deputy, bodo, pi):
    delegation = require_task(deputy, Task.SIGN, bodo)
    assert delegation in delegations_to(deputy, Task.SIGN, bodo)
    assert (delegation.user, delegation.delegated_by) == (deputy, pi)


def test_the_principal_investigator_sees_afterwards_what_was_delegated(deputy, bodo, pi):
    given = ChangeSet.objects.filter(action="sites.delegate_task", actor_id=pi.pk, site_id=bodo.pk)
    assert given.count() == Delegation.objects.filter(site=bodo, delegated_by=pi).count() == len(TASKS)


@pytest.fixture
def scored(subject, crc):
    """Performance status of week 4, complete."""
    event = StudyEvent(study=subject.study, subject=subject, event_oid="W4", ordinal=1)
    values = {"EC_ECOG": "2", "EC_STOMA": "N", "EC_CATH": "N", "EC_NEPH": "N"}
    save_form(event=event, form_oid="EC", values=values, seen_version=0, key=uuid.uuid4(), by=crc)
    return fresh(FormData.objects.get(form_oid="EC"))


def test_the_deputy_signs_in_their_own_name_and_the_return_shows_it(scored, deputy, pi, sign_in):
    assert scored.status == "complete"
    signature = sign_form(scored, deputy)
    assert (signature.printed_name, signature.delegation.delegated_by) == (deputy.full_name, pi)
    page = sign_in(pi, "en").get("/s/PALLSOFT/sign/").content.decode()
    assert "Signed on delegation in the last 30 days" in page
    assert deputy.full_name in page and f"on delegation from {pi.full_name}" in page
    assert "1 signature was given on delegation" in sign_in(pi, "en").get("/").content.decode()


@pytest.mark.parametrize("who", ["crc", "other_doctor"])
def test_nurse_and_undelegated_doctor_sign_nothing(request, scored, who):
    with pytest.raises(NotPermitted):
        sign_form(scored, request.getfixturevalue(who))


def test_on_the_22nd_the_deputy_signs_no_more_and_reads_whom_to_ring(scored, deputy, pi, bodo, today, sign_in):
    for delegation in Delegation.objects.filter(user=deputy):
        end_delegation(delegation=delegation, last_day=today - timedelta(days=1), by=pi, reason="tilbake fra ferie")
    address = f"/s/PALLSOFT/subjects/{scored.subject.number}/events/W4-1/forms/EC/1/sign/"
    page = sign_in(deputy, "en").get(address)
    assert page.status_code == 403 and "Ragnhild Øvergård" in page.content.decode()


@pytest.mark.req("SIG-09")
def test_nobody_signs_as_the_principal_investigator(scored, deputy, pi, proof):
    """Not with the deputy's own proof, nor by writing the row: the database knows who acts."""
    with pytest.raises(NotPermitted):
        sign_form(scored, pi, proof=proof(deputy))
    with pytest.raises(NotAllowedNow), change_set(study=scored.study, by=deputy, action="crf.sign"):
        Signature.objects.create(
            study=scored.study, subject=scored.subject, event=scored.event, form_data=scored, meaning="reviewed",
            signed_by=pi, printed_name=pi.full_name, manifest=[], sha256="0" * 64,
        )  # fmt: skip
