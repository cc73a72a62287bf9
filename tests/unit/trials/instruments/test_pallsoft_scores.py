"""The scores on PALLSOFT's questionnaires: each from its own items, with the version of its instrument."""

import re

import pytest

from tests.unit.trials.outside import Outside
from trials.evaluate import evaluate
from trials.instruments import instrument_named

QUESTIONNAIRES = {"QLC": "QLQ-C30 3.0", "QCR": "QLQ-CR29 1", "QPR": "QLQ-PR25 1", "QCX": "QLQ-CX24 1"}
DIMENSIONS = ["MO", "SC", "UA", "PD", "AD"]


@pytest.fixture(scope="session")
def pallsoft(definition):
    return definition.study


def is_score(item):
    return bool(item.derived and item.derived.startswith("scale("))


def scored(study, form):
    """{scale: (instrument, item OIDs)} of the scores on a form."""
    found = {}
    for item in study.form(form).items:
        if is_score(item):
            instrument, scale, names = re.fullmatch(r"scale\('(.+?)', '(.+?)', (.+)\)", item.derived).groups()
            found[scale] = (instrument, re.split(r",\s*", names))
    return found


@pytest.mark.parametrize(("form", "instrument"), QUESTIONNAIRES.items())
def test_each_score_is_computed_from_the_items_of_its_scale_by_number(pallsoft, form, instrument):
    for code, (named, oids) in scored(pallsoft, form).items():
        assert named == instrument
        assert [str(int(oid[-2:])) for oid in oids] == list(instrument_named(instrument).scale(code).items)
        assert all(oid in pallsoft.form(form).item_oids for oid in oids)


def test_the_core_questionnaire_has_all_its_scores_and_a_module_those_of_many_items(pallsoft):
    assert scored(pallsoft, "QLC").keys() == {scale.code for scale in instrument_named("QLQ-C30 3.0").scales}
    for form in ("QCR", "QPR", "QCX"):
        settled = instrument_named(QUESTIONNAIRES[form]).settled
        assert scored(pallsoft, form).keys() == {scale.code for scale in settled if len(scale.items) > 1}


def test_the_five_dimensions_stand_in_the_order_of_the_value_set(pallsoft):
    assert scored(pallsoft, "EQ5D") == {"INDEX": ("EQ-5D-5L NO-2024", [f"EQ_{n}" for n in range(1, 6)])}
    assert list(instrument_named("EQ-5D-5L NO-2024").scale("INDEX").items) == DIMENSIONS


def test_the_version_stands_above_the_scores(pallsoft):
    for form, instrument in (QUESTIONNAIRES | {"EQ5D": "EQ-5D-5L NO-2024"}).items():
        (group,) = [group for group in pallsoft.form(form).groups if any(map(is_score, group.items))]
        assert all(word in group.label.nb and word in group.label.en for word in instrument.split())
        assert group.hint and all(item.derived for item in group.items)


def test_a_questionnaire_is_scored(pallsoft):
    """The first row of the published vignette, one item missing."""
    row = "12-212112232133222212423122154"
    answers = {f"QLC_{n:02d}": answer for n, answer in enumerate(row, 1) if answer != "-"}
    assert evaluate(pallsoft, "QLC", answers, {"QLC_03": "REF"}, Outside()).derived == {
        "QLC_QL": "58.33", "QLC_PF": "83.33", "QLC_RF": "83.33", "QLC_EF": "41.67", "QLC_CF": "100.00",
        "QLC_SF": "66.67", "QLC_FA": "33.33", "QLC_NV": "66.67", "QLC_PA": "33.33", "QLC_DY": "0.00",
        "QLC_SL": "66.67", "QLC_AP": "0.00", "QLC_CO": "33.33", "QLC_DI": "33.33", "QLC_FI": "0.00",
        "QLC_SUM": "69.87",
    }  # fmt: skip


def test_half_of_a_scale_is_enough_and_an_empty_questionnaire_has_no_score(pallsoft):
    derived = evaluate(pallsoft, "QLC", {"QLC_06": "1", "QLC_10": "4"}, {}, Outside()).derived
    assert derived == {"QLC_RF": "100.00"}
    for form, prefix in {"QLC": "QLC", "QCR": "CR", "QPR": "PR", "QCX": "CX", "EQ5D": "EQ"}.items():
        assert evaluate(pallsoft, form, {}, {}, Outside()).derived == {}
        assert evaluate(pallsoft, form, {f"{prefix}_NOT": "ILL"}, {}, Outside()).derived == {}


def test_the_norwegian_index_is_stored_to_its_six_decimals(pallsoft):
    levels = dict(zip([f"EQ_{n}" for n in range(1, 6)], "11211", strict=True))
    assert evaluate(pallsoft, "EQ5D", levels, {}, Outside()).derived == {"EQ_INDEX": "0.972792"}
    assert evaluate(pallsoft, "EQ5D", levels | {"EQ_4": ""}, {}, Outside()).derived == {}
