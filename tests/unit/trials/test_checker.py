"""The checker finds every kind of fault in a definition, says all of them at once, and says where."""

import json
import shutil
from copy import deepcopy
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trials.checker import canonical_json, check
from trials.consistency import faults
from trials.definition import DefinitionError, parse, read

DEFINITIONS = Path(__file__).resolve().parents[3] / "trials/definitions"
DRY_MOUTH = DEFINITIONS / "munntorr"


@pytest.fixture
def definition(tmp_path):
    return Path(shutil.copytree(DRY_MOUTH, tmp_path / "trial"))


def change(definition, file, old, new):
    path = definition / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def line_of(definition, file, marker):
    lines = (definition / file).read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if marker in line)


@pytest.mark.parametrize("path", sorted(DEFINITIONS.glob("*/")), ids=lambda path: path.name)
def test_every_trial_of_the_repository_is_without_errors_and_warnings(path):
    _loaded, problems = check(path)
    assert [str(problem) for problem in problems] == []


PROPOSE = "propose: {{when: {}, say: {{nb: Vurder, en: Consider}}}}"

# Each row: file, what stands there, what is put instead, the text on whose line the problem is told, what is told.
KIND, END = "deviations:\n  - {oid: X, label: {nb: x, en: x}, weight: minor, ", "}\nflow:"
STEP = "event: WK4\n  steps: [{oid: X, label: {nb: x, en: x}, item: "
ERRORS = [
    # structure
    ("study.yaml", "target: 90", "target: mange", "target:", "'mange' is not a whole number"),
    ("study.yaml", "target: 90", "target: 0", "target:", "0 is less than 1"),
    ("study.yaml", "target: 90", "", "oid: MUNNTORR", "target is missing"),
    ("study.yaml", "target: 90", "target: 90\nhospital: Skien", "hospital:", "hospital is not a known key"),
    ("study.yaml", "sponsor: Opp", "sponser: Opp", "sponser:", "did you mean sponsor?"),
    ("study.yaml", "sponsor: Oppdiktet sykehus", "sponsor:", "sponsor:", "needs a text of 1 to"),
    ("study.yaml", "sponsor: Oppdiktet sykehus", "sponsor: [a]", "sponsor:", "needs to be a text"),
    ("study.yaml", "arms:\n", "arms:\n  - GEL\n", "- GEL", "needs to be a mapping"),
    ("study.yaml", "oid: MUNNTORR", "oid: munntørr", "oid:", "is not a name of capital letters"),
    ("study.yaml", '{site}-{n:02d}', '{site.__class__}', "subject_number:", "is not a pattern such as"),
    ("study.yaml", "approved_on: 2026-01-15", "approved_on: 15.01.2026", "approved_on", "is not a date"),
    ("study.yaml", "required: true", "required: yes", "required:", "'yes' is not one of false, true"),
    ("study.yaml", "TY\n    source: default", "TY\n    source: guess", "source: guess", "'guess' is not one"),
    ("study.yaml", "anchor: {source: protocol}", "timezone: Oslo\nanchor: {}", "timezone:", "is not a time zone"),
    ("study.yaml", "required: true", "required: false", "options:", "no option is required"),
    ("forms/DRY.yaml", "kind: patient", "kind: nurse", "kind: nurse", "is not one of clinic, patient"),
    ("forms/DRY.yaml", "items: [DRY_NIGHT]", "items: []", "items: []", "needs 1 or more"),
    ("code_lists.yaml", "code: RT,", "code: R T,", "R T", "is not a code"),
    ("code_lists.yaml", "SIDE:\n", "SIDE:\n  oid: SIDE\n", "oid: SIDE", "already given by the name"),
    ("study.yaml", "    - {version:", "    - {version: \"1.0\", approved_on: 2026-01-01}\n    - {version:",
     "2026-01-15", "consent version 1.0 is there twice"),
    ("study.yaml", "target: 90", "target: 90\ntables: [OMED]", "tables:", "needs to be a mapping"),
    ("study.yaml", "event: WK4", "event: WK9", "event: WK9", "WK9 is not a visit of this study"),
    ("study.yaml", "answer: DRY_NOW", "answer: DRY_OLD", "answer:", "DRY_OLD is not an item of this study"),
    ("study.yaml", "answer: DRY_NOW", "answer: SIDE_WHAT", "answer:", "SIDE_WHAT is not asked once at the visit WK4"),
    ("study.yaml", "answer: DRY_NOW", "answer: DRY_NOW\n  not_answered: SIDE_WHAT", "not_answered", "of form DRY"),
    ("study.yaml", "have: [answered]", "have: [received]", "have:", "the flow does not say received"),
    # the table of deviations
    ("study.yaml", "flow:", f"{KIND}checks: [GONE]{END}", "checks", "GONE is not a check of severity deviation"),
    ("study.yaml", "flow:", f"{KIND}excludes: [GONE]{END}", "excludes", "GONE is not an analysis set"),
    ("study.yaml", "flow:", f"{KIND}outside: {{event: WK4, item: DRY_NOW}}{END}", "outside", "DRY_NOW is no date"),
    ("study.yaml", "flow:", f"{KIND}outside: {{event: WK4, item: GONE}}{END}", "outside", "GONE is not an item"),
    ("study.yaml", "flow:", f"{KIND}unanswered: {{event: WK9, item: DRY_NOW}}{END}", "unanswered", "not a visit"),
    ("study.yaml", "flow:", f"{KIND}unanswered: {{event: WK4, item: SIDE_WHAT}}{END}", "unanswered", "not asked once"),
    ("study.yaml", "event: WK4", f"{STEP}GONE, codes: [Y]}}]", "GONE", "GONE is not an item"),
    ("study.yaml", "event: WK4", f"{STEP}SIDE_WHAT, codes: [Y]}}]", "[Y]", "the code Y"),
    ("study.yaml", "event: WK4", f"{STEP}SIDE_WHAT, codes: [SORE], why: DRY_NIGHT}}]", "why", "not on the form"),
    # translations
    ("study.yaml", "en: Cause}", "}", "nb: Årsak", "en is missing"),
    ("forms/DRY.yaml", "nb: Dato, ", "", "en: Date", "nb is missing"),
    ("forms/DRY.yaml", "{nb: Dato, en: Date}", "Dato", "label: Dato", "a mapping with the keys nb, en"),
    ("forms/DRY.yaml", "en: Not dry", 'en: ""', "Ikke tørr", "needs a text of 1 to"),
    # names
    ("forms/SIDE.yaml", "oid: SIDE_END", "oid: SIDE_START", "", "item SIDE_START is there twice"),
    ("forms/SIDE.yaml", "oid: SIDE_END", "oid: DRY_NOW", "oid: DRY_NOW", "first in forms/DRY.yaml:"),
    ("forms/SIDE.yaml", "oid: SIDE_C1", "oid: DRY_C1", "oid: DRY_C1", "check DRY_C1 is there twice"),
    ("forms/SIDE.yaml", "oid: SIDE\n", "oid: SIDES\n", "oid: SIDES", "has to be in forms/SIDES.yaml"),
    ("schedule.yaml", "oid: WK4", "oid: WK1", "", "event WK1 is there twice"),
    ("schedule.yaml", "oid: WK1", "oid: ANY", "oid: ANY", "ANY is reserved"),
    ("study.yaml", "code: DROPS", "code: GEL", "", "arm GEL is there twice"),
    ("code_lists.yaml", "code: DRUG", "code: RT", "Legemidler", "code RT is there twice"),
    # references
    ("forms/DRY.yaml", "items: [DRY_NIGHT]", "items: [SIDE_WHAT]", "SIDE_WHAT", "is not an item of form DRY"),
    ("forms/SIDE.yaml", "code_list: SIDE", "code_list: SIDES", "code_list:", "SIDES is not a code list"),
    ("study.yaml", "code_list: CAUSE", "code_list: WHY", "code_list: WHY", "WHY is not a code list"),
    ("schedule.yaml", "{form: SALIVA,", "{form: SPIT,", "SPIT", "SPIT is not a form"),
    ("schedule.yaml", "{form: SALIVA,", "{form: DRY,", "required: false}", "form DRY is at event WK4 twice"),
    ("schedule.yaml", "      - {form: SIDE, required: false}", "      []", "", "form SIDE is at no event"),
    ("eligibility.yaml", "form: BASE", "form: ELIG", "form:", "ELIG is not a form"),
    ("eligibility.yaml", "item: BASE_ALLERGY", "item: DRY_NOW", "item:", "DRY_NOW is not an item of form BASE"),
    ("eligibility.yaml", "    item: BASE_ALLERGY\n", "", "oid: E1", "item is missing"),
    ("eligibility.yaml", "    met_if: SCREEN.DRY_NOW >= 4\n", "", "oid: I1", "met_if is missing"),
    ("eligibility.yaml", "item: BASE_ALLERGY", "item: BASE_TEETH", "oid: E1", "Y is not among FULL, OWN, PART"),
    ("schedule.yaml", "      - {form: BASE}\n", "", "forms:", "the eligibility form BASE is not here"),
    ("study.yaml", "{source: protocol}", "{form: DRY}", "anchor:", "date is missing"),
    ("study.yaml", "{source: protocol}", "{form: DRY, date: DRY_NOW}", "anchor:", "DRY_NOW is nrs, needs to be date"),
    ("study.yaml", "{source: protocol}", "{date: DRY_DATE}", "anchor:", "has no meaning without a form"),
    ("study.yaml", "{source: protocol}", "{form: DRY, date: SIDE_END}", "anchor:", "SIDE_END is not an item of"),
    # schedule
    ("schedule.yaml", 'before: "1"', 'before: "-1"', 'before: "-1"', "-1 is less than 0"),
    ("schedule.yaml", '    after: "2"\n', "", "oid: WK1", "after is missing: a scheduled event needs it"),
    ("schedule.yaml", '    every_days: "28"\n', "", "oid: MONTHLY", "every_days is missing"),
    ("schedule.yaml", 'until_days: "168"', 'until_days: "30"', "until_days:", "until_days 30 is before day 56"),
    ("schedule.yaml", "kind: repeating", "kind: scheduled", "every_days:", "is for repeating events only"),
    ("schedule.yaml", "kind: screening", "kind: log", "", "needs one event of kind screening, has 0"),
    ("schedule.yaml", "kind: screening", "kind: log", "", "has 2 events of kind log: one at most"),
    # items
    ("forms/DRY.yaml", 'min: "0"', 'min: "51"', "min:", "min 51 is more than max 50"),
    ("forms/DRY.yaml", 'min: "0"', 'min: "0.5"', "min:", "0.5 has more decimals than the item"),
    ("forms/DRY.yaml", 'min: "0"', 'length: "5"', "length:", "is for items of kind text, not integer"),
    ("forms/SIDE.yaml", "        code_list: SIDE\n", "", "oid: SIDE_WHAT", "code_list is missing"),
    ("forms/SALIVA.yaml", 'decimals: "3"', 'max: "3"', "max: \"3\"", "has no meaning for a derived item"),
    ("forms/SIDE.yaml", 'length: "100"', "derived: SIDE_WHAT", "derived:", "of kind text cannot be derived"),
    ("forms/DRY.yaml", 'min: "0"', "not_relevant_as: NONE", "not_relevant_as:", "'NONE' is not one of ND"),
    ("forms/DRY.yaml", "missing: [REF, ILL]", "missing: [REF, TIRED]", "TIRED", "'TIRED' is not one of ND"),
    ("forms/BASE.yaml", "relevant: BASE_TEETH in ('PART', 'FULL')", "", "not_relevant_as", "without relevant"),
    # rules
    ("forms/SALIVA.yaml", "derived: SALIVA_ML / SALIVA_MINUTES", "derived: SALIVA_ML > 1", "derived:", "needs number"),
    ("forms/BASE.yaml", "in ('PART', 'FULL')", "in ('PART', 'NONE')", "NONE", "NONE is not among FULL, OWN, PART"),
    ("study.yaml", "from: SCREEN.BASE_CAUSE", "from: SCREEN.DRY_NOW", "from: SCREEN.DRY", "is not a code"),
    ("study.yaml", "from: SCREEN.BASE_CAUSE", "from: SCREEN.BASE_TEETH", "_TEETH", "PART, which is not in code list"),
    ("study.yaml", "from: SCREEN.BASE_CAUSE", "from: BASE_CAUSE", "from: BASE", "there is no form here"),
    ("study.yaml", "not missing(SCREEN.DRY_NOW)", "event.oid == 'WK1'", "open_if", "event.oid is not known here"),
    ("study.yaml", "not missing(SCREEN.DRY_NOW)", "HERE.DRY_NOW > 1", "open_if", "has no meaning without a form"),
    ("study.yaml", "expr: SCREEN.DRY_NOW", "expr: fact.dry_change", "expr: fact", "fact.dry_change is not known here"),
    ("study.yaml", "not missing(SCREEN.DRY_NOW)", "lookup(SCREEN.BASE_TEETH, 'NONE') > 1", "open_if", "is not a table"),
    # circles
    ("forms/SALIVA.yaml", 'max: "50"', "relevant: SALIVA_RATE > 0", "oid: SALIVA_ML", "goes in a circle"),
    ("forms/DRY.yaml", "- SCREEN.DRY_NOW", "- SCREEN.DRY_CHANGE", "oid: DRY_CHANGE", "goes in a circle"),
    ("schedule.yaml", "oid: WK1\n", "oid: WK1\n    counted_from: fact.anchor_on\n", "counted_from", "a number of days"),
    ("schedule.yaml", "kind: screening\n", "kind: screening\n    counted_from: 1 + 1\n", "counted_from", "without day"),
    # proposals
    ("forms/BASE.yaml", "kind: clinic", "kind: clinic\nrepeating: true\n" + PROPOSE.format("BASE_TEETH == 'OWN'"),
     "propose:", "has no meaning for repeating forms"),
    ("forms/BASE.yaml", "kind: clinic", "kind: clinic\n" + PROPOSE.format("BASE_TEETH"), "propose:", "true/false"),
    # secrets
    ("study.yaml", "- key: primary_timepoint", "- key: block_sizes", "block_sizes", "the list holder keeps it"),
    ("study.yaml", "target: 90", "target: 90\nseed: 4", "seed:", "the list holder keeps it"),
    ("study.yaml", "target: 90", "target: 90\nidentifiers: {seed: x}", "{seed: x}", "the list holder keeps it"),
    ("study.yaml", "    code_list: SEVERITY", "    blocks: [4, 6]", "blocks:", "the list holder keeps it"),
]  # fmt: skip


