"""Each number of the recruitment page, counted again by a statement of its own."""

import csv
import datetime as dt
import io
import re
import uuid
from html import unescape

import pytest
from django.db import connection
from django.urls import reverse

from crf.services import record_screen_failure
from pallsoft.charts import sparkline
from pallsoft.recruiting_sites import AFTER_CONSENT, recruitment_by_site
from randomization.services import confirm_late, report_late
from sites import services
from sites.clock import database_now, local_today
from sites.models import ScreeningOutcome, SubjectStatus
from tests.fixtures.randomizing import (  # noqa: F401
    definition,
    fill,
    list_file,
    make_ready,
    open_list,
)
from trials.models import Status

pytestmark = pytest.mark.django_db(transaction=True)
DAYS_AGO = [41, 30, 30, 20, 9, 2, 0]
COUNTED = """
SELECT p.city,
    (SELECT count(*) FROM sites_screeningentry e WHERE e.site_id = p.id),
    (SELECT count(*) FROM sites_subject s JOIN randomization_allocation a ON a.subject_id = s.id
        WHERE s.site_id = p.id),
    (SELECT max((coalesce(a.happened_at, a.at) AT TIME ZONE 'Europe/Oslo')::date)
        FROM randomization_allocation a WHERE a.site_id = p.id)
FROM sites_site p ORDER BY p.city"""
REASONS = """
SELECT reason_code, count(*) FROM sites_screeningentry
    WHERE outcome IN ('not_eligible', 'declined', 'other') AND site_id = %(site)s GROUP BY 1
UNION ALL SELECT %(failed)s, count(*) FROM sites_subject WHERE status = 'screen_failure' AND site_id = %(site)s"""
INCLUDED_BY = """
SELECT count(*) FROM randomization_allocation
    WHERE (coalesce(happened_at, at) AT TIME ZONE 'Europe/Oslo')::date <= %s"""


INCLUDED_IN = """
SELECT count(*) FROM randomization_allocation
    WHERE date_trunc('month', coalesce(happened_at, at) AT TIME ZONE 'Europe/Oslo')::date = %s"""


def sql(statement, given=None):
    with connection.cursor() as cursor:
        cursor.execute(statement, given)
        return cursor.fetchall()


@pytest.fixture
def skien(study):
    return services.create_site(study=study, code="SKI", name="Sykehuset Telemark", city="Skien", by=None)


@pytest.fixture
def inclusions(make_ready, open_list, list_file, crc, statistician):  # noqa: F811
    """Seven in Bodø, on the days of DAYS_AGO, by telephone and entered today."""
    open_list(list_file(seed=7, purpose="fallback"))
    for position, days in enumerate(DAYS_AGO, start=1):
        at = database_now() - dt.timedelta(days=days)
        entry = report_late(subject=make_ready(), happened_at=at, reason="nettet var nede", by=crc)
        confirm_late(entry=entry, position=position, by=statistician)


@pytest.fixture
def screening(bodo, crc, enrol):
    """Considered in Bodø: two who declined, one whom a criterion kept out, one open; and one who failed later."""

    def entry(outcome=None, code=""):
        made = services.log_screening(
            site=bodo, screened_in=dt.date(2026, 9, 1), age_band="70-79", sex="F", key=uuid.uuid4(), by=crc
        )
        if outcome:
            services.close_screening(entry=made, outcome=outcome, reason_code=code, by=crc)

    for _ in range(2):
        entry(ScreeningOutcome.DECLINED, "declined")
    entry(ScreeningOutcome.NOT_ELIGIBLE, "I1")
    entry()
    failed = record_screen_failure(subject=enrol(bodo, birth_year=1930), by=crc, reason="ombestemte seg")
    assert failed.status == SubjectStatus.SCREEN_FAILURE


@pytest.fixture
def rows(study, bodo, tromso, skien):
    def found():
        return recruitment_by_site(study, list(study.sites.order_by("city")), local_today(bodo.timezone))

    return found


