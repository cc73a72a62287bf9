"""The table of roles: complete, duties apart, readers read only."""

import pytest

from sites.models import Role, Task
from sites.permissions import APART, PERMISSIONS, TASK_PERMISSION, Permission, roles_with, unites_apart

WRITING = {
    Permission.LOG_SCREENING,
    Permission.RECORD_CONSENT,
    Permission.ENTER_DATA,
    Permission.CONFIRM_ELIGIBILITY,
    Permission.RANDOMIZE,
    Permission.SIGN,
    Permission.REPORT_SAE,
    Permission.REQUEST_CORRECTION,
}


@pytest.mark.req("ACC-01")
def test_every_role_stands_in_the_table():
    assert set(PERMISSIONS) == set(Role)


def test_every_permission_is_held_by_some_role():
    assert {permission for held in PERMISSIONS.values() for permission in held} == set(Permission)


@pytest.mark.req("ACC-14")
@pytest.mark.parametrize("role", Role)
def test_no_role_unites_duties_that_stay_apart(role):
    assert not any(set(pair) <= PERMISSIONS[role] for pair in APART)


@pytest.mark.req("ACC-14")
@pytest.mark.parametrize(
    "pair",
    [
        {Permission.MANAGE_USERS, Permission.ENTER_DATA},
        {Permission.MANAGE_USERS, Permission.RANDOMIZE},
        {Permission.HOLD_LIST, Permission.RANDOMIZE},
        {Permission.REQUEST_CORRECTION, Permission.CONFIRM_CORRECTION},
    ],
)
def test_these_duties_are_kept_apart(pair):
    assert pair in [set(apart) for apart in APART]


@pytest.mark.req("ACC-14")
def test_a_person_must_not_be_user_administrator_and_nurse():
    assert unites_apart({Role.USER_ADMINISTRATOR, Role.STUDY_NURSE})
    assert not unites_apart({Role.COORDINATOR, Role.USER_ADMINISTRATOR})


@pytest.mark.parametrize("role", [Role.INSPECTOR, Role.MONITOR, Role.DSMB_READER, Role.DATA_MANAGER, Role.COORDINATOR])
def test_who_does_not_treat_patients_enters_nothing(role):
    assert not WRITING & PERMISSIONS[role]


@pytest.mark.req("ACC-03")
@pytest.mark.parametrize("role", [Role.COORDINATOR, Role.DATA_MANAGER, Role.USER_ADMINISTRATOR])
def test_the_sponsors_own_people_do_not_see_the_arm(role):
    assert Permission.VIEW_ARM not in PERMISSIONS[role]


@pytest.mark.req("ACC-14")
def test_the_user_administrator_sees_no_patient():
    assert Permission.VIEW_SUBJECT not in PERMISSIONS[Role.USER_ADMINISTRATOR]


def test_a_nurse_never_confirms_eligibility():
    assert set(roles_with(Permission.CONFIRM_ELIGIBILITY)) == {Role.INVESTIGATOR, Role.PRINCIPAL_INVESTIGATOR}


def test_every_task_that_is_delegated_needs_a_permission():
    assert set(TASK_PERMISSION) == set(Task)