@pytest.mark.parametrize("fact", ["fact.anchor_on", "fact.first_day"])
def test_the_form_that_gives_day_0_cannot_ask_for_it(definition, fact):
    change(definition, "study.yaml", "anchor: {source: protocol}", "anchor: {form: DRY, date: DRY_DATE}")
    change(
        definition,
        "study.yaml",
        "facts:\n",
        """facts:
  - {oid: first_day, label: {nb: Dag 0, en: Day 0}, expr: fact.anchor_on}
""",
    )
    change(definition, "forms/DRY.yaml", "relevant: DRY_NOW > 0", f"relevant: days({fact}, now.date) > 3")
    _loaded, problems = check(definition)
    told = [problem for problem in problems if "day 0 comes from this form" in str(problem)]
    assert [(problem.file, problem.line) for problem in told] == [
        ("forms/DRY.yaml", line_of(definition, "forms/DRY.yaml", fact))
    ]


# Rules put in the place of "DRY_NOW > 0" in forms/DRY.yaml, and what is told on that line.
RULES = [
    ("DRY_NOW >", "relevant: column 10: cannot be read"),
    ("DRY_NOW", "gives number, needs to be true/false"),
    ("DRY_WHEN > 0", "is not an item of form DRY"),
    ("BASE_TEETH == 'OWN'", "write SCREEN.BASE_TEETH"),
    ("WK9.DRY_NOW > 0", "names no event of this study (WK9)"),
    ("WK1.SALIVA_ML > 0", "which event WK1 does not have"),
    ("HERE.DRY_NOW > 0", "leave HERE. out"),
    ("HERE.SIDE_WHAT == 'SORE'", "at no event together with DRY"),
    ("ANY.NOTHING > 0", "names no item of this study"),
    ("LOG.SIDE_WHAT == 'SORE'", "use count_of"),
    ("count_of(WK1.DRY_NOW) > 0", "does not repeat"),
    ("count_of(DRY_NOW) > 0", "needs the event in front"),
    ("count_of(fact.arm) > 0", "has no repeats"),
    ("fact.arm == 'PLACEBO'", "not among DROPS, GEL, SPRAY"),
    ("event.oid == 'WK9'", "WK9 is not among"),
    ("event.name == 'WK9'", "event.oid and event.happened_on are"),
    ("subject.name == 'Åse'", "is not part of"),
    ("subject.age > 18", "is not known here"),
]  # fmt: skip
ERRORS += [("forms/DRY.yaml", "DRY_NOW > 0", rule, f"relevant: {rule}", message) for rule, message in RULES]