@pytest.fixture
def get(sign_in, study, coordinator):
    def page(name="recruitment", **kwargs):
        asked = kwargs.pop("asked", {})
        return sign_in(coordinator, "en").get(reverse(name, kwargs={"study_oid": study.oid, **kwargs}), asked)

    return page


def test_each_site_counts_as_the_database_does(rows, inclusions, screening):
    shown = [(row.site.city, row.screened, row.included, row.last_inclusion) for row in rows()]
    assert shown == sql(COUNTED) and shown[0][2] == len(DAYS_AGO)


def test_the_inclusions_of_a_site_stand_on_the_day_of_the_randomisation(rows, inclusions):
    for days in range(45):
        on = local_today("Europe/Oslo") - dt.timedelta(days=days)
        assert [(sum(n for day, n in rows()[0].by_day.items() if day <= on),)] == sql(INCLUDED_BY, [on])


def test_the_reasons_of_a_site_count_as_the_database_does(rows, screening, bodo):
    found = dict(sql(REASONS, {"site": bodo.pk, "failed": AFTER_CONSENT}))
    assert rows()[0].reasons == found == {"declined": 2, "I1": 1, AFTER_CONSENT: 1}


def test_the_days_open_leave_pauses_out_and_the_rate_is_over_them(rows, bodo, inclusions):
    today = local_today(bodo.timezone)
    away, back = today - dt.timedelta(days=80), today - dt.timedelta(days=50)
    services.set_site_status(site=bodo, status=Status.PAUSED, since=away, by=None, reason="ferie")
    services.set_site_status(site=bodo, status=Status.OPEN, since=back, by=None, reason="tilbake")
    row = rows()[0]
    [(days, rate)] = sql(
        """SELECT days, (SELECT count(*) FROM randomization_allocation) * 365.25 / 12 / days
        FROM (SELECT (%s::date - date '2024-12-10') + (%s::date + 1 - %s::date) AS days) d""",
        [away, today, back],
    )
    assert (row.open_since, row.days_open) == (dt.date(2024, 12, 10), days)
    assert row.rate[0] == pytest.approx(float(rate)) and row.rate[1] < row.rate[0] < row.rate[2]


def test_a_site_that_is_closed_keeps_the_day_since_which_it_was_open(rows, bodo):
    services.set_site_status(
        site=bodo, status=Status.CLOSED_TO_RECRUITMENT, since=dt.date(2025, 1, 9), by=None, reason="slutt"
    )
    row = rows()[0]
    assert (row.open_since, row.days_open, row.recruits) == (dt.date(2024, 12, 10), 30, False)


def test_two_states_on_one_day_are_both_known(rows, bodo):
    for status in (Status.PAUSED, Status.OPEN):
        services.set_site_status(site=bodo, status=status, since=dt.date(2025, 1, 9), by=None, reason="prøve")
    assert rows()[0].spells[:1] == [(dt.date(2024, 12, 10), dt.date(2025, 1, 9))]
    assert rows()[0].spells[1][0] == dt.date(2025, 1, 9)


def test_a_planned_site_has_no_opening_date_and_no_rate(rows):
    skien = rows()[1]
    assert (skien.site.city, skien.open_since, skien.days_open, skien.rate) == ("Skien", None, 0, None)


def test_no_site_recruits_after_an_emergency_stop(rows, study):
    assert [row.recruits for row in rows()] == [True, False, True]
    services.stop_randomization(study=study, by=None, reason="stans")
    study.refresh_from_db()
    assert not any(row.recruits for row in rows())


def table_of(html, heading):
    """[[text of each cell]] of the table in the card with that heading."""
    card = html[html.index(f">{heading}</h2>") :].split("</table>")[0]
    return [[_text(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S)]
            for row in re.findall(r"<tr>(.*?)</tr>", card, re.S)][1:]  # fmt: skip


