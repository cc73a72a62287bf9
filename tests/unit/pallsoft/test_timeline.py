"""Geometry of the timeline: days to scale, labels that never touch, nothing outside the drawing."""

from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from pallsoft import timeline
from pallsoft.timeline import LETTER, ROW, SIDE, WIDTH, Lane, Mark, Window

START, END = date(2026, 3, 1), date(2026, 9, 16)  # two hundred days, over a change of the clock
PER_DAY = (WIDTH - 2 * SIDE) / 200


def draw(**changes):
    wanted = {"start": START, "end": END, "today": date(2026, 6, 1), "lived_until": date(2026, 6, 1)}
    return timeline.timeline(**wanted | {"marks": [], "windows": [], "lanes": []} | changes)


def window(first, last, label="Uke 2", **more):
    return Window(label, first, last, "due", **more)


def test_a_window_is_as_wide_as_its_days_also_over_the_night_of_summer_time():
    drawn = draw(windows=[window(date(2026, 3, 27), date(2026, 4, 2)), window(date(2026, 5, 1), date(2026, 5, 7))])
    assert {float(band.width) for band in drawn.bands} == {round(7 * PER_DAY, 1)}
    assert float(drawn.bands[0].x) == round(SIDE + 26 * PER_DAY, 1)


def test_what_happened_on_a_day_stands_in_the_middle_of_it():
    (band,) = draw(windows=[window(START, START, done=START, target=START)]).bands
    assert float(band.done) == float(band.target) == round(SIDE + PER_DAY / 2, 1)


def test_what_lies_outside_is_cut_off_and_what_is_short_is_still_seen():
    long_ago, later = START - timedelta(days=400), END + timedelta(days=400)
    (box,) = draw(lanes=[Lane("Hendelser", [Mark(long_ago, until=later)])]).lanes[0].boxes
    assert (float(box.x), float(box.width)) == (SIDE, WIDTH - 2 * SIDE)
    (box,) = timeline.timeline(
        start=START, end=date(2046, 3, 1), today=START, lived_until=START, marks=[], windows=[],
        lanes=[Lane("Hendelser", [Mark(START)])],
    ).lanes[0].boxes  # fmt: skip
    assert float(box.width) == 4


def test_today_is_drawn_only_where_it_lies_within():
    assert draw().today and not draw(today=END + timedelta(days=1)).today


@given(st.lists(st.tuples(st.integers(0, 199), st.text("abcdefgh ", min_size=1, max_size=24)), min_size=1, max_size=14))
def test_no_label_touches_another_or_leaves_the_drawing(wanted):
    drawn = draw(marks=[Mark(START + timedelta(days=day), label) for day, label in wanted])
    rows = {}
    for label in drawn.marks:
        start = float(label.x) - (len(label.text) * LETTER if label.anchor == "end" else 0)
        span = (start, start + len(label.text) * LETTER)
        assert span[0] >= SIDE - 0.1 and span[1] <= WIDTH - SIDE + 0.1 and float(label.y) >= ROW / 2
        rows.setdefault(label.y, []).append(span)
    for spans in rows.values():
        spans.sort()
        assert all(later[0] >= earlier[1] for earlier, later in pairwise(spans))
