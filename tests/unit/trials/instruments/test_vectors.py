"""Scores as others computed them: the vectors of vectors/*.csv, every row and every number."""

import csv
from decimal import Decimal
from itertools import product
from pathlib import Path

import pytest

from trials.instruments import instrument_named, score
from trials.values import rounded

VECTORS = Path(__file__).parent / "vectors"
C30, EQ5D, PRO_CTCAE = "QLQ-C30 3.0", "EQ-5D-5L NO-2024", "PRO-CTCAE 1"
DIMENSIONS = ["MO", "SC", "UA", "PD", "AD"]
ATTRIBUTES = ["frq", "sev", "int"]


def rows(name):
    with (VECTORS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def answers_of(row):
    return {str(n): int(row[f"q{n}"]) for n in range(1, 31) if row[f"q{n}"]}


def expected_of(row, start, end=""):
    """{scale: text} of the columns that hold what is expected; QL2, PF2, RF2 are version 3's names."""
    columns = {column: text for column, text in row.items() if column.startswith(start) and column.endswith(end)}
    names = {column: column.removeprefix(start).removesuffix(end).removesuffix("2") for column in columns}
    return {"SUMMARY" if names[c] == "C30SUMMARY" else names[c]: text for c, text in columns.items()}


@pytest.mark.parametrize("row", rows("qlq_c30_first_63_rows"), ids=lambda row: f"{row['Id']}-{row['time']}")
def test_the_63_scored_rows_to_six_decimals(row):
    expected = {code: Decimal(text) if text else None for code, text in expected_of(row, "calc_").items()}
    found = {code: one.value for code, one in score(C30, answers_of(row)).items()}
    assert len(expected) == 16
    assert {code: None if v is None else rounded(v, 6) for code, v in found.items()} == expected


@pytest.mark.parametrize("row", rows("qlq_c30_cases_QoLR_vignette"), ids=lambda row: row["source_row"])
def test_the_cases_of_a_published_vignette(row):
    expected = {code: Decimal(text) for code, text in expected_of(row, "exp_", "_rounded0").items()}
    found = score(C30, answers_of(row))
    assert len(expected) == 15
    assert {code: rounded(found[code].value, 0) for code in expected} == expected


@pytest.mark.parametrize("row", rows("qlq_c30_boundary_cases_awell"), ids=lambda row: row["case"])
def test_the_boundary_cases(row):
    expected = expected_of(row, "exp_")
    if "ERROR" in expected.values():
        with pytest.raises(ValueError, match=r"item 1: -?[0-9]+ is not an answer from 1 to 4"):
            score(C30, answers_of(row))
        return
    found = score(C30, answers_of(row))
    assert len(expected) == 15
    for code, text in expected.items():
        assert found[code].value is None if not text else rounded(found[code].value, 2) == Decimal(text), code


def test_the_summary_of_the_best_and_the_worst_answers():
    best, worst = rows("qlq_c30_boundary_cases_awell")[1], rows("qlq_c30_boundary_cases_awell")[0]
    assert (best["case"], worst["case"]) == ("best", "worst")
    assert (score(C30, answers_of(best))["SUMMARY"].value, score(C30, answers_of(worst))["SUMMARY"].value) == (100, 0)


def index(levels):
    return score(EQ5D, dict(zip(DIMENSIONS, levels, strict=True)))["INDEX"].value


@pytest.mark.parametrize("row", rows("eq5d5l_norway_every_25th_state"), ids=lambda row: row["profile"])
def test_the_norwegian_index_of_health_states(row):
    assert index(map(int, row["profile"])) == Decimal(row["index_eq5dsuite"])


def test_the_index_is_one_plus_the_published_decrements_for_all_3125_states():
    decrement = {(r["dimension"], int(r["level"])): Decimal(r["decrement"]) for r in rows("eq5d5l_norway_coefficients")}
    states = list(product(range(1, 6), repeat=5))
    assert {state: index(state) for state in states} == {
        state: 1 + sum(decrement[place] for place in zip(DIMENSIONS, state, strict=True)) for state in states
    }
    assert index((5, 5, 5, 5, 5)) == Decimal("-0.453")


def terms_by_attributes():
    groups = rows("pro_ctcae_composite_map_ProAE")
    return [(group["fmt"].split(), term, group["rank"]) for group in groups for term in group["qset"].split()]


def test_every_composite_grade_of_every_term():
    table = rows("pro_ctcae_composite_grade_table_ProAE")
    compared = 0
    for attributes, term, rank in terms_by_attributes():
        for row in (row for row in table if row["rank"] == rank):
            answers = {f"{term}{letter}": int(row[a]) for letter, a in zip("ABC", attributes, strict=False)}
            assert score(PRO_CTCAE, answers)[term].value == int(row["comp"]), (term, row)
            compared += 1
    assert compared == 5 * (2 + 20 + 2) + 21 * (10 + 4 + 12) + 101 * 9


def test_every_term_with_a_grade_is_there_and_no_other():
    terms = {term: [f"{term}{letter}" for letter in "ABC"[: len(a)]] for a, term, _rank in terms_by_attributes()}
    assert {scale.code: list(scale.items) for scale in instrument_named(PRO_CTCAE).scales} == terms


def test_a_term_that_never_occurred_has_grade_0_whether_the_rest_was_asked_or_not():
    assert [score(PRO_CTCAE, a)["17"].value for a in ({"17A": 0}, {"17A": 0, "17B": 4, "17C": 4})] == [0, 0]
    assert score(PRO_CTCAE, {"17A": 1, "17B": 1})["17"].value is None
    assert score(PRO_CTCAE, {"17B": 0, "17C": 0})["17"].value is None
