"""Saving a form: what is stored, what is refused, what is asked first."""

import uuid
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from crf.entry.interruptions import AnswersNeeded
from crf.models import FormData, FormStatus, StudyEvent
from crf.services import mark_not_done
from pallsoft.audit.context import change_set
from pallsoft.audit.models import Baseline, ChangeSet, ItemChange
from pallsoft.errors import Conflict, InvalidInput, NotAllowedNow, NotPermitted
from sites.models import Sex, Subject
from sites.services import set_site_status
from trials.models import Status

BASE = {"BASE_WEIGHT": "70", "BASE_HEIGHT": "175", "BASE_ORGAN": "GUT", "BASE_SMOKES": "N"}


@pytest.mark.req("DAT-07")
def test_a_first_save_stores_canonical_answers_and_dates_the_visit(save, row, bodo):
    result = save("START", "BASE", BASE)
    stored = row("START", "BASE")
    assert (result.version, result.changed, stored.version) == (1, True, 1)
    assert stored.data == BASE | {"BASE_BMI": "22.9"}
    assert stored.event.happened_on == date.today()
    assert stored.definition_version.number == 1


def test_pc056_a_code_zero_is_an_answer(save, row):
    save("START", "BASE", BASE | {"BASE_ORGAN": "0"})
    assert row("START", "BASE").data["BASE_ORGAN"] == "0"
    assert row("START", "BASE").status == FormStatus.COMPLETE


@pytest.mark.req("AUD-03")
def test_one_changed_item_of_many_is_one_row_in_the_trail(save, row):
    save("START", "BASE", BASE)
    before = ItemChange.objects.count()
    save("START", "BASE", BASE | {"BASE_ORGAN": "BLADDER"}, reason="misread the record")
    rows = ItemChange.objects.filter(row_id=row("START", "BASE").pk)
    assert rows.count() == 1 == ItemChange.objects.count() - before
    assert (rows[0].part, rows[0].item, rows[0].old, rows[0].new) == ("data", "BASE_ORGAN", "GUT", "BLADDER")


@pytest.mark.req("AUD-03")
def test_the_first_entry_is_recorded_too(save, row):
    save("START", "BASE", BASE)
    baseline = Baseline.objects.get(row_id=row("START", "BASE").pk)
    assert baseline.doc["data"]["BASE_WEIGHT"] == "70"


@pytest.mark.req("AUD-04")
def test_a_stored_answer_changes_only_with_a_reason(save, row):
    save("START", "BASE", BASE)
    with pytest.raises(AnswersNeeded) as asked:
        save("START", "BASE", {"BASE_WEIGHT": "71"})
    (change,) = asked.value.changes
    assert (change.item.oid, change.old.value, change.new.value) == ("BASE_WEIGHT", "70", "71")
    assert row("START", "BASE").data["BASE_WEIGHT"] == "70"
    save("START", "BASE", {"BASE_WEIGHT": "71"}, reason="read the scale wrong")
    assert ChangeSet.objects.filter(action="crf.save_form", reason="read the scale wrong").count() == 1


def test_filling_an_empty_item_needs_no_reason(save, row):
    save("START", "BASE", {"BASE_WEIGHT": "70"})
    save("START", "BASE", {"BASE_HEIGHT": "175"})
    assert row("START", "BASE").data["BASE_BMI"] == "22.9"


def test_what_is_not_named_stays_as_it_is(save, row):
    save("START", "BASE", BASE)
    save("START", "BASE", {"BASE_TEXT": "æøå"})
    assert row("START", "BASE").data == BASE | {"BASE_BMI": "22.9", "BASE_TEXT": "æøå"}


def test_saving_the_same_again_writes_nothing(save, row):
    save("START", "BASE", BASE)
    sets = ItemChange.objects.count()
    result = save("START", "BASE", BASE)
    assert not result.changed and result.version == 1
    assert ItemChange.objects.count() == sets


@pytest.mark.req("DAT-05")
def test_pc077_status_is_derived_and_an_emptied_item_opens_the_form_again(save, row):
    save("START", "BASE", BASE)
    assert row("START", "BASE").status == FormStatus.COMPLETE
    save("START", "BASE", {"BASE_WEIGHT": ""}, reason="wrong patient on the scale")
    assert row("START", "BASE").status == FormStatus.INCOMPLETE
    save("START", "BASE", missing={"BASE_WEIGHT": "ND"})
    stored = row("START", "BASE")
    assert stored.status == FormStatus.COMPLETE
    assert stored.marks["BASE_WEIGHT"] == {"missing": "ND"}
    assert "BASE_BMI" not in stored.data


def test_a_value_and_a_reason_why_it_is_missing_are_refused_together(save):
    with pytest.raises(InvalidInput) as refusal:
        save("START", "BASE", {"BASE_WEIGHT": "70"}, missing={"BASE_WEIGHT": "ND"})
    assert list(refusal.value.errors) == ["BASE_WEIGHT"]


