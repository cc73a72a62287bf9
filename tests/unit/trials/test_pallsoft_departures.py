"""PALLSOFT's checks of who is included against the criteria, and of other treatment of the pelvis."""

from datetime import date

import pytest

from tests.unit.trials.outside import deviations


@pytest.fixture(scope="session")
def pallsoft(definition):
    return definition.study


ELIGIBLE = {
    "ELIG_I1": "Y", "ELIG_I1WHY": "ADVANCED", "ELIG_I2": "PELVIS", "ELIG_I3": "PRIMARY", "ELIG_I5": "Y",
    "ELIG_I8": "NB", "ELIG_I9": "Y", "ELIG_I11": "Y", "ELIG_I12": "Y", "ELIG_CONTRA": "Y",
    **{f"ELIG_E{n}": "N" for n in range(1, 8)},
}  # fmt: skip
WOMAN = {"fact__randomized_on": date(2026, 9, 10), "subject__sex": "F", "ANY__DM_WOCBP": "Y"}


@pytest.mark.parametrize(
    ("item", "value"),
    [
        *((f"ELIG_{oid}", "N") for oid in ("I1", "I5", "I9", "I11", "I12", "CONTRA")),
        *((f"ELIG_E{n}", "Y") for n in range(1, 8)),
        ("ELIG_I2", "NO"), ("ELIG_I3", "NONE"), ("ELIG_I8", "NEITHER"),
    ],
)  # fmt: skip
def test_a_criterion_that_is_not_met_is_a_deviation_once_somebody_is_randomised(pallsoft, item, value):
    answers = ELIGIBLE | {item: value}
    assert deviations(pallsoft, "ELIG", ELIGIBLE, **WOMAN) == []
    assert deviations(pallsoft, "ELIG", answers, **WOMAN) == ["ELIG_D1"]
    screening = {key: known for key, known in WOMAN.items() if key != "fact__randomized_on"}
    assert deviations(pallsoft, "ELIG", answers, **screening) == []


@pytest.mark.parametrize(("day", "site", "found"), [
    (date(2026, 9, 15), "PELVIS", ["ORT_D1"]),
    (date(2026, 9, 15), "ELSEWHERE", []),
    (date(2026, 12, 1), "PELVIS", []),
])  # fmt: skip
def test_other_radiotherapy_to_the_pelvis_before_week_12_is_a_deviation(pallsoft, day, site, found):
    answers = {"ORT_ON": day.isoformat(), "ORT_SITE": site}
    assert deviations(pallsoft, "ORT", answers, fact__anchor_on=date(2026, 9, 14)) == found
