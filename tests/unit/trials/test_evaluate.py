"""What the rules of a form say about answers: relevance, derived values, missing by rule, checks."""

from datetime import date
from decimal import Decimal
from itertools import permutations
from time import perf_counter

import pytest

from tests.unit.trials.outside import Outside
from tests.unit.trials.small_trial import check, document, form, item, trial
from trials.definition import parse
from trials.evaluate import evaluate
from trials.values import UNKNOWN

SKIP = form(
    "F",
    item("SMOKES", "yesno"),
    item("PER_DAY", relevant="SMOKES == 'Y'"),
    item("BRAND", "text", relevant="PER_DAY > 0"),
    item("YEARS", relevant="SMOKES == 'Y'"),
    item("PACK_YEARS", "decimal", derived="PER_DAY * YEARS / 20"),
    checks=[check("C1", "PER_DAY > 40", "PER_DAY")],
)


def test_an_item_is_shown_when_its_rule_is_true_or_unknown_and_hidden_when_false():
    study = trial(SKIP)
    assert "PER_DAY" in evaluate(study, "F", {"SMOKES": "Y"}).items
    assert "PER_DAY" in evaluate(study, "F", {}).items
    assert "PER_DAY" not in evaluate(study, "F", {"SMOKES": "N"}).items


@pytest.mark.parametrize("answers", [{"SMOKES": "N"}, {"SMOKES": "N", "PER_DAY": "20"}])
def test_what_depends_on_a_hidden_item_is_hidden_with_it(answers):
    assert evaluate(trial(SKIP), "F", answers).items == {"SMOKES", "PACK_YEARS"}


def test_a_question_that_waits_for_a_visible_answer_too_stays_open():
    study = trial(form("F", item("A", relevant="now.date < now.date"), item("B"), item("C", relevant="A > 1 or B > 1")))
    assert evaluate(study, "F", {}, outside=Outside(now__date=date(2026, 1, 1))).items == {"B", "C"}


def test_a_partial_date_that_does_not_decide_hides_nothing():
    study = trial(form("F", item("A", "partial_date"), item("B", "date"), item("C", relevant="A < B")))
    assert "C" in evaluate(study, "F", {"A": "2026", "B": "2026-06-01"}).items


@pytest.mark.req("DAT-18")
def test_pc034_a_derived_value_uses_only_relevant_items_and_follows_the_parent():
    study = trial(SKIP)
    answers = {"SMOKES": "Y", "PER_DAY": "10", "YEARS": "30"}
    assert evaluate(study, "F", answers).derived == {"PACK_YEARS": "15.00"}
    assert evaluate(study, "F", answers | {"SMOKES": "N"}).derived == {}


def test_pc035_a_hidden_item_has_no_value_for_checks():
    study = trial(SKIP)
    assert evaluate(study, "F", {"SMOKES": "Y", "PER_DAY": "60"}).violated == ["C1"]
    assert evaluate(study, "F", {"SMOKES": "N", "PER_DAY": "60"}).checks == {"C1": UNKNOWN}


def test_pc038_the_stored_values_give_the_same_visible_items_again():
    study = trial(SKIP)
    answers = {"SMOKES": "N", "PER_DAY": "20", "BRAND": "Petterøe", "YEARS": "3"}
    first = evaluate(study, "F", answers)
    stored = {oid: text for oid, text in answers.items() if oid in first.items} | dict(first.derived)
    assert evaluate(study, "F", stored) == first


def test_a_check_is_violated_satisfied_or_undecided():
    study = trial(SKIP)
    assert evaluate(study, "F", {"SMOKES": "Y", "PER_DAY": "41"}).checks == {"C1": True}
    assert evaluate(study, "F", {"SMOKES": "Y", "PER_DAY": "40"}).checks == {"C1": False}
    assert evaluate(study, "F", {"SMOKES": "Y"}).checks == {"C1": UNKNOWN}


def test_a_missing_code_leaves_the_value_unknown_and_tells_the_reason():
    study = trial(form("F", item("A"), checks=[check("C1", "reason(A) == 'REF'", "A")]))
    assert evaluate(study, "F", {"A": "3"}, {"A": "REF"}).checks == {"C1": True}
    assert evaluate(study, "F", {}, {"A": "UNK"}).checks == {"C1": False}


