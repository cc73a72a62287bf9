"""What of a definition tells the arm: by a rule that asks for it, or for an item that tells it (D8)."""

from dataclasses import replace

import pytest

from crf.selectors.secrets import betrays_arm, event_betrays_arm
from tests.fixtures import DEFINITION
from trials.checker import check
from trials.definition import FormRef


@pytest.fixture(scope="module")
def study():
    loaded, problems = check(DEFINITION)
    assert loaded, problems
    return loaded.study


@pytest.mark.req("RND-07")
@pytest.mark.parametrize(
    "rules",
    [
        {"relevant": "fact.arm == 'A'", "counted_from": None},
        {"relevant": "sum_of(RT.RTF_SECD) > 0", "counted_from": None},
        {"relevant": None, "counted_from": "max_of(RT.RTF_SECD)"},
    ],
)
def test_a_visit_of_one_arm_tells_it_by_its_rule_and_by_its_day(study, rules):
    event = replace(study.event("SF4W"), **rules)
    assert event_betrays_arm(study, event)


def test_a_visit_of_everybody_tells_nothing(study):
    assert not event_betrays_arm(study, replace(study.event("SF4W"), relevant=None, counted_from=None))
    assert not event_betrays_arm(study, study.event("W4"))


@pytest.mark.parametrize(("rule", "tells"), [("sum_of(RT.RTF_SECD) > 0", True), ("W4.CM_OPI == 'Y'", False)])
def test_a_form_tells_the_arm_by_what_it_is_asked_for(study, rule, tells):
    forms = tuple(FormRef(form="OPI", relevant=rule) if ref.form == "OPI" else ref for ref in study.event("W4").forms)
    week_4 = replace(study.event("W4"), forms=forms)
    events = tuple(week_4 if event.oid == "W4" else event for event in study.events)
    changed = replace(study, events=events)
    assert betrays_arm(changed, changed.form("OPI")) is tells
