"""Target days and windows: whole calendar days, both ends inside, the same on DST nights and leap days."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crf.models import StudyEvent
from crf.schedule import Timing, VisitState, planned_events, state_of, timing
from tests.unit.crf.definitions import event, study

PLAN = study(
    events=[
        event("START", kind="screening"),
        event("TREAT", kind="treatment", day="0", before="0", after="14"),
        event("WK2", day="14", before="3", after="3"),
        event("ALIVE", kind="repeating", day="91", before="30", after="30", every_days="91", until_days="730"),
        event("ALWAYS", kind="log"),
        event("EXTRA", kind="treatment"),
    ]
)


def target(anchor, oid, ordinal=1):
    return next(p for p in planned_events(PLAN, anchor) if (p.event_oid, p.ordinal) == (oid, ordinal))


def test_visits_count_from_day_0_and_those_without_a_day_are_not_planned():
    planned = planned_events(PLAN, date(2026, 9, 1))
    assert {p.event_oid for p in planned} == {"TREAT", "WK2", "ALIVE"}
    week_2 = target(date(2026, 9, 1), "WK2")
    assert (week_2.window_from, week_2.target_on, week_2.window_to) == (
        date(2026, 9, 12),
        date(2026, 9, 15),
        date(2026, 9, 18),
    )


def test_a_visit_can_be_counted_from_another_day_than_day_0_and_waits_until_it_is_known():
    later = study(events=[event("AFTER", kind="treatment", day="28", before="7", after="7", counted_from="1 + 1")])
    assert planned_events(later, date(2026, 9, 1)) == []
    (planned,) = planned_events(later, date(2026, 9, 1), {"AFTER": 30})
    assert planned.target_on == date(2026, 9, 1) + timedelta(days=58)


def test_a_repeating_visit_ends_at_its_bound():
    ordinals = [p.ordinal for p in planned_events(PLAN, date(2026, 9, 1)) if p.event_oid == "ALIVE"]
    assert ordinals == list(range(1, 9)), "91, 182, … 728 days"


@pytest.mark.parametrize(
    ("anchor", "expected"),
    [
        (date(2026, 3, 22), date(2026, 4, 5)),  # over the night of 29 March, when the clock goes forward
        (date(2026, 10, 18), date(2026, 11, 1)),  # over the night of 25 October
        (date(2028, 2, 15), date(2028, 2, 29)),
        (date(2027, 2, 15), date(2027, 3, 1)),
        (date(2026, 12, 17), date(2026, 12, 31)),
        (date(2026, 12, 31), date(2027, 1, 14)),
        (date(2028, 2, 29), date(2028, 3, 14)),
    ],
)
@pytest.mark.req("DAT-08")
def test_calendar_days_are_counted_over_clock_changes_leap_days_and_new_year(anchor, expected):
    assert target(anchor, "WK2").target_on == expected


@pytest.mark.parametrize(
    ("offset", "expected"),
    [
        (-4, Timing.EARLY),
        (-3, Timing.IN_WINDOW),
        (-2, Timing.IN_WINDOW),
        (0, Timing.IN_WINDOW),
        (2, Timing.IN_WINDOW),
        (3, Timing.IN_WINDOW),
        (4, Timing.LATE),
    ],
)
def test_both_ends_belong_to_the_window(offset, expected):
    week_2 = target(date(2026, 10, 12), "WK2")
    day = week_2.target_on + timedelta(days=offset)
    assert timing(day, week_2.window_from, week_2.window_to) is expected


# The windows of a visit two weeks after day 0 that begin, lie or end where calendars go wrong.
AWKWARD = [
    date(2026, 3, 15),  # target on 29 March, when the clock goes forward
    date(2026, 10, 11),  # target on 25 October, when it goes back
    date(2028, 2, 15),  # target on 29 February
    date(2028, 2, 12),  # 29 February is the last day of the window
    date(2026, 12, 17),  # target on 31 December
    date(2026, 12, 14),  # 31 December is the last day
    date(2027, 12, 20),  # 31 December is the first
]


@pytest.mark.req("DAT-08")
@pytest.mark.parametrize("anchor", AWKWARD)
@pytest.mark.parametrize(
    ("end", "offset", "expected"),
    [
        ("window_from", -1, VisitState.TO_COME),
        ("window_from", 0, VisitState.DUE),
        ("window_from", 1, VisitState.DUE),
        ("target_on", -1, VisitState.DUE),
        ("target_on", 0, VisitState.DUE),
        ("target_on", 1, VisitState.DUE),
        ("window_to", -1, VisitState.DUE),
        ("window_to", 0, VisitState.DUE),
        ("window_to", 1, VisitState.OVERDUE),
    ],
)
def test_due_and_overdue_one_day_around_each_boundary(anchor, end, offset, expected):
    week_2 = target(anchor, "WK2")
    assert state_of(visit(week_2), getattr(week_2, end) + timedelta(days=offset)) is expected


def visit(planned, **more):
    return StudyEvent(window_from=planned.window_from, window_to=planned.window_to, **more)


@given(st.dates(date(1950, 1, 1), date(2090, 1, 1)), st.integers(-40, 40))
def test_what_is_done_or_not_done_is_never_due(anchor, offset):
    week_2 = target(anchor, "WK2")
    today = week_2.target_on + timedelta(days=offset)
    assert state_of(visit(week_2, happened_on=anchor), today) is VisitState.DONE
    assert state_of(visit(week_2, not_done_reason="for syk"), today) is VisitState.NOT_DONE
    assert state_of(StudyEvent(), today) is VisitState.NO_DATE


def test_without_a_window_nothing_is_early_or_late():
    assert timing(date(2026, 9, 1), None, None) is Timing.NO_WINDOW
    assert timing(date(2026, 9, 1), date(2026, 9, 1), None) is Timing.NO_WINDOW


@given(st.dates(date(1950, 1, 1), date(2090, 1, 1)))
def test_a_window_holds_its_target_and_has_its_length(anchor):
    for planned in planned_events(PLAN, anchor):
        assert planned.window_from <= planned.target_on <= planned.window_to
    assert (target(anchor, "WK2").window_to - target(anchor, "WK2").window_from).days == 6
