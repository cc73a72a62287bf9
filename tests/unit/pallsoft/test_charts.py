"""Geometry of the charts."""

import datetime as dt
from datetime import date

import pytest
from django.template.loader import render_to_string
from django.utils import translation

from pallsoft import charts

START, END = date(2026, 1, 12), date(2027, 6, 1)


def test_linear_maps_the_ends_of_the_domain_to_the_ends_of_the_span():
    scale = charts.linear((0, 200), (268, 16))
    assert [scale(0), scale(100), scale(200)] == [268, 142, 16]


def test_a_domain_without_extent_maps_to_the_start_of_the_span():
    assert charts.linear((5, 5), (10, 90))(5) == 10


@pytest.mark.parametrize(
    ("top", "ticks"),
    [
        (0, [0, 1]),
        (1, [0, 1]),
        (4, [0, 1, 2, 3, 4]),
        (7, [0, 2, 4, 6, 8]),
        (71, [0, 20, 40, 60, 80]),
        (200, [0, 50, 100, 150, 200]),
        (1001, [0, 500, 1000, 1500]),
    ],
)
def test_ticks_are_round_and_reach_the_top(top, ticks):
    assert charts.nice_ticks(top) == ticks


@pytest.mark.parametrize("top", range(1, 2000, 7))
def test_there_are_never_more_than_five_steps(top):
    ticks = charts.nice_ticks(top)
    assert len(ticks) <= 6
    assert ticks[-2] < top <= ticks[-1]


def test_a_step_line_keeps_its_value_until_the_next_point():
    assert charts.step_points([(0, 1), (5, 3)]) == [(0, 1), (5, 1), (5, 3)]
    assert charts.step_points([]) == []


def test_month_marks_are_first_days_and_few():
    months = charts.month_starts(START, END)
    assert months == [date(2026, 4, 1), date(2026, 7, 1), date(2026, 10, 1), date(2027, 1, 1), date(2027, 4, 1)]
    assert charts.month_starts(date(2026, 1, 1), date(2026, 3, 31)) == [date(2026, m, 1) for m in (1, 2, 3)]


def test_month_marks_of_forty_years_are_every_second_january():
    assert {month.month for month in charts.month_starts(date(2000, 5, 5), date(2040, 1, 1))} == {1}


@pytest.mark.parametrize(("value", "text"), [(12.0, "12"), (12.54, "12.5"), (-0.02, "0"), (1234.56, "1234.6")])
def test_coordinates_are_short_and_have_a_point(value, text):
    assert charts.coordinate(value) == text


def test_a_step_chart_needs_a_point():
    with pytest.raises(ValueError, match="at least one point"):
        charts.step_chart([])


def test_a_step_chart_draws_actual_under_its_target():
    chart = charts.step_chart([(START, 0), (date(2026, 9, 15), 71)], target=[(START, 0), (END, 200)])
    assert [tick.value for tick in chart.y_ticks] == [0, 50, 100, 150, 200]
    assert chart.target == "44,268 696,32"
    assert chart.actual.startswith("44,268 ")
    assert chart.last[2] == 71
    assert chart.rows[-1][2] == pytest.approx(97.4, abs=0.1)


def test_a_single_point_draws_a_dot_and_no_target():
    chart = charts.step_chart([(START, 3)])
    assert (chart.last[0], chart.target) == ("44", "")
    assert chart.rows == [(START, 3, None)]


def test_bars_start_at_a_common_zero_and_the_longest_fills_the_track():
    chart = charts.bar_chart([("Tromsø", 10), ("Bodø", 5), ("Ålesund", 0)])
    assert [bar.length for bar in chart.bars] == [str(chart.track), str(chart.track // 2), "0"]
    assert charts.bar_chart([("Bodø", 0)]).bars[0].length == "0"


@pytest.mark.parametrize("language", ["nb", "en"])
def test_the_drawing_has_points_in_coordinates_in_both_languages(language):
    chart = charts.step_chart([(START, 0), (date(2026, 9, 15), 71)], target=[(START, 0), (END, 200)])
    with translation.override(language):
        svg = render_to_string("_components/charts/step.html", {"chart": chart, "id": "a", "title": "Inkluderte"})
    assert f'points="{chart.actual}"' in svg
    assert f'cx="{chart.last[0]}"' in svg


def test_every_chart_carries_its_table():
    chart = charts.bar_chart([("Bodø", 1234)])
    with translation.override("nb"):
        html = render_to_string(
            "_components/charts/bars.html", {"chart": chart, "id": "b", "title": "Per senter", "unit": "inkludert"}
        )
    assert '<th scope="row">Bodø</th><td class="num">1\xa0234</td>' in html


def test_a_sparkline_is_broken_where_nothing_was_measured():
    days = [START, START + dt.timedelta(days=10), START + dt.timedelta(days=20), START + dt.timedelta(days=40)]
    drawn = charts.sparkline(list(zip(days, [0, 10, None, 5], strict=True)), (0, 10))
    assert drawn.lines == ["6,34 43,6"]
    assert drawn.dots == [("6", "34"), ("43", "6"), ("154", "20")]


def test_a_sparkline_without_a_point_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        charts.sparkline([], (0, 10))
