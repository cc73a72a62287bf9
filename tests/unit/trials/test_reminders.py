"""The reminders of a definition: read as written, and each fault told with its line."""

import shutil
from pathlib import Path

import pytest

from sites.models import Role
from trials.amendment import differences
from trials.checker import check
from trials.definition.reminders import ROLES, ReminderPlan

DEFINITIONS = Path(__file__).resolve().parents[3] / "trials/definitions"
RULE = """
reminders:
  send_from: "09:00"
  rules:
    - oid: LATE
      label: {nb: Besøket er forsinket, en: The visit is overdue}
      to: [study_nurse, coordinator]
      at: [WK1, MONTHLY]
      counted_from: window_to
      days: "1"
      times: "3"
      every_days: "7"
      source: default
"""


@pytest.fixture
def definition(tmp_path):
    return Path(shutil.copytree(DEFINITIONS / "munntorr", tmp_path / "trial"))


def checked(definition, reminders):
    path = definition / "study.yaml"
    path.write_text(path.read_text(encoding="utf-8") + reminders, encoding="utf-8")
    return check(definition)


def test_a_rule_is_read_as_it_is_written(definition):
    loaded, problems = checked(definition, RULE)
    assert problems == []
    plan = loaded.study.reminders
    rule = plan.rule("LATE")
    assert (plan.send_from, plan.send_until) == ("09:00", "16:00")
    assert (rule.to, rule.at) == (("study_nurse", "coordinator"), ("WK1", "MONTHLY"))
    assert (rule.counted_from, rule.days, rule.times, rule.every_days) == ("window_to", 1, 3, 7)
    assert (rule.language, rule.source) == ("own", "default")


def test_without_the_section_nobody_is_reminded(definition):
    loaded, _problems = check(definition)
    assert loaded.study.reminders == ReminderPlan()
    assert loaded.study.reminders.rules == ()


@pytest.mark.parametrize(
    "old, new, marker, message",
    [
        ("to: [study_nurse, coordinator]", "to: [nurse]", "to:", "'nurse' is not one of study_nurse, investigator"),
        ("to: [study_nurse, coordinator]", "to: []", "to:", "needs 1 or more"),
        ("to: [study_nurse, coordinator]", "to: [study_nurse, study_nurse]", "to:", "study_nurse stands here twice"),
        ("at: [WK1, MONTHLY]", "at: [WK9]", "at:", "WK9 is not an event of this study"),
        ("at: [WK1, MONTHLY]", "at: [SCREEN]", "at:", "SCREEN has no day, so nobody can be reminded of it"),
        ("at: [WK1, MONTHLY]", "at: [WK1, WK1]", "at:", "WK1 stands here twice"),
        ("counted_from: window_to", "counted_from: visit", "counted_from:", "'visit' is not one of window_from"),
        ("      counted_from: window_to\n", "", "oid: LATE", "counted_from is missing"),
        ('days: "1"', 'days: "1.5"', "days:", "'1.5' is not a whole number"),
        ('times: "3"', 'times: "21"', "times:", "21 is more than 20"),
        ('      every_days: "7"\n', "", "oid: LATE", "every_days is missing: how long after each other"),
        ('      times: "3"\n', "", "every_days:", "has no meaning for a reminder that goes once"),
        ('send_from: "09:00"', 'send_from: "9"', "send_from:", "'9' is not a time such as 08:00"),
        ('send_from: "09:00"', 'send_from: "16:00"', "reminders:", "send_until has to come after send_from"),
        ("en: The visit is overdue}", "}", "label:", "en is missing"),
        ("source: default", "sourse: default", "sourse:", "did you mean source?"),
    ],
)
def test_each_fault_is_told_with_its_line(definition, old, new, marker, message):
    assert old in RULE
    loaded, problems = checked(definition, RULE.replace(old, new))
    lines = (definition / "study.yaml").read_text(encoding="utf-8").splitlines()
    start = lines.index("reminders:")
    line = next(number for number, text in enumerate(lines[start:], start + 1) if marker in text)
    assert loaded is None
    assert any(one.line == line and message in one.message for one in problems), [str(one) for one in problems]


def test_two_of_one_name_are_refused(definition):
    twice = RULE + RULE.partition("rules:\n")[2]
    _loaded, problems = checked(definition, twice)
    assert any("reminder LATE is there twice" in str(problem) for problem in problems)


def test_an_amendment_tells_what_changes_in_reminders(definition):
    before, _problems = check(definition)
    after, _problems = checked(definition, RULE)
    told = [(one.act, one.what, one.oid) for one in differences(before.study, after.study)]
    assert told == [("added", "reminder", "LATE")]


def test_the_roles_are_those_of_the_product():
    assert set(ROLES) <= set(Role)


def test_pallsofts_own_are_defaults_of_ours_and_munntorr_has_none():
    plans = {name: check(DEFINITIONS / name)[0].study for name in ("pallsoft", "munntorr")}
    assert plans["munntorr"].reminders.rules == ()
    ours = {default.oid for default in plans["pallsoft"].defaults() if default.kind == "Reminder"}
    assert ours == {rule.oid for rule in plans["pallsoft"].reminders.rules} != set()