def test_what_does_not_apply_is_stored_as_such_by_rule():
    asked = item("NRS_VAGINAL", relevant="subject.sex == 'F'", not_relevant_as="NA")
    study = trial(form("F", asked, checks=[check("C1", "reason(NRS_VAGINAL) == 'NA'", "NRS_VAGINAL")]))
    man = evaluate(study, "F", {}, outside=Outside(subject__sex="M"))
    assert (man.by_rule, man.items, man.checks) == ({"NRS_VAGINAL": "NA"}, frozenset(), {"C1": True})
    woman = evaluate(study, "F", {}, outside=Outside(subject__sex="F"))
    assert (woman.by_rule, woman.items) == ({}, {"NRS_VAGINAL"})


def test_a_hidden_section_hides_its_items():
    study = trial(form("F", item("A"), group={"relevant": "fact.arm == 'A'"}))
    assert evaluate(study, "F", {"A": "1"}, outside=Outside(fact__arm="B")).groups == frozenset()
    assert evaluate(study, "F", {"A": "1"}, outside=Outside(fact__arm="B")).items == frozenset()
    assert evaluate(study, "F", {"A": "1"}, outside=Outside(fact__arm="A")).items == {"A"}


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_derived_values_are_found_in_order_of_dependency_however_they_stand(order):
    items = [
        item("A"),
        item("B", "decimal", derived="A / 3"),
        item("C", "decimal", derived="B * 3"),
        item("D", "yesno", derived="C == A"),
    ]
    study = trial(form("F", *(items[at] for at in order)))
    assert evaluate(study, "F", {"A": "1"}).derived == {"B": "0.33", "C": "0.99", "D": "N"}


def test_a_derived_value_that_no_item_can_hold_is_unknown():
    study = trial(form("F", item("A"), item("B", derived="A * A * A"), checks=[check("C1", "missing(B)", "B")]))
    assert evaluate(study, "F", {"A": "9" * 18}).derived == {}
    assert evaluate(study, "F", {"A": "9" * 18}).checks == {"C1": True}


def test_other_visits_repeats_and_own_facts_are_asked_of_the_world_outside():
    derived = item("CHANGE", derived="NOW - SCREEN.NOW + sum_of(ANY.DOSE) + fact.twice")
    repeated = form("R", item("DOSE"), repeating="true")
    facts = [{"oid": "twice", "label": {"nb": "x", "en": "x"}, "expr": "SCREEN.NOW * 2"}]
    study = trial(form("F", item("NOW"), derived), repeated, facts=facts)
    outside = Outside(SCREEN__NOW=Decimal(4), ANY__DOSE=[Decimal(5), Decimal(8)])
    assert evaluate(study, "F", {"NOW": "7"}, outside=outside).derived == {"CHANGE": "24"}


def test_a_text_that_is_not_canonical_counts_as_no_answer():
    study = trial(form("F", item("A"), checks=[check("C1", "missing(A)", "A")]))
    assert evaluate(study, "F", {"A": "1,5"}).checks == {"C1": True}


def test_pc010_today_is_what_the_trial_s_own_time_zone_says():
    study = trial(form("F", item("A", "date"), checks=[check("C1", "A > now.date", "A")]))
    oslo = Outside(now__date=date(2026, 9, 2))
    assert evaluate(study, "F", {"A": "2026-09-02"}, outside=oslo).checks == {"C1": False}


def test_pc041_the_same_answers_in_any_order_give_the_same_outcome():
    answers = {"SMOKES": "Y", "PER_DAY": "10", "YEARS": "7", "BRAND": "x"}
    outcomes = [evaluate(trial(SKIP), "F", dict(order)) for order in permutations(answers.items())]
    assert all(outcome == outcomes[0] for outcome in outcomes)


def test_a_chain_of_three_hundred_items_needs_no_deep_recursion():
    items = [item("I0"), *(item(f"I{n}", derived=f"I{n - 1} + 1", relevant=f"I{n - 1} >= 0") for n in range(1, 300))]
    assert evaluate(trial(form("F", *items)), "F", {"I0": "0"}).derived["I299"] == "299"


def test_thirty_items_with_rules_take_well_under_a_millisecond():
    items = [item(f"I{n}", relevant="SEX == 'Y' or missing(SEX)" if n % 3 else "I1 >= 0") for n in range(2, 30)]
    checks = [check(f"C{n}", f"I{n} > 7 and I{n + 1} < 3", f"I{n}") for n in range(2, 8)]
    study = parse(document(form("F", item("SEX", "yesno"), item("I1"), *items, checks=checks)))
    study_answers = {f"I{n}": "5" for n in range(1, 30)}
    evaluate(study, "F", study_answers)
    started = perf_counter()
    for _ in range(200):
        evaluate(study, "F", study_answers)
    assert (perf_counter() - started) / 200 < 0.001
