"""The verification plan: what is always asked for, what is drawn, and where there is no other source."""

import hashlib
from pathlib import Path

import pytest

from trials.checker import check
from trials.evaluate import settled
from trials.subject_rules import Nothing
from trials.verification import is_drawn, is_electronic, planned_items, source_type_of

GOLDEN = ["BOD-002 EC_ECOG", "TRO-001 EC_NEPH"]
DEFINITION = Path(__file__).parents[3] / "trials" / "definitions" / "pallsoft"


@pytest.fixture(scope="module")
def study():
    loaded, problems = check(DEFINITION)
    assert loaded, problems
    return loaded.study


def planned(study, form_oid, data, event_oid="SCREEN", number="BOD-001"):
    form = study.form(form_oid)
    instance = lambda: settled(study, form_oid, data, {}, Nothing())  # noqa: E731
    return [item.oid for item in planned_items(study, form, (number, event_oid, 1, "1"), instance)]


@pytest.mark.req("DAT-13")
def test_the_draw_is_what_the_documentation_says(study):
    """A second implementation, from the sentence in the documentation alone."""
    sample = study.verification.sample
    form = study.form("EC")
    for number in ("BOD-001", "TRØ-014", "1001-200"):
        for event in ("SCREEN", "W4"):
            for item in form.items:
                text = f"{sample.drawn_with}|{study.oid}|{number}|{event}-1|EC|1|{item.oid}"
                n = int(hashlib.sha256(text.encode("utf-8")).hexdigest()[:16], 16)
                assert is_drawn(study, form, item, (number, event, 1, "1")) == (n % 100 < sample.share)


@pytest.mark.req("DAT-13")
def test_golden_draw(study):
    """What was published stays: another draw would change what monitors have been asked for."""
    drawn = [
        f"{number} {item.oid}"
        for number in ("BOD-001", "BOD-002", "TRO-001")
        for item in study.form("EC").items
        if is_drawn(study, study.form("EC"), item, (number, "W4", 1, "1"))
    ]
    assert drawn == GOLDEN


def test_the_share_is_about_one_in_five(study):
    form = study.form("QLC")
    items = [item for item in form.items if not item.derived]
    drawn = sum(is_drawn(study, form, item, (f"BOD-{n:03d}", "W4", 1, "1")) for n in range(1, 201) for item in items)
    assert 0.18 < drawn / (200 * len(items)) < 0.22


def test_eligibility_is_always_verified_and_computed_items_never(study):
    oids = planned(study, "ELIG", {})
    assert oids == [item.oid for item in study.form("ELIG").items if not item.derived]
    nrs = planned(study, "NRS", {"NRS_MODE": "PAPER"})
    assert {"NRS_PAIN", "NRS_ON"} <= set(nrs) and "NRS_TGT" not in nrs


def test_the_primary_nrs_is_asked_for_at_its_two_visits_only(study):
    everything = len(planned(study, "NRS", {"NRS_MODE": "PAPER"}, "W12"))
    assert everything == len(planned(study, "NRS", {"NRS_MODE": "PAPER"}, "SCREEN"))
    assert len(planned(study, "NRS", {"NRS_MODE": "PAPER"}, "W4")) < everything


def test_a_serious_event_is_always_verified_and_an_unanswered_one_too(study):
    everything = len([item for item in study.form("AE").items if not item.derived])
    assert len(planned(study, "AE", {"AE_SER": "Y"}, "LOG")) == everything
    assert len(planned(study, "AE", {}, "LOG")) == everything, "unknown is looked at"
    assert len(planned(study, "AE", {"AE_SER": "N"}, "LOG")) < everything


@pytest.mark.parametrize(
    ("mode", "own"), [("LINK", True), ("TABLET", True), ("PAPER", False), ("PHONE", False), ("", False)]
)
def test_what_the_patient_typed_has_no_other_source(study, mode, own):
    form, data = study.form("NRS"), {"NRS_MODE": mode} if mode else {}
    instance = lambda: settled(study, "NRS", data, {}, Nothing())  # noqa: E731
    assert is_electronic(study, form, instance) is own
    assert bool(planned(study, "NRS", data, "W12")) is not own


def test_the_source_is_that_of_the_form(study):
    assert source_type_of(study.form("RTF"), study.item("RTF_DOSE")) == "rt_system"
    assert source_type_of(study.form("NRS"), study.item("NRS_PAIN")) == "paper"
    assert source_type_of(study.form("EC"), study.item("EC_ECOG")) == "record"


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("{form: NOPE}", "NOPE is not a form"),
        ("{item: NOPE}", "NOPE is not an item"),
        ("{form: ELIG, at: [NOPE]}", "NOPE is not an event"),
        ("{form: ELIG, item: AE_SER}", "one of them"),
        ("{}", "one of them"),
        ('{form: AE, when: "AE_SER"}', "needs to be true/false"),
        ('{form: AE, when: "NRS_PAIN > 3"}', "when:"),
    ],
)
def test_a_plan_that_names_what_is_not_there_is_refused(tmp_path, rule, told):
    for path in DEFINITION.rglob("*.yaml"):
        copy = tmp_path / path.relative_to(DEFINITION)
        copy.parent.mkdir(exist_ok=True)
        copy.write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    study_file = tmp_path / "study.yaml"
    text = study_file.read_text(encoding="utf-8")
    study_file.write_text(text.replace("    - {form: ELIG}\n", f"    - {rule}\n"), encoding="utf-8")
    loaded, problems = check(tmp_path)
    assert loaded is None
    assert any(told in str(problem) for problem in problems), [str(problem) for problem in problems]
