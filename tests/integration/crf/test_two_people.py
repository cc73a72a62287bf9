"""Two people on one form: merged when they answered different items, side by side when the same (DAT-02, S12)."""

import uuid

import pytest

from crf.entry.interruptions import EditConflict
from crf.models import FormData
from crf.services import save_form
from pallsoft.audit.models import ItemChange
from tests.fixtures.threads import in_threads
from tests.integration.crf.conftest import stored


@pytest.fixture
def colleague(investigator):
    return investigator


@pytest.mark.req("DAT-02")
def test_pc044_different_items_are_merged_without_a_question(save, row, crc, colleague):
    save("START", "BASE", {"BASE_WEIGHT": "70"}, by=crc)
    save("START", "BASE", {"BASE_WEIGHT": "70", "BASE_HEIGHT": "175"}, by=crc)
    save("START", "BASE", {"BASE_WEIGHT": "70", "BASE_ORGAN": "GUT"}, by=colleague, seen_version=1)
    assert row("START", "BASE").data == {
        "BASE_WEIGHT": "70",
        "BASE_HEIGHT": "175",
        "BASE_BMI": "22.9",
        "BASE_ORGAN": "GUT",
    }


@pytest.mark.req("DAT-02")
def test_the_same_item_gives_both_versions_and_overwrites_nothing(save, row, crc, colleague):
    save("START", "BASE", {"BASE_ORGAN": "GUT"}, by=crc)
    save("START", "BASE", {"BASE_WEIGHT": "70"}, by=crc)
    with pytest.raises(EditConflict) as conflict:
        save("START", "BASE", {"BASE_WEIGHT": "71", "BASE_HEIGHT": "175"}, by=colleague, seen_version=1)
    (theirs,) = conflict.value.clashes
    assert (theirs.clash.item_oid, theirs.clash.theirs.value, theirs.clash.mine.value) == ("BASE_WEIGHT", "70", "71")
    assert theirs.by == crc.full_name and theirs.at is not None
    assert conflict.value.version == 2
    assert row("START", "BASE").data == {"BASE_ORGAN": "GUT", "BASE_WEIGHT": "70"}


@pytest.mark.req("DAT-02")
def test_two_first_saves_are_compared_too(save, crc, colleague):
    save("START", "BASE", {"BASE_WEIGHT": "70"}, by=crc)
    with pytest.raises(EditConflict) as conflict:
        save("START", "BASE", {"BASE_WEIGHT": "71"}, by=colleague, seen_version=0)
    assert conflict.value.clashes[0].by == crc.full_name


def test_the_same_answer_from_both_is_no_conflict(save, crc, colleague):
    save("START", "BASE", {"BASE_ORGAN": "GUT"}, by=crc)
    save("START", "BASE", {"BASE_WEIGHT": "70"}, by=crc)
    result = save("START", "BASE", {"BASE_WEIGHT": "70"}, by=colleague, seen_version=1)
    assert (result.version, result.changed) == (2, False)


def test_after_choosing_the_second_saves_with_a_reason(save, row, crc, colleague):
    save("START", "BASE", {"BASE_WEIGHT": "70"}, by=crc)
    save("START", "BASE", {"BASE_WEIGHT": "71"}, by=colleague, seen_version=1, reason="mine is the right one")
    assert row("START", "BASE").data["BASE_WEIGHT"] == "71"
    change = ItemChange.objects.select_related("change_set").get(item="BASE_WEIGHT")
    assert change.change_set.actor_name == colleague.full_name


@pytest.mark.django_db(transaction=True)
@pytest.mark.req("DAT-03")
def test_pc046_twenty_parallel_identical_posts_are_one_change(visit, crc):
    key = uuid.uuid4()

    def post():
        return save_form(
            event=visit("ALWAYS"),
            form_oid="EVENTS",
            repeat_key="new",
            values={"EVENTS_TERM": "fall på trappa"},
            seen_version=0,
            key=key,
            by=crc,
        )

    results = in_threads(*[post] * 20)
    assert results == [results[0]] * 20
    assert FormData.objects.filter(form_oid="EVENTS").count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.req("DAT-02")
def test_twenty_people_saving_different_repeats_lose_nothing(visit, crc):
    def post(number):
        return lambda: save_form(
            event=visit("ALWAYS"),
            form_oid="EVENTS",
            repeat_key="new",
            values={"EVENTS_TERM": str(number)},
            seen_version=0,
            key=uuid.uuid4(),
            by=crc,
        )

    results = in_threads(*[post(number) for number in range(12)])
    assert sorted(int(result.repeat_key) for result in results) == list(range(1, 13))


@pytest.mark.django_db(transaction=True)
@pytest.mark.req("DAT-02")
def test_one_of_two_who_change_the_same_item_at_once_is_told(visit, save, crc, investigator):
    save("START", "BASE", {"BASE_HEIGHT": "175"})

    def post(weight, person):
        return lambda: save_form(
            event=visit("START"),
            form_oid="BASE",
            values={"BASE_WEIGHT": weight},
            seen_version=1,
            key=uuid.uuid4(),
            by=person,
        )

    results = in_threads(post("70", crc), post("71", investigator))
    assert sorted(type(result).__name__ for result in results) == ["EditConflict", "SaveResult"]
    assert stored(visit("START"), "BASE").version == 2
