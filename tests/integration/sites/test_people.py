"""Accounts, roles and delegations: given, ended, never deleted."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from pallsoft.accounts.models import Profession, User
from pallsoft.audit.context import change_set
from pallsoft.audit.models import ChangeSet
from pallsoft.errors import InvalidInput, NotAllowedNow, NotPermitted
from pallsoft.outbox.models import Message
from sites import services
from sites.clock import local_today
from sites.models import Assignment, Delegation, Role, Task


@pytest.fixture
def today(bodo):
    return local_today(bodo.timezone)


def invite(admin, study, **changes):
    facts = {"username": "kari", "full_name": "Kari Åsen", "email": "kari@sykehus.example"} | changes
    return services.invite_user(study=study, **facts, by=admin)


def test_an_invited_person_has_an_account_and_no_password_yet(admin, study):
    user = invite(admin, study)
    assert not user.has_usable_password()
    assert Message.objects.filter(kind="invitation", recipient_id=user.pk, study_id=study.pk).count() == 1


def test_the_trail_says_who_invited_and_in_which_role(admin, study):
    user = invite(admin, study)
    written = ChangeSet.objects.get(pk=user.created_in_id)
    assert (written.actor_id, written.role, written.action) == (admin.pk, "user_administrator", "sites.invite_user")


@pytest.mark.req("SIG-06")
@pytest.mark.parametrize("name", ["kari", "KARI", " Kari "])
def test_a_user_name_is_never_given_twice(admin, study, name):
    user = invite(admin, study)
    services.deactivate_user(study=study, user=user, by=admin, reason="sluttet")
    with pytest.raises(InvalidInput) as refusal:
        invite(admin, study, username=name, email="ny@sykehus.example")
    assert set(refusal.value.errors) == {"username"}


@pytest.mark.req("SIG-06")
def test_an_address_belongs_to_one_account(admin, study):
    invite(admin, study)
    with pytest.raises(InvalidInput) as refusal:
        invite(admin, study, username="ola", email="Kari@Sykehus.example")
    assert set(refusal.value.errors) == {"email"}


@pytest.mark.req("SIG-06")
def test_the_database_itself_refuses_a_second_account_of_the_name(admin, study):
    invite(admin, study)
    with pytest.raises(IntegrityError), transaction.atomic(), change_set(study=study, by=admin, action="test"):
        User.objects.create(username="Kari", full_name="En annen", email="annen@sykehus.example")


@pytest.mark.parametrize("name", ["", "k", "kari åsen", "<b>", "ka\nri", "../kari", "k" * 61])
def test_a_user_name_is_plain(admin, study, name):
    with pytest.raises(InvalidInput):
        invite(admin, study, username=name)


@pytest.mark.parametrize("role", ["coordinator", "pi", "crc", "monitor"])
@pytest.mark.req("ACC-14")
def test_only_the_user_administrator_invites_and_assigns(request, role, study, bodo):
    user = request.getfixturevalue(role)
    with pytest.raises(NotPermitted):
        invite(user, study)
    with pytest.raises(NotPermitted):
        services.assign_role(study=study, user=user, role=Role.MONITOR, site=bodo, by=user)


def test_a_second_invitation_goes_out_when_asked_for(admin, study):
    user = invite(admin, study)
    services.send_invitation(study=study, user=user, by=admin)
    assert Message.objects.filter(kind="invitation", recipient_id=user.pk).count() == 2


def test_who_has_a_password_is_not_invited_again(admin, crc, study):
    with pytest.raises(NotAllowedNow):
        services.send_invitation(study=study, user=crc, by=admin)


@pytest.mark.req("ACC-14")
def test_nobody_gives_a_role_to_themselves(admin, study):
    with pytest.raises(NotPermitted):
        services.assign_role(study=study, user=admin, role=Role.COORDINATOR, site=None, by=admin)


@pytest.mark.req("ACC-14")
def test_nobody_unites_duties_by_two_roles(admin, make_user, study, bodo):
    other = make_user("annen", "Annen Admin", Role.USER_ADMINISTRATOR)
    with pytest.raises(NotPermitted, match="Annen Admin"):
        services.assign_role(study=study, user=other, role=Role.STUDY_NURSE, site=bodo, by=admin)


def test_a_role_is_not_given_twice(admin, crc, study, bodo):
    with pytest.raises(InvalidInput):
        services.assign_role(study=study, user=crc, role=Role.STUDY_NURSE, site=bodo, by=admin)


def test_a_role_does_not_end_before_it_begins(admin, make_user, study, bodo, today):
    user = make_user("ny", "Ny Person")
    with pytest.raises(InvalidInput):
        services.assign_role(
            study=study,
            user=user,
            role=Role.MONITOR,
            site=bodo,
            valid_from=today,
            valid_until=today - timedelta(days=1),
            by=admin,
        )


def test_a_role_can_end_at_once(admin, monitor, today):
    assignment = Assignment.objects.get(user=monitor)
    services.end_assignment(assignment=assignment, last_day=today - timedelta(days=1), by=admin, reason="sluttet")
    assert Assignment.objects.get(user=monitor).valid_until == today - timedelta(days=1)


@pytest.mark.parametrize("days", [-2, -400])
def test_a_role_cannot_end_in_the_past(admin, monitor, today, days):
    with pytest.raises(InvalidInput):
        services.end_assignment(
            assignment=Assignment.objects.get(user=monitor), last_day=today + timedelta(days=days), by=admin, reason="x"
        )


def test_an_end_is_not_moved_out_again(admin, monitor, today):
    assignment = Assignment.objects.get(user=monitor)
    services.end_assignment(assignment=assignment, last_day=today, by=admin, reason="sluttet")
    with pytest.raises(InvalidInput):
        services.end_assignment(assignment=assignment, last_day=today + timedelta(days=9), by=admin, reason="angret")


@pytest.mark.req("SIG-05")
def test_only_the_principal_investigator_of_the_site_delegates(investigator, crc, coordinator, bodo, today):
    for other in (crc, coordinator, investigator):
        with pytest.raises(NotPermitted):
            services.delegate_task(
                site=bodo, user=crc, task=Task.RANDOMIZE, valid_from=today, valid_until=None, by=other
            )


@pytest.mark.parametrize(
    ("role", "profession"),
    [(Role.INVESTIGATOR, Profession.NURSE), (Role.STUDY_NURSE, Profession.PHYSICIAN), (Role.MONITOR, Profession.OTHER)],
)
def test_eligibility_is_delegated_only_to_physicians_with_the_role(make_user, delegate, bodo, role, profession):
    user = make_user("noen", "Noen Andre", role, bodo, profession)
    with pytest.raises(InvalidInput, match="Noen Andre"):
        delegate(user, Task.CONFIRM_ELIGIBILITY, bodo)


def test_the_principal_investigator_delegates_nothing_to_themselves(pi, delegate, bodo):
    with pytest.raises(InvalidInput):
        delegate(pi, Task.SIGN, bodo)


def test_a_delegation_can_be_taken_back(pi, crc, bodo, today):
    delegation = Delegation.objects.get(user=crc, task=Task.RANDOMIZE)
    services.end_delegation(delegation=delegation, last_day=today - timedelta(days=1), by=pi, reason="tilbake")
    assert Delegation.objects.get(pk=delegation.pk).valid_until == today - timedelta(days=1)


def test_a_closed_account_stays(admin, crc, study):
    services.deactivate_user(study=study, user=crc, by=admin, reason="har sluttet")
    assert User.objects.get(username="crc").is_active is False