@pytest.mark.parametrize(("file", "old", "new", "marker", "message"), ERRORS, ids=[row[4][:40] for row in ERRORS])
def test_each_kind_of_error_is_told_with_file_and_line(definition, file, old, new, marker, message):
    change(definition, file, old, new)
    loaded, problems = check(definition)
    assert loaded is None
    told = [(problem.file, problem.line) for problem in problems if message in problem.message]
    place = (file, line_of(definition, file, marker)) if marker else told[0]
    assert place in told, [str(problem) for problem in problems]


WARNINGS = [
    ("schedule.yaml", 'before: "3"', 'before: "20"', "the window of WK4 begins before that of WK1 ends"),
    ("schedule.yaml", 'every_days: "28"', 'every_days: "14"', "the windows of MONTHLY overlap each other"),
    ("forms/DRY.yaml", "relevant: DRY_NOW > 0", "relevant: fact.arm == 'GEL'", "DRY_NIGHT should say"),
    ("schedule.yaml", "required: false}", "relevant: fact.arm == 'GEL'}", "SALIVA_ML, SALIVA_MINUTES, SALIVA"),
    ("forms/SALIVA.yaml", "items:", "relevant: fact.arm == 'GEL'\n    items:", "SALIVA_RATE should say reveals_arm"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "message"), WARNINGS, ids=[row[3][:40] for row in WARNINGS])
