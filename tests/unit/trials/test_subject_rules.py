"""Stratum, gates, facts, visits and criteria of a subject."""

from datetime import date
from decimal import Decimal

import pytest

from tests.unit.trials.outside import Outside
from tests.unit.trials.small_trial import document, form, item, text
from trials.definition import parse
from trials.eligibility import may_be_randomized, verdicts
from trials.scope import compiled
from trials.subject_rules import facts_of, gates_of, is_shown, stratum_of
from trials.values import UNKNOWN

FORM = form("F", item("C", "code", code_list="COLOUR"), item("NRS"), item("OK", "yesno"))
CRITERIA = [
    {"oid": "I1", "kind": "inclusion", "label": text("I1"), "computed": "true", "met_if": "NRS >= 4"},
    {"oid": "E1", "kind": "exclusion", "label": text("E1"), "item": "OK"},
    {
        "oid": "I2",
        "kind": "inclusion",
        "label": text("I2"),
        "item": "OK",
        "met_if": "OK == 'N'",
        "blocks_randomization": "false",
    },
]
MORE = {
    "strata": [
        {"oid": "S1", "label": text("S1"), "from": "SCREEN.C", "code_list": "COLOUR"},
        {"oid": "S2", "label": text("S2"), "from": "if_(SCREEN.NRS > 6, 'RED', 'BLUE')", "code_list": "COLOUR"},
    ],
    "gates": [{"oid": "G1", "open_if": "SCREEN.NRS >= 0 and fact.high > 1", "message": text("Score first")}],
    "facts": [
        {"oid": "score", "label": text("Score"), "expr": "SCREEN.NRS"},
        {"oid": "high", "label": text("High"), "expr": "fact.score - 6"},
    ],
    "eligibility": {"form": "F", "criteria": CRITERIA},
}
STUDY = parse(document(FORM, **MORE))
SCORED = Outside(SCREEN__NRS=Decimal(8), SCREEN__C="RED")


def test_a_stratum_is_one_code_of_each_factor():
    assert stratum_of(STUDY, SCORED) == "RED|RED"


def test_there_is_no_stratum_while_a_factor_is_unknown():
    assert stratum_of(STUDY, Outside(SCREEN__C="RED")) is None


def test_facts_may_stand_on_those_above_them():
    assert facts_of(STUDY, SCORED) == {"score": 8, "high": 2}
    assert facts_of(STUDY, Outside()) == {"score": UNKNOWN, "high": UNKNOWN}


@pytest.mark.parametrize(("score", "opens"), [(8, True), (7, False)])
def test_a_gate_opens_on_true_only(score, opens):
    [(gate, answer)] = gates_of(STUDY, Outside(SCREEN__NRS=Decimal(score)))
    assert (gate.oid, answer.is_true, answer.unknown) == ("G1", opens, ())


def test_a_gate_that_cannot_be_decided_stays_shut_and_says_what_is_missing():
    [(_gate, answer)] = gates_of(STUDY, Outside())
    assert (answer.is_true, answer.unknown) == (False, ("SCREEN.NRS", "fact.high"))


@pytest.mark.req("RND-01")
@pytest.mark.parametrize(
    ("answers", "fits", "may"),
    [
        ({"NRS": "4", "OK": "N"}, [True, True, True], True),
        ({"NRS": "4", "OK": "Y"}, [True, False, False], False),
        ({"NRS": "3", "OK": "N"}, [False, True, True], False),
        ({"OK": "N"}, [UNKNOWN, True, True], False),
        ({"NRS": "4"}, [True, UNKNOWN, UNKNOWN], False),
    ],
)
def test_inclusion_must_be_true_and_exclusion_false(answers, fits, may):
    found = verdicts(STUDY, answers, {}, Outside())
    assert [verdict.fits for verdict in found] == fits
    assert may_be_randomized(found) is may


def test_a_verdict_names_where_it_comes_from_and_what_it_waits_for():
    first, *_ = verdicts(STUDY, {}, {"NRS": "REF"}, Outside())
    assert (first.criterion.oid, first.sources, first.unknown) == ("I1", ("NRS",), ("NRS",))


def test_a_criterion_that_is_answered_later_does_not_hold_up_randomisation():
    found = verdicts(STUDY, {"NRS": "4", "OK": "N"}, {}, Outside())
    late = [verdict for verdict in found if not verdict.criterion.blocks_randomization]
    assert [verdict.criterion.oid for verdict in late] == ["I2"]


@pytest.mark.parametrize(("score", "shown"), [(8, True), (2, False), (None, True)])
def test_a_visit_is_asked_for_unless_its_rule_is_false(score, shown):
    events = document(FORM)["events"]
    events[1] |= {"relevant": "SCREEN.NRS > 5 and event.oid == 'V1'"}
    study = parse(document(FORM, events=events))
    known = {"SCREEN__NRS": Decimal(score)} if score is not None else {}
    assert is_shown(study, study.event("V1"), Outside(event__oid="V1", **known)) is shown
    assert is_shown(study, study.event("SCREEN"), Outside()) is True


def test_rules_of_the_subject_know_the_days_of_the_subject():
    expr = compiled(STUDY, "years(fact.anchor_on, now.date) >= 1")
    assert expr.evaluate(Outside(fact__anchor_on=date(2025, 9, 1), now__date=date(2026, 9, 1))) is True
