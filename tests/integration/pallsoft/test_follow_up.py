"""Follow-up completeness: each number is counted again by a statement of its own, and equals its rows."""

import csv
import datetime as dt
import io
import re
import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from crf.models import StudyEvent
from pallsoft.audit.context import change_set
from pallsoft.followup.lines import lines_of, questionnaires
from sites.models import ContactAttempt, Role, Site, Subject
from tests.fixtures import DEFINITION
from tests.fixtures.crowd import crowd  # noqa: F401
from trials.checker import check

pytestmark = pytest.mark.django_db(transaction=True)
SEEDS = range(3)
# What is asked at the visits of the crowd. The module is that of the cancer group, all while the group is not known.
COUNTED = """
WITH asked (event, form, item, told) AS (VALUES
    ('W4', 'NRS', 'NRS_PAIN', 'NRS_NOT'), ('W4', 'QLC', 'QLC_01', 'QLC_NOT'), ('W4', 'QCR', '-', '-'),
    ('W4', 'QPR', '-', '-'), ('W4', 'QCX', '-', '-'), ('W4', 'EQ5D', '-', '-'),
    ('W12', 'NRS', 'NRS_PAIN', 'NRS_NOT'), ('W12', 'QLC', 'QLC_01', 'QLC_NOT'), ('W12', 'QCR', '-', '-'),
    ('W12', 'QPR', '-', '-'), ('W12', 'QCX', '-', '-'), ('W12', 'EQ5D', '-', '-'), ('W12', 'SAT', '-', '-')),
owed AS (
    SELECT p.code, e.*, asked.form,
        EXISTS (SELECT FROM crf_formdata f WHERE f.event_id = e.id AND f.removed_in IS NULL AND f.data ? item) AS came,
        EXISTS (SELECT FROM crf_formdata f WHERE f.event_id = e.id AND f.removed_in IS NULL AND f.data ? told) AS told,
        e.closed_for IN ('dead', 'withdrawn') OR e.not_done_code = 'DEAD' AS gone,
        (SELECT max(f.data->>'CH_GROUP') FROM crf_formdata f
            WHERE f.subject_id = s.id AND f.removed_in IS NULL) AS cancer, s.sex
    FROM sites_subject s JOIN sites_site p ON p.id = s.site_id JOIN crf_studyevent e ON e.subject_id = s.id
    JOIN asked ON asked.event = e.event_oid
    WHERE s.id IN (SELECT subject_id FROM randomization_allocation))
SELECT code, event_oid, form, count(*) FILTER (WHERE came),
    count(*) FILTER (WHERE came OR NOT gone AND (told OR not_done_reason <> '' OR window_to < %(today)s)),
    count(*) FILTER (WHERE NOT came AND NOT gone AND NOT told AND not_done_reason = '' AND window_to < %(today)s),
    count(*) FILTER (WHERE NOT came AND NOT gone AND NOT told AND not_done_reason = ''
        AND %(today)s BETWEEN window_from AND window_to)
FROM owed
WHERE came OR CASE form WHEN 'QCR' THEN coalesce(cancer = 'GI', true) WHEN 'QCX' THEN coalesce(cancer = 'GYN', true)
    WHEN 'QPR' THEN sex = 'M' AND coalesce(cancer = 'URO', true) ELSE true END
GROUP BY 1, 2, 3"""


def counted():
    """{(site, visit, form): [received, expected, overdue, due]}"""
    with connection.cursor() as cursor:
        cursor.execute(COUNTED, {"today": timezone.localdate()})
        return {tuple(row[:3]): list(row[3:]) for row in cursor.fetchall()}


def summed(counts, *, site="", visit="", form=""):
    wanted = (site, visit, form)
    found = [n for key, n in counts.items() if all(w in ("", k) for w, k in zip(wanted, key, strict=True))]
    return [sum(column) for column in zip(*found, strict=True)] or [0] * 4


@pytest.fixture
def get(sign_in, study):
    def page(user, name="follow-up", language="en", **query):
        return sign_in(user, language).get(reverse(name, args=[study.oid]), query)

    return page