def test_what_is_only_odd_is_a_warning_and_can_be_loaded(definition, file, old, new, message):
    change(definition, file, old, new)
    loaded, problems = check(definition)
    assert loaded is not None
    assert [problem.warning for problem in problems] == [True]
    assert message in str(problems[0])
    assert "warning: " in str(problems[0])


def test_all_errors_are_told_at_once_in_the_order_of_the_files(definition):
    change(definition, "study.yaml", "target: 90", "target: mange")
    change(definition, "forms/DRY.yaml", "en: Date", "dk: Dato")
    change(definition, "forms/SIDE.yaml", "SIDE_END < SIDE_START", "SIDE_END < 'a'")
    change(definition, "schedule.yaml", "WK4.DRY_NOW", "WK5.DRY_NOW")
    _loaded, problems = check(definition)
    assert [problem.file for problem in problems] == [
        "forms/DRY.yaml", "forms/DRY.yaml", "forms/SIDE.yaml", "schedule.yaml", "study.yaml"
    ]  # fmt: skip


def test_an_unreadable_file_is_told_without_a_flood_of_what_follows_from_it(definition):
    (definition / "forms/DRY.yaml").write_text("oid: [\n")
    _loaded, problems = check(definition)
    assert [problem.file for problem in problems] == ["forms/DRY.yaml"]


