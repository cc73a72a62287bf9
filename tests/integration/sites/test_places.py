"""Sites and the study: states, versions, the emergency stop."""

from datetime import date, timedelta

import pytest

from pallsoft.audit.models import ChangeSet
from pallsoft.errors import InvalidInput, NotAllowedNow, NotPermitted
from sites import services
from sites.clock import local_today
from sites.models import TRANSITIONS, Site
from sites.policies import can_enter, can_randomize, check_can_enter
from trials.models import Status, Study

EVERY = [(here, there) for here in Status for there in Status]


@pytest.fixture
def skien(study):
    return services.create_site(study=study, code="SKI", name="Sykehuset Telemark HF, Skien", city="Skien", by=None)


def put(site, status):
    """The site as if it were in that state; the way there is not what is tested."""
    path = {Status.PLANNED: [], Status.OPEN: [Status.OPEN], Status.PAUSED: [Status.OPEN, Status.PAUSED]}
    path[Status.CLOSED_TO_RECRUITMENT] = [Status.OPEN, Status.CLOSED_TO_RECRUITMENT]
    path[Status.CLOSED_OUT] = [*path[Status.CLOSED_TO_RECRUITMENT], Status.CLOSED_OUT]
    for step in path[status]:
        site = services.set_site_status(site=site, status=step, since=date(2025, 1, 1), by=None, reason="test")
    return site


def test_a_new_site_is_planned(skien):
    assert (skien.status, skien.status_since) == (Status.PLANNED, None)


def test_a_code_is_used_once(coordinator, skien, study):
    with pytest.raises(InvalidInput):
        services.create_site(study=study, code="SKI", name="En til", city="Skien", by=coordinator)


@pytest.mark.parametrize(("here", "there"), EVERY, ids=lambda state: state.value)
def test_a_site_moves_only_along_the_transitions(coordinator, skien, here, there):
    site = put(skien, here)
    move = {"site": site, "status": there, "since": date(2025, 1, 1), "by": coordinator, "reason": "besluttet"}
    if there in TRANSITIONS[here]:
        assert services.set_site_status(**move).status == there
    else:
        with pytest.raises(NotAllowedNow):
            services.set_site_status(**move)


def test_the_day_of_a_state_is_kept(coordinator, bodo):
    day = local_today(bodo.timezone)
    services.set_site_status(site=bodo, status=Status.PAUSED, since=day, by=coordinator, reason="ferie")
    assert Site.objects.get(pk=bodo.pk).status_since == day


@pytest.mark.parametrize("day", ["future", "before the present state"])
def test_an_impossible_day_is_refused(coordinator, bodo, day):
    since = local_today(bodo.timezone) + timedelta(days=1) if day == "future" else date(2024, 12, 9)
    with pytest.raises(InvalidInput):
        services.set_site_status(site=bodo, status=Status.PAUSED, since=since, by=coordinator, reason="ferie")


@pytest.mark.parametrize(
    ("state", "enters", "randomizes"),
    [
        (Status.PLANNED, False, False),
        (Status.OPEN, True, True),
        (Status.PAUSED, True, False),
        (Status.CLOSED_TO_RECRUITMENT, True, False),
        (Status.CLOSED_OUT, False, False),
    ],
    ids=lambda value: str(value),
)
@pytest.mark.req("RND-13")
def test_what_a_site_may_do_in_each_state(study, skien, state, enters, randomizes):
    site = put(skien, state)
    assert (can_enter(site), can_randomize(study, site)) == (enters, randomizes)


def test_the_refusal_names_the_state(skien):
    with pytest.raises(NotAllowedNow, match=r"Planlagt|Planned"):
        check_can_enter(skien)


def test_a_closed_study_stops_entry_at_its_open_sites(coordinator, study, bodo):
    for status in (Status.CLOSED_TO_RECRUITMENT, Status.CLOSED_OUT):
        services.set_study_status(study=study, status=status, by=coordinator, reason="slutt")
    site = Site.objects.select_related("study").get(pk=bodo.pk)
    assert not can_enter(site)


def test_a_study_moves_only_along_the_transitions(coordinator, study):
    with pytest.raises(NotAllowedNow):
        services.set_study_status(study=study, status=Status.PLANNED, by=coordinator, reason="angret")


@pytest.mark.req("RND-14")
def test_the_emergency_stop_halts_every_site(coordinator, study, bodo, tromso):
    services.stop_randomization(study=study, by=coordinator, reason="SUSAR")
    stopped = Study.objects.get(pk=study.pk)
    assert not any(can_randomize(stopped, site) for site in (bodo, tromso))


@pytest.mark.req("RND-14")
def test_after_a_stop_randomisation_can_be_started_again(coordinator, study, bodo):
    services.stop_randomization(study=study, by=coordinator, reason="SUSAR")
    study = services.resume_randomization(study=study, by=coordinator, reason="avklart")
    assert can_randomize(study, bodo)


@pytest.mark.req("RND-14")
def test_the_stop_is_in_the_trail_with_its_reason(coordinator, study):
    services.stop_randomization(study=study, by=coordinator, reason="SUSAR i Oslo")
    stop = ChangeSet.objects.get(action="sites.stop_randomization")
    assert (stop.actor_name, stop.reason, stop.study_id) == ("Liv Sæther", "SUSAR i Oslo", study.pk)


@pytest.mark.parametrize("name", ["pi", "crc", "data_manager", "monitor", "admin", "inspector"])
def test_only_the_coordinator_manages_sites_and_study(request, name, study, bodo):
    user = request.getfixturevalue(name)
    with pytest.raises(NotPermitted):
        services.stop_randomization(study=study, by=user, reason="x")
    with pytest.raises(NotPermitted):
        services.set_study_status(study=study, status=Status.PAUSED, by=user, reason="x")
    with pytest.raises(NotPermitted):
        services.set_site_status(site=bodo, status=Status.PAUSED, since=date(2025, 1, 1), by=user, reason="x")


def approve(site, study, by, **changes):
    facts = {"ethics_approved_on": date(2026, 1, 1), "ethics_reference": "606316", "active_from": date(2026, 1, 1)}
    return services.approve_version(site=site, version=study.versions.get(), **facts | changes, by=by)


def test_a_version_is_approved_per_site(coordinator, study, skien):
    assert approve(skien, study, coordinator).active_from == date(2026, 1, 1)


def test_a_version_is_not_used_before_its_approval(coordinator, study, skien):
    with pytest.raises(InvalidInput):
        approve(skien, study, coordinator, active_from=date(2025, 12, 31))


def test_a_version_is_approved_once(coordinator, study, bodo):
    with pytest.raises(InvalidInput):
        approve(bodo, study, coordinator)