@pytest.mark.req("DAT-04", "DAT-07")
@pytest.mark.parametrize(
    ("oid", "value"),
    [
        ("BASE_WEIGHT", "70,5"),
        ("BASE_WEIGHT", "500"),
        ("BASE_WEIGHT", "70.55"),
        ("BASE_HEIGHT", "1e2"),
        ("BASE_ORGAN", "LIVER"),
        ("BASE_ON", "1.9.26"),
        ("BASE_ON", "2026-02-30"),
        ("BASE_MOMENT", "2026-09-01T14:32"),
        ("BASE_TEXT", "a" * 201),
        ("BASE_TEXT", "\x00"),
        ("BASE_BMI", "22"),
        ("NO_SUCH", "1"),
    ],
)
def test_the_service_repeats_every_check_of_the_page(save, row, oid, value):
    with pytest.raises(InvalidInput) as refusal:
        save("START", "BASE", {oid: value})
    assert list(refusal.value.errors) == [oid]
    assert row("START", "BASE") is None


def test_a_missing_code_must_be_among_those_of_the_item(save):
    with pytest.raises(InvalidInput):
        save("START", "BASE", missing={"BASE_WEIGHT": "NASK"})


@pytest.mark.req("DAT-06")
def test_the_text_as_typed_is_kept_beside_the_canonical_one(save, row):
    save("START", "BASE", {"BASE_WEIGHT": "70.5"}, entered={"BASE_WEIGHT": "70,50"})
    assert row("START", "BASE").marks == {"BASE_WEIGHT": {"entered": "70,50"}}
    save("START", "BASE", {"BASE_WEIGHT": "70.5"}, entered={"BASE_WEIGHT": "70.5"})
    assert row("START", "BASE").marks == {"BASE_WEIGHT": {"entered": "70,50"}}


def test_pc035_a_hidden_item_has_no_value_in_data(save, row):
    save("START", "BASE", BASE | {"BASE_DAILY": "10"})
    stored = row("START", "BASE")
    assert "BASE_DAILY" not in stored.data
    assert stored.marks["BASE_DAILY"] == {"set_aside": "10"}
    assert stored.marks["BASE_UTERUS"] == {"missing": "NA", "by_rule": "yes"}


def test_pc034_a_derived_value_uses_relevant_answers_only(save, row):
    save("START", "BASE", BASE | {"BASE_SMOKES": "Y", "BASE_DAILY": "10"})
    assert row("START", "BASE").data["BASE_PACKS"] == "3.5"
    save("START", "BASE", {"BASE_SMOKES": "N"}, reason="misheard")
    assert "BASE_PACKS" not in row("START", "BASE").data


def test_pc037_hiding_answers_asks_first_lists_them_and_gives_them_back(save, row):
    save("START", "BASE", BASE | {"BASE_SMOKES": "Y", "BASE_DAILY": "10", "BASE_UTERUS": "N"})
    with pytest.raises(AnswersNeeded) as asked:
        save("START", "BASE", {"BASE_SMOKES": "N"})
    assert [change.item.oid for change in asked.value.changes] == ["BASE_SMOKES", "BASE_DAILY", "BASE_UTERUS"]
    save("START", "BASE", {"BASE_SMOKES": "N"}, reason="misheard")
    assert row("START", "BASE").marks["BASE_UTERUS"] == {"missing": "NA", "by_rule": "yes", "set_aside": "N"}
    save("START", "BASE", {"BASE_SMOKES": "Y"}, reason="heard right at first")
    stored = row("START", "BASE")
    assert (stored.data["BASE_DAILY"], stored.data["BASE_UTERUS"], stored.marks) == ("10", "N", {})


def test_men_get_not_applicable_by_rule(save, row, enrol, bodo, visit):
    man = enrol(bodo, birth_year=1950, sex=Sex.MALE)
    save("START", "SCORE", {"SCORE_PAIN": "6"}, of=man)
    stored = FormData.objects.get(subject=man)
    assert stored.marks == {"SCORE_VAGINAL": {"missing": "NA", "by_rule": "yes"}}
    assert stored.status == FormStatus.COMPLETE


@pytest.mark.req("AUD-13")
def test_a_soft_check_asks_why_and_keeps_the_answer(save, row):
    with pytest.raises(AnswersNeeded) as asked:
        save("START", "BASE", BASE | {"BASE_WEIGHT": "210"})
    assert [(check.oid, check.key) for check in asked.value.checks] == [("BASE_C1", "BASE_C1@1")]
    assert row("START", "BASE") is None
    save("START", "BASE", BASE | {"BASE_WEIGHT": "210"}, why={"BASE_C1": "weighed twice"})
    assert row("START", "BASE").marks["BASE_WEIGHT"] == {"checks": {"BASE_C1@1": "weighed twice"}}
    save("START", "BASE", {"BASE_TEXT": "later"})
    assert row("START", "BASE").marks["BASE_WEIGHT"] == {"checks": {"BASE_C1@1": "weighed twice"}}


def test_a_changed_answer_is_asked_about_again(save):
    save("START", "BASE", BASE | {"BASE_WEIGHT": "210"}, why={"BASE_C1": "weighed twice"})
    with pytest.raises(AnswersNeeded) as asked:
        save("START", "BASE", {"BASE_WEIGHT": "250"}, reason="weighed again")
    assert (asked.value.changes, [check.oid for check in asked.value.checks]) == ([], ["BASE_C1"])


