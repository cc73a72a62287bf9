"""A definition is found by OID, speaks two languages and says what in it is ours."""

import pytest
from django.utils.translation import override

from tests.unit.trials.small_trial import document, form, item, text, trial
from trials.checker import check
from trials.definition import Text, parse
from trials.evaluate import evaluate
from trials.expressions import ExpressionError
from trials.scope import compiled

STUDY = trial(
    form("F", item("A"), item("C", "code", code_list="COLOUR")), form("G", item("OK", "yesno"), repeating="true")
)


def test_parts_are_found_by_their_oid():
    assert STUDY.form("F").title.en == "F"
    assert STUDY.item("OK").kind == "yesno"
    assert STUDY.form_of("OK") is STUDY.form("G")
    assert STUDY.event("V1").day == 7
    assert STUDY.arm("B").ratio == 1
    assert [event.oid for event in STUDY.events_with("G")] == ["SCREEN", "V1"]


@pytest.mark.parametrize("find", ["form", "item", "form_of", "event", "code_list", "arm", "table", "setting"])
def test_what_the_study_does_not_have_is_not_found(find):
    with pytest.raises(KeyError):
        getattr(STUDY, find)("NOTHING")


def test_codes_have_labels_and_yes_and_no_are_built_in():
    assert STUDY.codes_of(STUDY.item("C")).codes == ("RED", "BLUE")
    assert STUDY.codes_of(STUDY.item("OK")).label_of("Y").nb == "Ja"
    assert STUDY.codes_of(STUDY.item("A")) is None
    with pytest.raises(KeyError):
        STUDY.code_list("COLOUR").label_of("GREEN")


@pytest.mark.parametrize(
    ("language", "shown"), [("nb", "Kjønn"), ("no", "Kjønn"), ("en", "Sex"), ("en-gb", "Sex"), ("de", "Sex")]
)
def test_a_text_is_shown_in_the_active_language(language, shown):
    with override(language):
        assert str(Text(nb="Kjønn", en="Sex")) == shown


@pytest.mark.parametrize(
    ("pattern", "number"), [("{site}-{n:03d}", "BOD-007"), ("{site}{n:02d}", "BOD07"), ("{site}_{n:04d}", "BOD_0007")]
)
def test_a_subject_number_follows_the_pattern(pattern, number):
    assert trial(form("F", item("A")), subject_number=pattern).number_for("BOD", 7) == number


def test_kinds_fill_in_what_was_left_out():
    study = trial(form("F", item("T", "text"), item("D", "decimal"), item("Y", "yesno"), item("X", derived="D")))
    assert study.item("T").length == 200
    assert study.item("D").decimals == 2
    assert study.item("Y").code_list == "YN"
    assert (study.item("D").missing, study.item("D").required) == (("ND", "UNK", "REF"), True)
    assert (study.item("X").missing, study.item("X").required) == ((), False)


def test_a_code_given_by_rule_is_among_the_codes_that_may_be_stored():
    by_rule = item("A", relevant="subject.sex == 'F'", not_relevant_as="NA", missing=["REF"])
    study = trial(form("F", by_rule, item("B", relevant="A > 1", not_relevant_as="UNK")))
    assert study.item("A").all_missing_codes == ("REF", "NA")
    assert study.item("B").all_missing_codes == ("ND", "UNK", "REF")


def test_what_is_not_the_protocol_s_is_listed_once_with_its_label():
    ours = form("F", item("A"), item("B", source="protocol"), source="default")
    setting = {"key": "margin", "value": "1.0", "unit": text("points"), "label": text("Margin"), "source": "default"}
    study = trial(ours, form("G", item("C"), item("D", source="default")), settings=[setting])
    listed = [(one.kind, one.oid, str(one.label), one.value) for one in study.defaults()]
    assert listed == [
        ("Setting", "margin", "Margin", "1.0 points"),
        ("FormDef", "F", "F", ""),
        ("ItemDef", "D", "D", ""),
    ]


def test_the_source_is_inherited_from_what_encloses():
    study = trial(form("F", item("A"), item("B", source="registry"), source="default"))
    assert (study.item("A").source, study.item("B").source) == ("default", "registry")
    assert study.arm("A").source == "protocol"


def test_a_rule_is_compiled_once_for_its_place():
    assert compiled(STUDY, "A > 1", "F") is compiled(STUDY, "A > 1", "F")
    with pytest.raises(ExpressionError, match="is not an item of form G"):
        compiled(STUDY, "A > 1", "G")


def test_a_table_gives_its_numbers_to_rules():
    tables = {"HUE": {"label": text("Hue"), "values": {"RED": "1.5"}}}
    fields = [item("C", "code", code_list="COLOUR"), item("H", "decimal", derived="lookup(C, 'HUE') * 2")]
    study = trial(form("F", *fields), tables=tables)
    assert evaluate(study, "F", {"C": "RED"}).derived == {"H": "3.00"}
    assert evaluate(study, "F", {"C": "BLUE"}).derived == {}


def test_a_parsed_definition_is_the_same_from_files_and_from_its_document(request):
    loaded, _problems = check(request.config.rootpath / "trials/definitions/munntorr")
    again = parse(loaded.document)
    assert (again.forms, again.events, again.tables) == (loaded.study.forms, loaded.study.events, loaded.study.tables)
    assert parse(document(form("F", item("A")))).forms == trial(form("F", item("A"))).forms
