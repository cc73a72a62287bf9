"""The screening log with its filters: each number is counted again by SQL, and equals its rows and its CSV."""

import csv
import io

import pytest
from django.db import connection
from django.urls import reverse

from sites.models import Role, ScreeningOutcome
from tests.fixtures.crowd import crowd  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)
COUNTED = """
    SELECT e.reason_code, count(*) FROM sites_screeningentry e JOIN sites_site p ON p.id = e.site_id
    WHERE (%(site)s = '' OR p.code = %(site)s) AND (%(outcome)s = '' OR e.outcome = %(outcome)s) GROUP BY 1"""


def counted(site, outcome):
    with connection.cursor() as cursor:
        cursor.execute(COUNTED, {"site": site, "outcome": outcome})
        return dict(cursor.fetchall())


@pytest.fixture
def get(sign_in, make_user, study):
    browser = sign_in(make_user("alle", "Ærlig Ås", Role.MONITOR), "en")

    def page(name="screening", **asked):
        return browser.get(reverse(name, args=[study.oid]), asked)

    return page


def lines(response):
    return list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"))))


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("site", ["", "BOD"])
def test_each_number_is_what_the_database_counts_and_its_rows(crowd, get, seed, site):  # noqa: F811
    crowd(seed)
    for outcome in ("", *ScreeningOutcome.values):
        found, page = counted(site, outcome), get(site=site, outcome=outcome)
        total = page.context["page"].paginator.count
        assert total == sum(found.values()) == len(lines(get("screening-csv", site=site, outcome=outcome)))
        shown = {code: n for code, _words, n in page.context["log"].reasons}
        assert shown == {code: n for code, n in found.items() if code}
        for code, n in shown.items():
            asked = {"site": site, "outcome": outcome, "reason": code}
            assert get(**asked).context["page"].paginator.count == n == len(lines(get("screening-csv", **asked)))


def test_what_is_not_known_does_not_narrow(crowd, get):  # noqa: F811
    crowd(0)
    assert get(site="ELSEWHERE", outcome="nei", reason="0 OR 1").context["page"].paginator.count == 40


def test_the_log_tells_no_more_than_the_month_and_ten_years_of_age(crowd, get):  # noqa: F811
    crowd(0)
    line = lines(get("screening-csv"))[0]
    assert list(line) == ["SITE", "NUMBER", "MONTH", "AGE_BAND", "SEX", "OUTCOME", "REASON", "SUBJECT"]
    assert (line["MONTH"], line["AGE_BAND"]) == ("2026-01", "70-79")
