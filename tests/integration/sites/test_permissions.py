"""Assignments and delegations as the database sees them: which site, which day."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db.models import Value
from django.db.models.functions import Now

from pallsoft.accounts.models import Profession
from pallsoft.errors import NotPermitted
from sites import services
from sites.clock import LocalDate, local_today
from sites.models import Assignment, Role, Site, Task
from sites.permissions import (
    Permission,
    granting_role,
    has_delegation,
    has_permission,
    may_perform,
    permissions_anywhere,
    require,
    require_anywhere,
    require_task,
    sites_for,
    studies_for,
)

ENTER = Permission.ENTER_DATA


@pytest.fixture
def today(bodo):
    return local_today(bodo.timezone)


@pytest.mark.req("ACC-01")
def test_without_an_assignment_nothing_is_allowed(make_user, study, bodo):
    nobody = make_user("ingen", "Ingen Rolle")
    assert permissions_anywhere(nobody, study) == set()
    assert not any(has_permission(nobody, permission, study, bodo) for permission in Permission)


@pytest.mark.req("ACC-01")
def test_who_has_not_signed_in_may_nothing(study, bodo):
    assert not has_permission(AnonymousUser(), ENTER, study, bodo)
    assert not has_delegation(AnonymousUser(), Task.RANDOMIZE, bodo)
    assert not studies_for(AnonymousUser())


@pytest.mark.req("ACC-02")
def test_a_role_at_one_site_holds_there_only(crc, study, bodo, tromso):
    assert has_permission(crc, ENTER, study, bodo)
    assert not has_permission(crc, ENTER, study, tromso)
    assert list(sites_for(crc, study, ENTER)) == [bodo]


def test_a_role_at_one_site_is_none_for_the_study_as_a_whole(crc, study):
    assert not has_permission(crc, Permission.VIEW_RECRUITMENT, study)
    require_anywhere(crc, Permission.VIEW_RECRUITMENT, study)


def test_a_role_for_all_sites_holds_at_each(inspector, study, bodo, tromso):
    assert set(sites_for(inspector, study, Permission.VIEW_TRAIL)) == {bodo, tromso}
    assert has_permission(inspector, Permission.VIEW_TRAIL, study)


def test_require_tells_the_role_and_prefers_the_one_at_the_site(make_user, study, bodo):
    both = make_user("to", "To Roller", Role.INSPECTOR)
    services.assign_role(study=study, user=both, role=Role.INVESTIGATOR, site=bodo, by=None)
    assert granting_role(both, Permission.VIEW_SUBJECT, study, bodo) == Role.INVESTIGATOR
    assert require(both, Permission.VIEW_SUBJECT, study) == Role.INSPECTOR


def test_a_refusal_says_whom_to_ask(monitor, study, bodo):
    with pytest.raises(NotPermitted, match="administrator"):
        require(monitor, ENTER, study, bodo)


def test_a_page_for_no_role_of_the_person_is_refused(admin, study):
    with pytest.raises(NotPermitted):
        require_anywhere(admin, Permission.VIEW_SUBJECT, study)


@pytest.mark.parametrize(
    ("starts", "ends", "holds"),
    [(0, 0, True), (-9, 0, True), (0, 9, True), (0, None, True), (1, None, False), (-9, -1, False)],
)
def test_an_assignment_holds_from_its_first_to_its_last_day(make_user, study, bodo, today, starts, ends, holds):
    user = make_user("vikar", "Vikar Ås")
    services.assign_role(
        study=study,
        user=user,
        role=Role.STUDY_NURSE,
        site=bodo,
        valid_from=today + timedelta(days=starts),
        valid_until=None if ends is None else today + timedelta(days=ends),
        by=None,
    )
    assert has_permission(user, ENTER, study, bodo) is holds


@pytest.mark.req("SIG-06")
def test_a_closed_account_may_nothing(crc, admin, study, bodo):
    services.deactivate_user(study=study, user=crc, by=admin, reason="har sluttet")
    assert not has_permission(crc, ENTER, study, bodo)
    assert not has_delegation(crc, Task.RANDOMIZE, bodo)


@pytest.mark.req("DAT-08")
@pytest.mark.parametrize(
    ("instant", "day"),
    [
        (datetime(2026, 7, 21, 21, 59, 59, tzinfo=UTC), "2026-07-21"),
        (datetime(2026, 7, 21, 22, 0, 0, tzinfo=UTC), "2026-07-22"),
        (datetime(2026, 12, 31, 22, 59, 59, tzinfo=UTC), "2026-12-31"),
        (datetime(2026, 12, 31, 23, 0, 0, tzinfo=UTC), "2027-01-01"),
    ],
)
def test_the_day_changes_at_midnight_of_the_site(bodo, instant, day):
    local = LocalDate(Value(instant), "timezone")
    assert Site.objects.annotate(day=local).get(pk=bodo.pk).day.isoformat() == day


def test_each_site_has_its_own_day(study):
    """West of the date line it is never the same day as east of it."""
    zones = ("Pacific/Pago_Pago", "Pacific/Kiritimati")
    for code, zone in zip(("PAG", "KIR"), zones, strict=True):
        services.create_site(study=study, code=code, name=zone, city=zone, timezone=zone, by=None)
    days = Site.objects.filter(timezone__in=zones).annotate(day=LocalDate(Now(), "timezone")).values_list("day")
    assert len(set(days)) == 2


def test_an_assignment_holds_by_the_day_of_its_own_site(make_user, study):
    far = services.create_site(
        study=study, code="KIR", name="Kiritimati", city="Kiritimati", timezone="Pacific/Kiritimati", by=None
    )
    user = make_user("langt", "Langt Øst", Role.STUDY_NURSE, far)
    assert Assignment.objects.get(user=user).valid_from == local_today("Pacific/Kiritimati")
    assert has_permission(user, ENTER, study, far)


@pytest.mark.req("RND-01")
def test_a_delegated_task_is_the_persons_and_no_other_task_is(crc, bodo):
    assert has_delegation(crc, Task.RANDOMIZE, bodo)
    assert not has_delegation(crc, Task.REPORT_SAE, bodo)


def test_a_delegation_at_one_site_is_none_at_another(crc, tromso):
    assert not has_delegation(crc, Task.RANDOMIZE, tromso)


@pytest.mark.parametrize(("on", "holds"), [(-1, False), (0, True), (3, True), (4, False)])
def test_a_delegation_counts_its_last_day(pi, make_user, delegate, bodo, today, on, holds):
    deputy = make_user("vikar", "Vikar Ås", Role.INVESTIGATOR, bodo, Profession.PHYSICIAN)
    delegate(deputy, Task.SIGN, bodo, valid_until=today + timedelta(days=3))
    assert has_delegation(deputy, Task.SIGN, bodo, on=today + timedelta(days=on)) is holds


def test_the_principal_investigator_needs_no_delegation(pi, bodo):
    assert require_task(pi, Task.CONFIRM_ELIGIBILITY, bodo) is None


def test_require_task_names_the_delegation(investigator, bodo):
    delegation = require_task(investigator, Task.CONFIRM_ELIGIBILITY, bodo)
    assert (delegation.task, delegation.delegated_by.full_name) == (Task.CONFIRM_ELIGIBILITY, "Ragnhild Øvergård")


def test_without_the_task_the_person_learns_whom_to_ring(pi, make_user, bodo):
    doctor = make_user("lege", "Ny Lege", Role.INVESTIGATOR, bodo, Profession.PHYSICIAN)
    with pytest.raises(NotPermitted, match="Ragnhild Øvergård"):
        require_task(doctor, Task.CONFIRM_ELIGIBILITY, bodo)


def test_where_there_is_no_principal_investigator_the_coordinator_is_rung(make_user, tromso):
    doctor = make_user("lege", "Ny Lege", Role.INVESTIGATOR, tromso, Profession.PHYSICIAN)
    with pytest.raises(NotPermitted, match=r"koordinator|coordinator"):
        require_task(doctor, Task.CONFIRM_ELIGIBILITY, tromso)


def test_even_as_principal_investigator_only_a_physician_confirms_eligibility(make_user, tromso):
    leader = make_user("leder", "Leder Uten Lisens", Role.PRINCIPAL_INVESTIGATOR, tromso)
    assert not may_perform(leader, Task.CONFIRM_ELIGIBILITY, tromso)
    assert may_perform(leader, Task.SIGN, tromso)


def test_a_delegation_without_the_role_is_worth_nothing(investigator, admin, bodo, today):
    assignment = Assignment.objects.get(user=investigator)
    services.end_assignment(assignment=assignment, last_day=today - timedelta(days=1), by=admin, reason="sluttet")
    assert has_delegation(investigator, Task.RANDOMIZE, bodo)
    assert not may_perform(investigator, Task.RANDOMIZE, bodo)