@pytest.fixture
def dsmb(make_user):
    return make_user("dsmb", "Gøril Åmås", Role.DSMB_READER)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_cell_is_what_the_database_counts(crowd, get, coordinator, seed):  # noqa: F811
    crowd(seed)
    page, again = get(coordinator).context["page"], counted()
    for site in Site.objects.all():
        for visit in ("W4", "W12", ""):
            for form in ("NRS", "QLC", "QCR", "QPR", "QCX", "EQ5D", "SAT", ""):
                cell = page.cell(site, visit, form)
                assert [cell.received, cell.expected] == summed(again, site=site.code, visit=visit, form=form)[:2]
    states = {words: n for words, n, _address in page.states}
    assert [states["Overdue, no reason recorded"], states["Due now"]] == summed(again)[2:]
    assert len(page.owed) == summed(again)[2] > 0
    assert sum(n for _words, n, _address in page.reasons) == page.cell().expected - page.cell().received


def test_every_number_on_the_page_leads_to_as_many_rows(crowd, get, client, dsmb, coordinator):  # noqa: F811
    crowd(1)
    for user, site in ((dsmb, ""), (coordinator, "BOD")):
        page = get(user, site=site).context["page"]
        cells = [cell for _name, row in (*page.by_site, *page.by_form) for cell in row if cell.expected]
        numbers = {cell.address: cell.expected for cell in cells}
        numbers |= {address: n for _words, n, address in (*page.reasons, *page.states)}
        assert len(numbers) > 20
        for address, n in numbers.items():
            assert client.get(address).context["page"].paginator.count == n, address
            assert len(client.get(address.replace("/rows/", "/rows.csv")).content.decode().splitlines()) == n + 1


def test_the_csv_is_both_tables_of_the_page(crowd, get, coordinator):  # noqa: F811
    crowd(2)
    page = get(coordinator).context["page"]
    visits = [*page.visits.values(), "All visits"]
    lines = list(csv.reader(io.StringIO(get(coordinator, "follow-up-csv").content.decode())))
    shown = [
        [table, name, visit, *("" if n is None else str(n) for n in (cell.received, cell.expected, cell.percent))]
        for table, rows in (("SITE", page.by_site), ("INSTRUMENT", page.by_form))
        for name, cells in rows
        for visit, cell in zip(visits, cells, strict=True)
    ]
    assert lines[1:] == shown


@pytest.fixture
def visit(study, bodo, crowd):  # noqa: F811
    """visit(-3): week 24 of somebody in Bodø, whose window closes so many days from now."""
    subject = next(one for one in crowd(1) if one.status == "randomized" and one.site == bodo)

    def plan(until, **changes):
        last = timezone.localdate() + dt.timedelta(days=until)
        with change_set(study=study, by=None, action="test.visit", reason="plan"):
            return StudyEvent.objects.create(
                study=study, subject=subject, event_oid="W24", target_on=last, window_to=last,
                window_from=last - dt.timedelta(days=5), **changes,
            )  # fmt: skip

    return plan


def nrs_of(page):
    return [line for line in page.lines if line.event == "W24" and line.form == "NRS"]


@pytest.mark.parametrize(
    ("until", "changes", "state"),
    [
        (-1, {}, "overdue"),
        (0, {}, "due"),
        (5, {}, "due"),
        (6, {}, "to_come"),
        (-1, {"not_done_reason": "død", "closed_for": "dead"}, "gone"),
        (-1, {"not_done_reason": "trakk seg", "closed_for": "withdrawn"}, "gone"),
        (-1, {"not_done_reason": "tapt", "closed_for": "lost"}, "missing"),
        (40, {"not_done_reason": "ikke flere", "closed_for": "stopped"}, "missing"),
        (-1, {"not_done_reason": "for syk", "not_done_code": "TOO_ILL"}, "missing"),
    ],
)
def test_expected_leaves_out_only_the_dead_and_the_withdrawn(visit, get, coordinator, until, changes, state):
    visit(until, **changes)
    (line,) = nrs_of(get(coordinator).context["page"])
    assert (line.state, line.is_expected) == (state, state in ("overdue", "missing"))


