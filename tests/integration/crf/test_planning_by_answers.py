"""Visits that come only for some, by what was answered: the invented trial munntorr."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from crf import facts
from crf.day_zero import clock_items
from crf.models import StudyEvent
from crf.services import schedule_events
from tests.fixtures import DEFINITION
from trials.checker import check


@pytest.fixture(scope="session")
def definition():
    loaded, problems = check(DEFINITION.parent / "munntorr")
    assert loaded, [str(problem) for problem in problems]
    return loaded


@pytest.fixture
def randomized(monkeypatch, definition):
    at = datetime(2026, 9, 1, 10, tzinfo=UTC)
    monkeypatch.setattr(facts, "_providers", [lambda subject: {"randomized_at": at, "arm": "GEL"}])


def monthly():
    return StudyEvent.objects.filter(event_oid="MONTHLY").count()


def test_an_answer_that_asks_for_a_visit_plans_it(subject, crc, randomized, save):
    save("WK4", "DRY", {"DRY_NOW": "0"})
    schedule_events(subject=subject, by=crc)
    assert monthly() == 0
    save("WK4", "DRY", {"DRY_NOW": "3"}, reason="feil tall")
    assert monthly() == 5


@pytest.mark.parametrize("rule", ["WK4.DRY_NOW > 0", "fact.dry_change > 0", "SCREEN.DRY_NIGHT > fact.dry_at_start"])
def test_the_items_behind_the_rule_of_a_visit_are_read(definition, rule):
    study = definition.study
    events = [replace(event, relevant=rule) if event.relevant else event for event in study.events]
    read = {"DRY_NOW", "DRY_NIGHT"} if "NIGHT" in rule else {"DRY_NOW"}
    assert clock_items(replace(study, events=tuple(events))) == read
