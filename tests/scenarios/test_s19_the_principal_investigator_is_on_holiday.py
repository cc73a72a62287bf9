"""S19. Bodø: the patient is ready, the principal investigator is away; a deputy confirms until the last day, 24.00."""

from datetime import timedelta

import pytest

from pallsoft.accounts.models import Profession
from pallsoft.audit.models import ChangeSet
from pallsoft.errors import NotPermitted
from sites.clock import local_today
from sites.models import Delegation, Role, Task
from sites.permissions import delegations_to, has_delegation, may_perform, require_task
from sites.services import end_delegation

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
