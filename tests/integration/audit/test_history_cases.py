"""Faults of other systems' audit trails (docs/cases), as the right behaviour here."""

import pytest
from django.db import DatabaseError, connection

from crf.models import FormData
from pallsoft.accounts.models import User
from pallsoft.audit.context import change_set
from pallsoft.errors import PallsoftError
from tests.integration.audit.small_trial import changes, make_form, rows

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("AUD-05")]


def test_pc082_a_bulk_update_and_a_raw_one_write_history_or_fail(trial, form, writing):
    with writing("flere på en gang"):
        FormData.objects.filter(pk=form.pk).update(data=form.data | {"WEIGHT": "72"})
    form.refresh_from_db()
    form.data["WEIGHT"] = "73"
    with writing("flere på en gang"):
        FormData.objects.bulk_update([form], ["data"])
    assert [(old, new) for _part, item, old, new in changes(form) if item == "WEIGHT"] == [("71.5", "72"), ("72", "73")]
    with pytest.raises(DatabaseError), connection.cursor() as cursor:
        cursor.execute("UPDATE crf_formdata SET data = '{}'")


def test_pc083_a_change_of_many_rows_leaves_one_line_for_each_changed_value(trial, writing):
    forms = [make_form(trial, {"WEIGHT": "70", "NRS_PAIN": "5"}, repeat_key=str(n)) for n in range(1, 6)]
    with writing("kalibrert vekt"):
        FormData.objects.update(data={"WEIGHT": "69", "NRS_PAIN": "5"})
    assert [[item for _part, item, _old, _new in changes(form)] for form in forms] == [["WEIGHT"]] * 5


def test_pc085_nothing_that_is_deleted_takes_its_history_along(trial, form):
    for table in ("crf_formdata", "sites_subject", "sites_site", "accounts_user", "trials_study"):
        with pytest.raises(DatabaseError), connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {table}")
    assert rows("SELECT count(*) FROM audit.baseline WHERE row_id = %s", [form.pk]) == [(1,)]


def test_pc086_the_trail_keeps_the_name_that_a_person_had_then(trial, form, writing):
    with change_set(study=None, by=trial.user, action="test.rename", reason="giftet seg"):
        User.objects.filter(pk=trial.user.pk).update(full_name="Åse Bjørnstad Moen")
    trial.user.refresh_from_db()
    with writing("ny vekt"):
        FormData.objects.update(data=form.data | {"WEIGHT": "72"})
    names = rows("SELECT actor_name FROM audit.trail WHERE row_id = %s AND item = 'WEIGHT' ORDER BY change", [form.pk])
    assert [name for (name,) in names] == ["Åse Bjørnstad", "Åse Bjørnstad Moen"]
    with pytest.raises((DatabaseError, PallsoftError)):
        trial.user.delete()


def test_pc088_the_author_is_who_acts_now_and_not_who_stands_in_the_row(trial, form):
    with change_set(study=None, by=None, action="test.set_up"):
        other = User.objects.create(username="liv", full_name="Liv Sæther", email="liv@example.org")
    with change_set(study=trial.study, by=other, action="test.change", reason="rettet"):
        FormData.objects.update(data=form.data | {"WEIGHT": "72"})
    (name,) = rows("SELECT actor_name FROM audit.trail WHERE row_id = %s AND item = 'WEIGHT' AND change > 0", [form.pk])
    assert name == ("Liv Sæther",)
