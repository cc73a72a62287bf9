"""Two versions compared: what is new, changed, retired; and what may not follow."""

from dataclasses import replace

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
