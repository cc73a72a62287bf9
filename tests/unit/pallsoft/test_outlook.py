"""What the recruitment page says of the target: figures where there are any, else a sentence."""

import datetime as dt
from collections import Counter
from dataclasses import replace

import pytest
from django.template.loader import render_to_string
from django.utils import translation

from pallsoft.outlook import FEWEST, outlook_of
from pallsoft.recruiting_sites import SiteRecruitment, open_spells
from sites.models import Site

TODAY = dt.date(2026, 11, 27)
TOMORROW = TODAY + dt.timedelta(days=1)
COURSE = [("open", dt.date(2026, 1, 10)), ("paused", dt.date(2026, 3, 1)), ("open", dt.date(2026, 11, 20))]


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


def site(included, *, days=300, recruits=True, city="Bodø"):
    """Open for so many days, today included; the inclusions a fortnight apart, the last ten days ago."""
    by_day = Counter(TODAY - dt.timedelta(days=10 + 14 * n) for n in range(included))
    spells = [(TOMORROW - dt.timedelta(days=days), TOMORROW)] if days else []
    return SiteRecruitment(Site(city=city), spells, recruits, by_day, Counter(), Counter(), Counter())


FOUR = [site(12, city="Bodø"), site(5, city="Tromsø"), site(9, city="Oslo"), site(2, city="Ålesund")]


def test_a_site_is_open_from_the_day_it_opened_to_the_day_before_it_paused():
    assert open_spells(COURSE, TODAY) == [
        (dt.date(2026, 1, 10), dt.date(2026, 3, 1)),
        (dt.date(2026, 11, 20), TOMORROW),
    ]


def test_today_counts_as_a_day_and_a_site_that_opened_and_paused_on_one_day_has_none():
    assert open_spells([("open", TODAY)], TODAY) == [(TODAY, TOMORROW)]
    assert open_spells([("open", TODAY), ("paused", TODAY)], TODAY) == []


def test_a_site_without_an_opening_date_never_was_open():
    assert open_spells([("open", None), ("paused", TODAY)], TODAY) == open_spells([], TODAY) == []


def test_the_forecast_reaches_the_target_in_its_own_bands():
    found = outlook_of(FOUR, 60, TODAY)
    assert found.refusal == "" and found.changed is None
    assert sorted(found.as_is.days) == found.as_is.days
    future = [point for point in found.points if point.expected]
    assert all(sorted(point.expected) == list(point.expected) for point in future)
    assert future[-1].day == found.as_is.days[-1] and future[-1].expected[0] == 60
    assert all(point.expected[-1] <= 60 for point in future)


def test_the_table_counts_what_was_included_by_then():
    past = [(point.day, point.included) for point in outlook_of(FOUR, 60, TODAY).points if not point.expected]
    assert past[-1] == (TODAY, 28)
    every = sum((row.by_day for row in FOUR), Counter())
    assert all(count == sum(n for day, n in every.items() if day <= on) for on, count in past)


def test_more_sites_reach_the_target_sooner_and_fewer_later():
    sooner, later = (outlook_of(FOUR, 60, TODAY, **change) for change in ({"opened": 4}, {"closed": 2}))
    assert sooner.changed.days[2] < sooner.as_is.days[2] == later.as_is.days[2] < later.changed.days[2]
    assert [len(cells) for _label, cells in sooner.answers] == [2, 2, 2]
    assert "4 sites more" in sooner.remarks[1] and "2 fewer" in later.remarks[1]


def test_a_target_that_is_far_away_is_said_to_be_so():
    found = outlook_of([site(6, days=3000)], 4000, TODAY)
    assert found.as_is.spans[0] == "after Nov 2036"
    assert found.points[-1].day == found.as_is.limit


@pytest.mark.parametrize(
    ("rows", "target", "sentence"),
    [
        ([], 200, "No site has an opening date yet"),
        ([site(0, days=0)], 200, "No site has an opening date yet"),
        ([site(9, days=0)], 200, "No site has an opening date yet"),
        ([site(0)], 200, "0 participants are included so far."),
        ([site(1)], 200, "1 participant is included so far."),
        ([site(FEWEST - 1)], 200, "4 participants are included so far."),
        ([site(9, days=0), site(1)], 200, "1 participant is included so far."),
        ([site(12), site(9)], 21, "The target of 21 was reached on 17\xa0Nov\xa02026."),
        ([site(12), site(9)], 20, "The target of 20 was reached on 17\xa0Nov\xa02026."),
        ([site(12, recruits=False), site(9, recruits=False)], 200, "No site recruits"),
    ],
    ids=["no site", "planned", "never open", "none", "one", "few", "one while open", "reached", "passed", "closed"],
)
def test_bad_input_gets_a_sentence_and_no_curve(rows, target, sentence):
    found = outlook_of(rows, target, TODAY)
    assert found.refusal.startswith(sentence)
    assert (found.as_is, found.changed, found.chart.bands, found.chart.middle) == (None, None, [], "")
    assert not any(point.expected for point in found.points)


def test_closing_all_sites_gets_a_sentence_and_opening_others_a_forecast():
    assert outlook_of(FOUR, 60, TODAY, closed=4).refusal.startswith("No site recruits")
    stopped = [replace(row, recruits=False) for row in FOUR]
    found = outlook_of(stopped, 60, TODAY, opened=3)
    assert (found.refusal, found.as_is) == ("", None)
    assert found.answers[0][1] == [found.changed.spans[0], "no site recruits"]


def test_a_site_without_an_opening_date_is_named():
    found = outlook_of([*FOUR, site(0, days=0, recruits=False, city="Skien")], 60, TODAY)
    assert found.remarks[-1] == "Not counted in the forecast, as no opening date is known: Skien."
    assert found.as_is == outlook_of(FOUR, 60, TODAY).as_is


def test_the_assumption_says_how_many_sites_go_on_and_whether_the_spread_is_ours():
    assert "the 4 sites that recruit today go on" in outlook_of(FOUR, 60, TODAY).remarks[0]
    assert "estimated" in outlook_of(FOUR, 60, TODAY).remarks[1]
    assert "our default" in outlook_of(FOUR[:2], 60, TODAY).remarks[1]


@pytest.mark.parametrize("language", ["nb", "en"])
def test_the_figure_carries_its_table_and_its_bands(language):
    found = outlook_of(FOUR, 60, TODAY)
    with translation.override(language):
        context = {"chart": found.chart, "points": found.points, "id": "f", "title": "Prognose"}
        svg = render_to_string("_components/charts/forecast.html", context)
    assert all(f'points="{band}"' in svg for band in found.chart.bands) and len(found.chart.bands) == 2
    assert svg.count('<th scope="row">') == len(found.points)
