"""Two versions compared: what is new, changed, retired; and what may not follow."""

from dataclasses import replace
from decimal import Decimal

import pytest

from tests.fixtures import DEFINITION
from trials.amendment import broken_promises, differences
from trials.checker import check
from trials.definition import Text


@pytest.fixture(scope="module")
def study():
    return check(DEFINITION)[0].study


def with_item(study, change):
    """The study with the first item of its first form as `change` makes it; None takes it away."""
    form = study.forms[0]
    group = form.groups[0]
    item = change(group.items[0])
    items = (*((item,) if item else ()), *group.items[1:])
    groups = (replace(group, items=items), *form.groups[1:])
    return replace(study, forms=(replace(form, groups=groups), *study.forms[1:]))


def test_the_same_definition_differs_in_nothing(study):
    assert differences(study, study) == [] and broken_promises(study, study) == []


def test_a_better_wording_is_a_change_and_no_broken_promise(study):
    new = with_item(study, lambda item: replace(item, label=Text(nb="Nytt", en="New")))
    assert [(one.act, one.what) for one in differences(study, new)] == [("changed", "item")]
    assert broken_promises(study, new) == []


def test_a_retired_item_is_told_as_retired(study):
    new = with_item(study, lambda item: replace(item, retired=True, required=False))
    assert [one.act for one in differences(study, new)] == ["retired"]
    assert broken_promises(study, new) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda item: None,
        lambda item: replace(item, kind="text" if item.kind != "text" else "date"),
        lambda item: replace(item, unit=Text(nb="mil", en="miles")),
    ],
    ids=["gone", "kind", "unit"],
)
def test_an_item_never_vanishes_nor_changes_its_kind_or_unit(study, change):
    assert len(broken_promises(study, with_item(study, change))) == 1


def test_a_form_and_a_visit_never_vanish(study):
    without_visit = replace(study, events=study.events[:-1])
    assert any(study.events[-1].oid in sentence for sentence in broken_promises(study, without_visit))
    without_form = replace(study, forms=study.forms[1:])
    assert any(study.forms[0].oid in sentence for sentence in broken_promises(study, without_form))


def test_a_code_that_is_gone_or_means_something_else_is_refused_a_better_translation_is_not(study):
    used = {item.code_list for form in study.forms for item in form.items}
    place = next(place for place, listed in enumerate(study.code_lists) if listed.oid in used)
    listed = study.code_lists[place]

    def with_codes(items):
        lists = (*study.code_lists[:place], replace(listed, items=items), *study.code_lists[place + 1 :])
        return replace(study, code_lists=lists)

    first = listed.items[0]
    assert broken_promises(study, with_codes(listed.items[1:]))
    assert broken_promises(study, with_codes((replace(first, label=Text(nb="Ny", en="New")), *listed.items[1:])))
    better = Text(nb=first.label.nb, en="Better English")
    assert broken_promises(study, with_codes((replace(first, label=better), *listed.items[1:]))) == []


def with_first(study, kind, **changes):
    """The study with `changes` to its first answered item of the kind."""
    form, group, item = next(
        (form, group, item)
        for form in study.forms
        for group in form.groups
        for item in group.items
        if item.kind == kind and not item.derived
    )
    items = tuple(replace(one, **changes) if one is item else one for one in group.items)
    groups = tuple(replace(one, items=items) if one is group else one for one in form.groups)
    forms = tuple(replace(one, groups=groups) if one is form else one for one in study.forms)
    return replace(study, forms=forms)


@pytest.mark.parametrize(
    ("kind", "before", "now", "key"),
    [
        ("text", {"length": 200}, {"length": 199}, "length"),
        ("decimal", {"decimals": 2}, {"decimals": 1}, "decimals"),
        ("decimal", {"max": None}, {"max": Decimal(9)}, "max"),
        ("integer", {"max": Decimal(9)}, {"max": Decimal(8)}, "max"),
        ("integer", {"min": None}, {"min": Decimal(0)}, "min"),
        ("integer", {"min": Decimal(-1)}, {"min": Decimal(0)}, "min"),
        ("code", {"missing": ("ND", "REF")}, {"missing": ("ND",)}, "missing"),
    ],
)
def test_an_answer_that_was_right_is_never_refused_later_and_more_may_be_allowed(study, kind, before, now, key):
    wide, narrow = with_first(study, kind, **before), with_first(study, kind, **now)
    (promise,) = broken_promises(wide, narrow)
    assert f"({key})" in promise
    assert broken_promises(narrow, wide) == []


def test_what_was_answered_is_not_computed_over(study):
    computed = with_first(study, "integer", derived="1")
    assert len(broken_promises(study, computed)) == 1
    assert broken_promises(computed, study) == []


def test_a_form_does_not_become_a_list_nor_a_list_a_form(study):
    first = study.forms[0]
    turned = replace(study, forms=(replace(first, repeating=not first.repeating), *study.forms[1:]))
    assert len(broken_promises(study, turned)) == len(broken_promises(turned, study)) == 1
