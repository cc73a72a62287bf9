"""Many new forms of a subject at once: what `save_form` asks of each of them, and all or none."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from crf.entry.interruptions import AnswersNeeded
from crf.models import FormData, StudyEvent
from crf.services import Entry, save_form, save_new_forms
from pallsoft.audit.models import ChangeSet
from pallsoft.errors import InvalidInput, NotAllowedNow, NotPermitted
from sites.services import set_site_status
from trials.models import Status

AT = datetime(2026, 9, 15, 10, tzinfo=UTC)
BASE = {"BASE_WEIGHT": "70", "BASE_HEIGHT": "175", "BASE_ORGAN": "GUT", "BASE_SMOKES": "N"}


def dose(day, gray):
    return Entry("TREAT", "DOSE", {"DOSE_ON": day, "DOSE_GY": gray}, AT)


@pytest.fixture
def enter(subject, crc):
    def enter(*entries, by=crc, why=""):
        return save_new_forms(subject=subject, entries=entries, by=by, why=why)

    return enter


@pytest.mark.req("DAT-17")
def test_forms_are_stored_as_observed_and_date_their_visits(enter):
    enter(Entry("START", "BASE", BASE, AT), Entry("WK2", "SCORE", {"SCORE_PAIN": "4"}, AT + timedelta(days=1)))
    base, score = FormData.objects.order_by("form_oid").select_related("event")
    assert (base.data["BASE_BMI"], base.version, base.observed_at) == ("22.9", 1, AT)
    assert [form.event.happened_on.day for form in (base, score)] == [15, 16]


def test_one_change_set_holds_them_all(enter):
    stored = enter(Entry("START", "BASE", BASE, AT), dose("2026-09-15", "5"))
    change_sets = ChangeSet.objects.filter(action="crf.save_new_forms")
    assert {row.created_in_id for row in stored} == {change_sets.get().pk}


def test_repeats_are_numbered_and_forms_that_ask_for_them_follow(enter):
    enter(Entry("TREAT", "TOTAL", {"TOTAL_DONE": "Y"}, AT), dose("2026-09-15", "5"), dose("2026-09-16", "5"))
    assert list(
        FormData.objects.filter(form_oid="DOSE").order_by("repeat_key").values_list("repeat_key", flat=True)
    ) == ["1", "2"]
    assert FormData.objects.get(form_oid="TOTAL").data["TOTAL_GY"] == "10.0"


def test_a_later_form_sees_an_earlier_one_of_the_same_go(enter):
    enter(Entry("START", "SCORE", {"SCORE_PAIN": "7"}, AT), Entry("WK2", "SCORE", {"SCORE_PAIN": "4"}, AT))
    assert FormData.objects.get(event__event_oid="WK2").data["SCORE_CHANGE"] == "-3"


def test_visits_are_planned_from_the_first_dose(enter, subject):
    enter(dose("2026-09-15", "5"))
    assert subject.events.get(event_oid="WK2").target_on.isoformat() == "2026-09-29"


@pytest.mark.parametrize(
    ("entry", "refusal"),
    [
        (Entry("START", "BASE", BASE | {"BASE_HEIGHT": "49"}, AT), InvalidInput),
        (Entry("START", "BASE", BASE | {"BASE_WEIGHT": "1"}, AT), InvalidInput),
        (Entry("START", "BASE", BASE | {"UNHEARD_OF": "1"}, AT), InvalidInput),
        (Entry("START", "BASE", BASE, datetime(2199, 1, 1, tzinfo=UTC)), InvalidInput),
        (Entry("START", "BASE", BASE | {"BASE_WEIGHT": "201"}, AT), AnswersNeeded),
    ],
)
def test_one_wrong_form_keeps_all_out(enter, entry, refusal):
    with pytest.raises(refusal):
        enter(Entry("START", "SCORE", {"SCORE_PAIN": "7"}, AT), entry)
    assert not FormData.objects.exists()


def test_what_a_check_asks_is_explained_once_for_all(enter):
    enter(Entry("START", "BASE", BASE | {"BASE_WEIGHT": "201"}, AT), why="Looked up")
    assert FormData.objects.get().marks["BASE_WEIGHT"]["checks"] == {"BASE_C1@1": "Looked up"}


def test_a_form_that_is_there_is_not_changed(enter, subject, crc):
    event = StudyEvent(study=subject.study, subject=subject, event_oid="START")
    save_form(event=event, form_oid="BASE", values=BASE, seen_version=0, key=uuid.uuid4(), by=crc)
    with pytest.raises(NotAllowedNow):
        enter(Entry("START", "BASE", BASE | {"BASE_WEIGHT": "90"}, AT))
    assert FormData.objects.get().data["BASE_WEIGHT"] == "70"


def test_only_who_enters_data_may(enter, monitor, outsider):
    for user in (monitor, outsider):
        with pytest.raises(NotPermitted):
            enter(Entry("START", "BASE", BASE, AT), by=user)


def test_nothing_is_entered_at_a_site_that_is_closed_out(enter, bodo):
    for status in (Status.CLOSED_TO_RECRUITMENT, Status.CLOSED_OUT):
        set_site_status(site=bodo, status=status, since=bodo.status_since, by=None, reason="end")
    with pytest.raises(NotAllowedNow):
        enter(Entry("START", "BASE", BASE, AT))
