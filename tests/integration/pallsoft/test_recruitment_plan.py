"""The plan beside what was recruited: a straight line from its first day to its last."""

import csv
import datetime as dt
import io

import pytest
from django.db import connection
from django.urls import reverse

from pallsoft import charts
from pallsoft.outlook import outlook_of
from sites.clock import local_today
from tests.fixtures.crowd import crowd  # noqa: F401
from trials.definition import RecruitmentPlan

PLAN = RecruitmentPlan(start=dt.date(2026, 1, 1), end=dt.date(2026, 4, 11), source="default")  # a hundred days
ON_DAY = """SELECT floor(200 * (least(greatest(%(day)s::date, %(start)s::date), %(end)s::date) - %(start)s::date)
    / (%(end)s::date - %(start)s::date)::numeric)"""


@pytest.mark.parametrize(
    ("day", "planned"),
    [
        (dt.date(2025, 12, 1), 0),
        (dt.date(2026, 1, 1), 0),
        (dt.date(2026, 1, 11), 5),
        (dt.date(2026, 1, 12), 5),
        (dt.date(2026, 4, 11), 50),
        (dt.date(2027, 1, 1), 50),
    ],
)
def test_the_plan_goes_evenly_from_its_first_day_to_its_last(day, planned):
    found = outlook_of([], 50, day, plan=PLAN)
    assert found.points[-1].planned == planned
    assert f"Etter planen skulle {planned} vært inkludert i dag" in found.remarks[0]


def test_without_a_plan_nothing_is_said_of_one():
    found = outlook_of([], 50, dt.date(2026, 2, 1))
    assert (found.chart.plan, found.points[-1].planned, found.remarks) == ("", None, [])


def test_the_line_is_drawn_as_far_as_the_figure_goes():
    actual = [(dt.date(2026, 1, 1), 0), (dt.date(2026, 1, 21), 4)]
    line = [(PLAN.start, 0), (PLAN.end, 50)]
    left, right, base = charts.LEFT, charts.FORECAST_WIDTH - charts.RIGHT, charts.HEIGHT - charts.BOTTOM
    height = charts.linear((0, 50), (base, charts.TOP))
    assert charts.forecast_chart(actual, [], 50, line).plan == charts.points_text([(left, base), (right, height(10))])
    assert charts.forecast_chart(actual, [], 50, [(dt.date(2027, 1, 1), 0), (dt.date(2027, 2, 1), 50)]).plan == ""


@pytest.mark.django_db(transaction=True)
def test_page_and_csv_show_the_same_plan_as_the_database_counts(crowd, sign_in, study, coordinator, definition):  # noqa: F811
    crowd(1)
    plan, client = definition.study.recruitment, sign_in(coordinator, "en")
    page = client.get(reverse("recruitment", args=[study.oid])).content.decode()
    text = client.get(reverse("recruitment-csv", args=[study.oid, "forecast"])).content.decode()
    lines = list(csv.DictReader(io.StringIO(text)))
    with connection.cursor() as cursor:
        for line in lines:
            cursor.execute(ON_DAY, {"day": line["DAY"], "start": plan.start, "end": plan.end})
            assert int(line["PLANNED"]) == cursor.fetchone()[0]
    [today] = [line for line in lines if line["DAY"] == str(local_today("Europe/Oslo"))]
    assert f"By the plan {today['PLANNED']} would be included today; {today['INCLUDED']} are." in page
    assert 'class="chart-plan" points=' in page
