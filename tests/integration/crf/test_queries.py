"""A page costs the same number of queries however much is stored: a clinic's network is slow and its patients many."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

FORM, SUBJECT = 15, 15  # two of them are the session's and the person's


@pytest.fixture
def queries(sign_in, crc):
    page = sign_in(crc, "en")

    def count(url):
        page.get(url)
        with CaptureQueriesContext(connection) as captured:
            assert page.get(url).status_code == 200
        return len(captured)

    return count


@pytest.fixture
def grow(save, enrol, bodo):
    """More subjects, forms and changes."""

    def more(born):
        for number in range(3):
            save("ALWAYS", "EVENTS", {"EVENTS_TERM": f"Hendelse {number}"}, repeat_key="new")
        save("START", "BASE", {"BASE_WEIGHT": str(born - 1880)}, reason="Veid på nytt")
        save("START", "BASE", {"BASE_WEIGHT": "80"}, of=enrol(bodo, birth_year=born))

    return more


@pytest.fixture(params=[("form", ["START", 1, "BASE", "1"], FORM), ("subject", [], SUBJECT)], ids=["form", "subject"])
def page(request, subject):
    name, below, most = request.param
    return reverse(name, args=[subject.study.oid, subject.number, *below]), most


def test_a_page_needs_few_queries_and_never_more(queries, page, save, grow):
    url, most = page
    for week in ("WK2", "WK4"):
        save(week, "SCORE", {"SCORE_PAIN": "5"})
    grow(1950)
    first = queries(url)
    grow(1960)
    assert queries(url) == first <= most