def test_an_overdue_one_says_how_late_it_is_and_what_to_do(visit, get, coordinator, crc):
    event = visit(-9)
    asked = {"visit": "W24", "form": "NRS", "state": "overdue"}

    def shown():
        (line,) = get(coordinator, "follow-up-rows", **asked).context["rows"].lines
        return line["days_late"], line["next"]

    assert shown() == (9, "Reach the participant, or say why the visit was not done.")
    with change_set(study=event.study, by=None, action="test.call", reason="ringte"):
        ContactAttempt.objects.create(
            study=event.study, subject=event.subject, tried_at=timezone.now(), way="phone", result="later",
            next_on=dt.date(2026, 12, 1), request_key=uuid.uuid4(),
        )  # fmt: skip
    assert shown()[1] == "Call the participant on 1\xa0Dec\xa02026, as planned."


def test_it_is_loud_when_the_primary_endpoint_is_at_risk(crowd, get, client, coordinator):  # noqa: F811
    assert "The primary endpoint is at risk." not in get(coordinator).content.decode()
    crowd(0)
    page, again = get(coordinator), counted()
    received, expected, overdue, due = summed(again, visit="W12", form="NRS")
    words = [words for words, _address in page.context["page"].alarms]
    assert words[0].startswith(f"{overdue} primary answer") and words[1].startswith(f"{due} primary answer")
    assert words[2].startswith(f"Only {received * 100 // expected} % of the primary answers (Week 12) came")
    assert page.content.decode().count("The primary endpoint is at risk.") == 3
    behind = [client.get(address).context["page"].paginator.count for _words, address in page.context["page"].alarms]
    assert behind == [overdue, due, expected - received]


def test_a_number_stands_for_who_may_see_subjects_and_a_site_sees_its_own(crowd, get, dsmb, crc, coordinator):  # noqa: F811
    crowd(1)
    for name in ("follow-up", "follow-up-rows", "follow-up-rows-csv"):
        assert not re.search("(BOD|TRO)-0", get(dsmb, name).content.decode())
        assert re.search("TRO-0", get(coordinator, name, site="TRO").content.decode())
        assert "TRO-0" not in get(crc, name).content.decode()
    assert get(crc, site="TRO").status_code == 404
    assert get(coordinator, "follow-up-rows", visit="GONE").status_code == 404


def test_nothing_on_the_page_is_by_arm(crowd, get, dsmb, statistician, definition):  # noqa: F811
    crowd(1)
    for user in (dsmb, statistician):
        for name in ("follow-up", "follow-up-rows", "follow-up-csv", "follow-up-rows-csv"):
            text = get(user, name).content.decode()
            assert not any(str(arm.label) in text for arm in definition.study.arms)


def test_the_number_of_queries_does_not_grow_with_the_participants(crowd, get, coordinator, bodo):  # noqa: F811
    def queries():
        with CaptureQueriesContext(connection) as captured:
            get(coordinator)
        return len(captured)

    crowd(1)
    get(coordinator)
    some = queries()
    owed = len(get(coordinator).context["page"].lines)
    week_8 = {"event_oid": "W8", "window_from": dt.date(2026, 1, 1), "window_to": dt.date(2026, 1, 9)}
    with change_set(study=bodo.study, by=None, action="test.more", reason="flere"):
        StudyEvent.objects.bulk_create(
            StudyEvent(study=bodo.study, subject=subject, **week_8) for subject in Subject.objects.all()
        )
    assert queries() == some and len(get(coordinator).context["page"].lines) > owed + 40


def test_the_second_study_asks_for_its_own_questionnaires(db, bodo):
    loaded, problems = check(DEFINITION.parent / "munntorr")
    assert loaded, [str(problem) for problem in problems]
    asked = questionnaires(loaded.study, with_arm=False)
    assert [(one.event.oid, one.form.oid) for one in asked] == [("WK1", "DRY"), ("WK4", "DRY"), ("MONTHLY", "DRY")]
    assert asked[0].items == ["DRY_DATE", "DRY_NOW", "DRY_NIGHT"]
    assert lines_of(loaded.study, asked, [bodo], timezone.localdate()) == []