def _text(cell):
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", cell)).split())


def csv_of(response):
    return list(csv.DictReader(io.StringIO(response.content.decode())))


def test_the_sites_as_csv_are_what_the_page_shows(get, rows, inclusions, screening):
    shown = table_of(get().content.decode(), "Each site")
    lines = csv_of(get("recruitment-csv", table="sites"))
    assert [[line["SITE"], line["STATUS"]] for line in lines] == [row[:2] for row in shown]
    assert [[line["DAYS_OPEN"], line["SCREENED"], line["INCLUDED"]] for line in lines] == [row[3:6] for row in shown]
    rates = ["{PER_MONTH} ({PER_MONTH_LOW}–{PER_MONTH_HIGH})".format(**line) for line in lines]
    assert [rate if rate != " (–)" else "–" for rate in rates] == [row[6] for row in shown]
    assert [line["NOT_INCLUDED"] or "–" for line in lines] == [row[9] for row in shown]


def test_the_course_of_a_site_is_its_inclusions_by_month(get, bodo, inclusions):
    answer = get()
    page = answer.context["page"]
    months = page.found.shown_months
    counted = [sql(INCLUDED_IN, [month])[0][0] for month in months]
    assert sum(counted) == len(DAYS_AGO)
    assert page.sites[0][2] == sparkline(list(zip(months, counted, strict=True)), (0, max(counted)))
    assert answer.content.decode().count('class="spark"') == len(page.sites)


def test_the_forecast_as_csv_is_the_table_of_the_page_with_the_same_change(get, bodo, inclusions):
    asked = {"opened": "3", "closed": "0"}
    shown = table_of(
        get(asked=asked).content.decode().replace("Show as a table", ">Forecast table</h2>"), "Forecast table"
    )
    lines = csv_of(get("recruitment-csv", table="forecast", asked=asked))
    plain = csv_of(get("recruitment-csv", table="forecast"))
    cells = [
        ["–", line["MIDDLE"], "{LOW_50}–{HIGH_50}".format(**line), "{LOW_90}–{HIGH_90}".format(**line)]
        if line["MIDDLE"] else [line["INCLUDED"], "–", "–", "–"]
        for line in lines
    ]  # fmt: skip
    assert cells == [row[1:] for row in shown]
    assert plain != lines
    counted = [(line["DAY"], int(line["INCLUDED"])) for line in lines if line["INCLUDED"]]
    assert all(sql(INCLUDED_BY, [day]) == [(count,)] for day, count in counted)
    assert counted[-1][1] == len(DAYS_AGO)


def test_what_is_typed_wrongly_is_said_and_changes_nothing(get, bodo, inclusions):
    page = get(asked={"opened": "mange", "closed": "9"}).content.decode()
    assert 'href="#id_opened"' in page and "Only 1 recruit now." in page
    assert 'value="mange"' in page and 'aria-describedby="err_closed"' in page
    assert "With the change" not in page and "As things stand" in page


def test_nobody_is_included_yet_is_a_sentence(get, bodo):
    page = get().content.decode()
    assert "0 participants are included so far." in page and "chart-band-0" not in page


def test_who_sees_one_site_gets_no_forecast_of_the_trial(sign_in, study, crc):
    def status(table):
        return sign_in(crc).get(reverse("recruitment-csv", args=[study.oid, table])).status_code

    assert sign_in(crc).get(reverse("recruitment", args=[study.oid])).context["page"].outlook is None
    assert [status(table) for table in ("sites", "forecast", "arms")] == [200, 404, 404]


def test_nothing_in_the_csv_is_by_arm_or_names_a_subject(get, bodo, inclusions, definition):  # noqa: F811
    for table in ("sites", "forecast"):
        text = get("recruitment-csv", table=table).content.decode()
        assert "BOD-" not in text
        assert not any(str(arm.label) in text for arm in definition.study.arms)