def test_an_empty_directory_is_told_by_what_it_lacks(tmp_path):
    _loaded, problems = check(tmp_path)
    assert {"code_lists.yaml:1: is missing", "eligibility.yaml:1: is missing"} <= {str(problem) for problem in problems}


def test_a_document_with_faults_is_no_definition():
    document = check(DRY_MOUTH)[0].document
    with pytest.raises(DefinitionError, match="target is missing") as refused:
        parse({key: value for key, value in document.items() if key != "target"})
    assert refused.value.problems == [((), "target is missing")]


def test_the_canonical_document_survives_json_and_its_hash_knows_every_sign(definition):
    before = check(definition)[0]
    assert canonical_json(json.loads(canonical_json(before.document))) == canonical_json(before.document)
    change(definition, "forms/DRY.yaml", "Hvor tørr er munnen?", "Hvor tørr er munnen ?")
    assert check(definition)[0].sha256 != before.sha256


def test_comments_and_layout_of_the_files_do_not_change_the_hash(definition):
    before = check(definition)[0].sha256
    change(definition, "study.yaml", "target: 90", "target: '90'   # persons")
    assert check(definition)[0].sha256 == before


SCRAPS = st.sampled_from(
    ["", "X", "DRY_NOW", "RED", "-1", "true", "DRY_NOW >", "event.oid", [], {}, ["a"], {"nb": "x"}]
)
DOCUMENT = canonical_json(check(DRY_MOUTH)[0].document)


def break_something(document, data):
    """Walk down at random and put a scrap somewhere."""
    node = document
    while node:
        key = data.draw(st.sampled_from(list(node) if isinstance(node, dict) else list(range(len(node)))))
        if isinstance(node[key], str) or data.draw(st.integers(0, 5)) == 0:
            node[key] = deepcopy(data.draw(SCRAPS))  # the next break may reach into it
            return
        node = node[key]


@settings(max_examples=60)
@given(st.data())
def test_any_broken_document_is_told_about_and_never_breaks_the_checker(data):
    document = json.loads(DOCUMENT)
    for _ in range(data.draw(st.integers(1, 6))):
        break_something(document, data)
    study, problems = read(document)
    told = [message for _path, message in problems] + [fault.message for fault in faults(study)]
    assert all(told)