def test_what_cannot_be_true_is_refused_at_its_item(save, row):
    with pytest.raises(InvalidInput) as refusal:
        save("START", "BASE", {"BASE_WEIGHT": "1", "BASE_HEIGHT": "175"})
    assert list(refusal.value.errors) == ["BASE_WEIGHT"]
    assert row("START", "BASE") is None


@pytest.mark.req("DAT-17")
def test_observation_time_stands_beside_entry_time(save, row):
    yesterday = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
    save("START", "BASE", BASE, observed_at=yesterday)
    stored = row("START", "BASE")
    assert stored.observed_at == yesterday
    assert stored.event.happened_on == yesterday.astimezone(ZoneInfo("Europe/Oslo")).date()
    assert stored.created_in.at.date() == datetime.now(UTC).date()


@pytest.mark.req("DAT-08")
@pytest.mark.parametrize("at", [datetime.now(UTC) + timedelta(hours=2), datetime(1948, 12, 31, tzinfo=UTC)])
def test_an_observation_is_neither_in_the_future_nor_before_birth(save, at):
    with pytest.raises(InvalidInput) as refusal:
        save("START", "BASE", BASE, observed_at=at)
    assert list(refusal.value.errors) == ["observed_at"]


def test_a_derived_value_of_another_form_follows_in_the_same_change(save, row):
    save("START", "SCORE", {"SCORE_PAIN": "8", "SCORE_VAGINAL": "0"})
    save("WK2", "SCORE", {"SCORE_PAIN": "5", "SCORE_VAGINAL": "0"})
    assert row("WK2", "SCORE").data["SCORE_CHANGE"] == "-3"
    save("START", "SCORE", {"SCORE_PAIN": "7"}, reason="misread the tablet")
    assert row("WK2", "SCORE").data["SCORE_CHANGE"] == "-2"
    assert ChangeSet.objects.filter(action="crf.recalculate").count() == 1


def test_a_sum_over_repeats_follows_new_and_removed_repeats(save, row):
    save("TREAT", "TOTAL", {"TOTAL_DONE": "N"})
    for number, dose in enumerate(["8", "5.5"], start=1):
        result = save("TREAT", "DOSE", {"DOSE_ON": f"2026-09-0{number}", "DOSE_GY": dose}, repeat_key="new")
        assert result.repeat_key == str(number)
    assert row("TREAT", "TOTAL").data["TOTAL_GY"] == "13.5"


def test_pc046_the_same_request_again_gives_the_same_answer(save, crc):
    key = uuid.uuid4()
    first = save("ALWAYS", "EVENTS", {"EVENTS_TERM": "fall"}, repeat_key="new", key=key, seen_version=0)
    again = save("ALWAYS", "EVENTS", {"EVENTS_TERM": "fall"}, repeat_key="new", key=key, seen_version=0)
    assert first == again
    assert FormData.objects.filter(form_oid="EVENTS").count() == 1


@pytest.mark.req("DAT-03")
def test_the_same_key_with_another_body_is_a_conflict(save):
    key = uuid.uuid4()
    save("START", "BASE", {"BASE_WEIGHT": "70"}, key=key, seen_version=0)
    with pytest.raises(Conflict):
        save("START", "BASE", {"BASE_WEIGHT": "71"}, key=key, seen_version=0)


def test_pc049_a_repeat_gets_its_number_when_it_is_saved(save):
    keys = [save("ALWAYS", "EVENTS", {"EVENTS_TERM": term}, repeat_key="new").repeat_key for term in ("a", "b")]
    assert keys == ["1", "2"]


def test_another_site_and_a_reader_may_not_save(save, outsider, monitor):
    for person in (outsider, monitor):
        with pytest.raises(NotPermitted):
            save("START", "BASE", BASE, by=person)
    assert not StudyEvent.objects.exists()


def test_nothing_is_stored_before_consent(save, bodo):
    with change_set(study=bodo.study, by=None, action="test"):
        unknown = Subject.objects.create(
            study=bodo.study, site=bodo, number="BOD-999", birth_year=1950, sex=Sex.MALE, request_key=uuid.uuid4()
        )
    with pytest.raises(NotAllowedNow, match=r"consent|samtykke"):
        save("START", "BASE", BASE, of=unknown)


def test_nothing_is_stored_at_a_site_that_is_closed_out(save, bodo):
    for status in (Status.CLOSED_TO_RECRUITMENT, Status.CLOSED_OUT):
        set_site_status(site=bodo, status=status, since=date.today(), by=None, reason="the end")
    with pytest.raises(NotAllowedNow):
        save("START", "BASE", BASE)


def test_a_visit_that_was_not_done_takes_no_forms(save, visit, crc):
    mark_not_done(event=visit("WK2"), by=crc, reason="ferie")
    with pytest.raises(NotAllowedNow):
        save("WK2", "SCORE", {"SCORE_PAIN": "5"})
