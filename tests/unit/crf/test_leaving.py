"""Which visits fall away, for every day of leaving: none that may have happened, all that cannot."""

import uuid
from calendar import monthrange
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crf.leaving import closed_for
from crf.models import ClosedFor
from pallsoft.audit.models import ChangeSet
from sites.days import first_day, last_day, shown
from sites.models import Death, Site, Stop, StopKind, Subject
from sites.participation import Participation

DAYS = st.dates(date(2024, 1, 1), date(2030, 12, 31))
LENGTHS = st.sampled_from([4, 7, 10])
pytestmark = pytest.mark.timeout(300)


def told(model, day, at=datetime(2031, 1, 1, 12, tzinfo=UTC), **facts):
    """A row that was recorded long after the day, unless `at` says otherwise."""
    subject = Subject(site=Site(timezone="Europe/Oslo"))
    return model(day=day, subject=subject, created_in=ChangeSet(id=uuid.uuid4(), at=at), **facts)


def dead(day):
    return Participation(death=told(Death, day))


def stopped(**days):
    return Participation(stops={kind: told(Stop, day, kind=kind) for kind, day in days.items()})


@pytest.mark.req("OPS-04")
@given(DAYS, LENGTHS, DAYS, st.booleans())
def test_a_visit_is_closed_when_its_day_is_after_every_day_the_death_can_mean(died, length, target, registers):
    known = died.isoformat()[:length]
    closed = closed_for(dead(known), target, from_registers=registers)
    possible = every_day(known)
    assert (closed is ClosedFor.DEAD) == all(target > day for day in possible)


def every_day(known):
    parts = [int(part) for part in known.split("-")]
    months = [parts[1]] if len(parts) > 1 else range(1, 13)
    for month in months:
        days = [parts[2]] if len(parts) > 2 else range(1, monthrange(parts[0], month)[1] + 1)
        yield from (date(parts[0], month, day) for day in days)


@given(DAYS, LENGTHS)
def test_the_ends_of_a_partial_day_are_its_first_and_last_possible_day(day, length):
    known = day.isoformat()[:length]
    possible = list(every_day(known))
    assert (first_day(known), last_day(known)) == (possible[0], possible[-1])


@given(DAYS, DAYS, DAYS)
def test_what_came_first_closes_the_visit(withdrew, died, target):
    both = Participation(death=told(Death, str(died)), stops=stopped(consent=str(withdrew)).stops)
    closed = closed_for(both, target, from_registers=False)
    assert (closed is None) == (target <= min(withdrew, died))
    if closed is not None and withdrew != died:
        assert closed is (ClosedFor.WITHDRAWN if withdrew < died else ClosedFor.DEAD)


@given(DAYS, st.sets(st.sampled_from(list(StopKind))))
def test_visits_in_registers_go_on_until_registers_are_stopped(day, kinds):
    after = day + timedelta(days=1)
    participation = stopped(**{kind.value: str(day) for kind in kinds})
    closed = closed_for(participation, after, from_registers=True)
    assert (closed is None) == (StopKind.REGISTERS not in kinds)


@given(st.sets(st.sampled_from([StopKind.TREATMENT, StopKind.QUESTIONNAIRES, StopKind.SAMPLES])), DAYS)
def test_other_stops_close_no_visit(kinds, day):
    participation = stopped(**{kind.value: "2024-01-01" for kind in kinds})
    assert closed_for(participation, day, from_registers=False) is None


@pytest.mark.req("PRV-03")
@pytest.mark.parametrize(
    ("day", "at", "latest"),
    [
        ("2026", datetime(2026, 9, 10, 12, tzinfo=UTC), date(2026, 9, 10)),
        ("2026-09", datetime(2026, 9, 10, 22, 30, tzinfo=UTC), date(2026, 9, 11)),  # after midnight in Bodø
        ("2026-08", datetime(2026, 9, 10, 12, tzinfo=UTC), date(2026, 8, 31)),
        ("2026-09-01", datetime(2026, 9, 10, 12, tzinfo=UTC), date(2026, 9, 1)),
    ],
)
def test_no_day_is_meant_that_came_after_it_was_recorded(day, at, latest):
    """What is told in September of "2026" did not happen in December."""
    assert Participation(death=told(Death, day, at)).last_possible_day == latest
    withdrawn = Participation(stops={StopKind.CONSENT: told(Stop, day, at, kind=StopKind.CONSENT)})
    assert withdrawn.collection_ends(from_registers=False) == latest
    assert closed_for(withdrawn, latest + timedelta(days=1), from_registers=False) is ClosedFor.WITHDRAWN


def test_a_visit_without_a_plan_is_never_closed():
    assert closed_for(dead("2024"), None, from_registers=False) is None


@pytest.mark.parametrize(
    ("day", "words"), [("2026-09-01", "01.09.2026"), ("2026-09", "09.2026"), ("2026", "2026"), ("", "–")]
)
def test_a_day_is_shown_as_far_as_it_is_known(day, words):
    assert shown(day) == words
