"""VISITS.csv: what every page says about a visit, as one row."""

from datetime import UTC, datetime

import pytest

from crf import facts
from crf.exports.dataset import Scope
from crf.exports.visits import HEADER, visits
from crf.services import mark_not_done, schedule_events
from sites.services import record_death
from tests.fixtures.leaving import died  # noqa: F401 - a fixture must stand in the module to be found


@pytest.fixture
def randomized(monkeypatch, subject, crc):
    at = datetime(2026, 9, 1, 12, tzinfo=UTC)
    monkeypatch.setattr(facts, "_providers", [lambda subject: {"randomized_at": at, "arm": "A"}])
    schedule_events(subject=subject, by=crc)


@pytest.fixture
def exported(study):
    """exported(): {(visit, ordinal): row as a dict}."""

    def read(sites=("BOD",)):
        _name, header, rows = visits(study, Scope(sites, with_arm=False))
        assert header == HEADER
        dicts = [dict(zip(header, map(str, row), strict=True)) for row in rows]
        return {(row["EVENT"], row["ORDINAL"]): row for row in dicts}

    return read


def some(row, *names):
    return [row[name] for name in names]


def test_a_planned_visit_has_its_window(exported, randomized, subject):
    row = exported()["WK2", "1"]
    assert row["SUBJECT"] == subject.number
    assert some(row, "TARGET", "WINDOW_FROM", "WINDOW_TO") == ["2026-09-22", "2026-09-19", "2026-09-25"]
    assert some(row, "PROVISIONAL", "VISIT_DATE", "DAY", "TIMING", "NOT_DONE") == ["True", "", "", "", ""]
    assert not exported(sites=("TRO",))


def test_day_and_flag_follow_a_moved_day_0_and_the_plan_of_what_is_done_stays(exported, randomized, save):
    at = datetime(2026, 9, 24, 10, tzinfo=UTC)
    save("WK2", "SCORE", {"SCORE_PAIN": "5"}, observed_at=at)
    assert some(exported()["WK2", "1"], "VISIT_DATE", "DAY", "TIMING") == ["2026-09-24", "16", "in_window"]
    save("TREAT", "DOSE", {"DOSE_ON": "2026-09-20", "DOSE_GY": "8"}, repeat_key="new")
    row = exported()["WK2", "1"]
    assert some(row, "VISIT_DATE", "DAY", "TIMING", "TARGET") == ["2026-09-24", "4", "early", "2026-09-22"]


def test_why_a_visit_was_not_done_is_a_code(exported, randomized, visit, subject, crc, died):  # noqa: F811
    mark_not_done(event=visit("WK2"), by=crc, code="ILL")
    mark_not_done(event=visit("WK4"), by=crc, reason="snøstorm")
    record_death(subject=subject, facts=died("2026-10-10"), by=crc)
    found = exported()
    assert some(found["WK2", "1"], "NOT_DONE", "NOT_DONE_REASON") == ["ILL", "For syk"]
    assert some(found["WK4", "1"], "NOT_DONE", "NOT_DONE_REASON") == ["OTHER", "snøstorm"]
    assert some(found["ALIVE", "1"], "NOT_DONE", "NOT_DONE_REASON") == ["DEAD", "Død"]
