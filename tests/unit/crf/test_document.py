"""A form as a document: what the rules make of the answers, purely."""

import pytest

from crf.entry.document import Answer, Document, Rules
from crf.entry.merge import merge
from tests.unit.crf.definitions import check, form, item, study
from trials.subject_rules import Nothing

FORM = form(
    "ELIG",
    [
        item("ELIG_I1", "yesno"),
        item("DAILY", relevant="ELIG_I1 == 'Y'", not_relevant_as="NA"),
        item("WEEKLY", derived="DAILY * 7"),
        item("REMARK", "text", required="false"),
    ],
    [check("C1", "DAILY > 40", ["DAILY"]), check("C2", "DAILY > 100", ["DAILY"], "hard")],
)
RULES = Rules(study(forms=[FORM]), study(forms=[FORM]).form("ELIG"), Nothing())
YES, NO = Answer("Y"), Answer("N")


def settle(before=None, why=None, **given):
    return RULES.settle(before or Document(), {oid: answer for oid, answer in given.items()}, why or {})


def test_data_holds_relevant_answers_and_what_follows_from_them():
    settled = settle(ELIG_I1=YES, DAILY=Answer("10"))
    assert settled.document == Document({"ELIG_I1": "Y", "DAILY": "10", "WEEKLY": "70"}, {})
    assert settled.complete


def test_a_hidden_answer_is_set_aside_and_its_code_is_by_rule():
    settled = settle(ELIG_I1=NO, DAILY=Answer("10", entered="10,0"))
    assert settled.document.data == {"ELIG_I1": "N"}
    mark = {"set_aside": "10", "entered": "10,0", "missing": "NA", "by_rule": "yes"}
    assert settled.document.marks == {"DAILY": mark}
    assert settled.complete


def test_what_was_set_aside_comes_back_with_its_question():
    hidden = settle(ELIG_I1=NO, DAILY=Answer("10", entered="10,0")).document
    assert settle(hidden, ELIG_I1=YES).document == Document(
        {"ELIG_I1": "Y", "DAILY": "10", "WEEKLY": "70"}, {"DAILY": {"entered": "10,0"}}
    )


def test_a_reason_why_it_is_missing_is_set_aside_too():
    hidden = settle(ELIG_I1=NO, DAILY=Answer(missing="UNK")).document
    assert hidden.marks["DAILY"]["set_aside_missing"] == "UNK"
    assert settle(hidden, ELIG_I1=YES).document.marks == {"DAILY": {"missing": "UNK"}}


def test_a_form_is_complete_when_each_required_question_has_an_answer_or_a_reason():
    assert not settle(ELIG_I1=YES).complete
    assert settle(ELIG_I1=YES, DAILY=Answer(missing="UNK")).complete


def test_a_soft_check_is_kept_with_its_explanation_until_what_it_asks_about_changes():
    first = settle(ELIG_I1=YES, DAILY=Answer("50"), why={"C1": " counted twice "})
    assert [(one.key, one.why) for one in first.fired] == [("C1@1", "counted twice")]
    again = settle(first.document, REMARK=Answer("later"))
    assert again.fired[0].why == "counted twice"
    changed = settle(first.document, DAILY=Answer("60"))
    assert changed.fired[0].why == ""


def test_a_check_that_is_satisfied_leaves_no_mark():
    first = settle(ELIG_I1=YES, DAILY=Answer("50"), why={"C1": "counted twice"})
    assert settle(first.document, DAILY=Answer("5")).document.marks == {}


def test_what_cannot_be_true_is_told_at_its_question():
    assert list(RULES.hard_violations(settle(ELIG_I1=YES, DAILY=Answer("200")).outcome)) == ["DAILY"]
    assert RULES.hard_violations(settle(ELIG_I1=YES, DAILY=Answer("5")).outcome) == {}


def test_changes_tell_what_was_typed_from_what_follows():
    before = settle(ELIG_I1=YES, DAILY=Answer("10")).document
    after = settle(before, DAILY=Answer("20")).document
    assert [(change.item.oid, change.by_rule) for change in RULES.changes(before, after)] == [
        ("DAILY", False),
        ("WEEKLY", True),
    ]


def test_a_code_by_rule_that_comes_or_goes_is_no_persons_change():
    before = settle(ELIG_I1=NO).document
    after = settle(before, ELIG_I1=YES).document
    assert [(change.item.oid, change.by_rule) for change in RULES.changes(before, after)] == [
        ("ELIG_I1", False),
        ("DAILY", True),
    ]


@pytest.mark.req("DAT-02")
@pytest.mark.parametrize(
    ("seen", "current", "given", "mine", "clashes"),
    [
        ("", "", "5", {"DAILY"}, []),
        ("5", "7", "5", set(), []),  # I left it, they changed it: theirs stays
        ("5", "5", "7", {"DAILY"}, []),
        ("5", "7", "7", {"DAILY"}, []),  # both the same
        ("5", "6", "7", {"DAILY"}, ["DAILY"]),
        ("", "6", "7", {"DAILY"}, ["DAILY"]),
        ("5", "", "7", {"DAILY"}, ["DAILY"]),
        ("5", "6", "", {"DAILY"}, ["DAILY"]),
    ],
)
def test_only_different_answers_to_the_same_question_clash(seen, current, given, mine, clashes):
    found = merge(of(seen), of(current), {"DAILY": Answer(given)})
    assert set(found.mine) == mine
    assert [clash.item_oid for clash in found.clashes] == clashes


def of(text):
    return Document({"DAILY": text} if text else {}, {})
