"""A form saved in the wrong place is taken away, never deleted (DAT-14)."""

import pytest

from crf.models import FormData
from crf.services import void_form
from pallsoft.audit.models import Baseline, ItemChange
from pallsoft.errors import InvalidInput, NotAllowedNow, NotPermitted


@pytest.mark.req("DAT-14")
def test_removing_needs_a_reason_and_leaves_every_value(save, row, crc):
    save("START", "BASE", {"BASE_WEIGHT": "70"})
    form = row("START", "BASE")
    with pytest.raises(InvalidInput):
        void_form(form=form, by=crc, reason="  ")
    void_form(form=form, by=crc, reason="wrong patient")
    assert row("START", "BASE") is None
    kept = FormData.objects.get(pk=form.pk)
    assert kept.data == {"BASE_WEIGHT": "70"}
    assert Baseline.objects.get(row_id=form.pk).doc["data"] == {"BASE_WEIGHT": "70"}
    change = ItemChange.objects.select_related("change_set").get(row_id=form.pk, item="removed_in")
    assert change.change_set.reason == "wrong patient"


def test_a_removed_form_can_be_entered_anew(save, row, crc):
    save("START", "BASE", {"BASE_WEIGHT": "70"})
    void_form(form=row("START", "BASE"), by=crc, reason="wrong patient")
    save("START", "BASE", {"BASE_WEIGHT": "81"})
    assert row("START", "BASE").data == {"BASE_WEIGHT": "81"}


def test_a_removed_form_is_not_removed_twice(save, row, crc):
    save("START", "BASE", {"BASE_WEIGHT": "70"})
    form = row("START", "BASE")
    void_form(form=form, by=crc, reason="wrong patient")
    with pytest.raises(NotAllowedNow):
        void_form(form=form, by=crc, reason="wrong patient")


def test_a_reader_removes_nothing(save, row, monitor, outsider):
    save("START", "BASE", {"BASE_WEIGHT": "70"})
    for person in (monitor, outsider):
        with pytest.raises(NotPermitted):
            void_form(form=row("START", "BASE"), by=person, reason="x")


def test_s05_a_mistyped_fraction_of_0_gy_sets_no_day_0_and_goes_with_a_reason(save, row, visit, crc):
    save("TREAT", "DOSE", {"DOSE_ON": "2026-03-21", "DOSE_GY": "0"}, repeat_key="new")
    assert not visit("WK2").subject.events.filter(event_oid="WK2").exists()
    void_form(form=row("TREAT", "DOSE", "1"), by=crc, reason="typed twice")
    save("TREAT", "DOSE", {"DOSE_ON": "2026-03-22", "DOSE_GY": "5"}, repeat_key="new")
    week_2 = visit("WK2").subject.events.get(event_oid="WK2")
    assert str(week_2.target_on) == "2026-04-05"
    assert [str(week_2.window_from), str(week_2.window_to)] == ["2026-04-02", "2026-04-08"]
