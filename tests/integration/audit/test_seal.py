"""One chain per study, one link per change set, in the order of commits."""

import threading

import pytest
from django.db import OperationalError, connection, transaction

from crf.models import FormData
from pallsoft.audit.context import change_set
from pallsoft.audit.verification import findings
from tests.integration.audit.small_trial import changes, make_form, make_trial, rows

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("AUD-07")]


def links(study):
    return rows("SELECT n, change_set FROM audit.seal WHERE study_id = %s ORDER BY n", [study.pk])


def test_each_change_set_is_one_link_of_its_studys_chain(trial, form, writing):
    before = len(links(trial.study))
    with writing("corrected") as current:
        FormData.objects.update(data={"NRS_PAIN": "1"})
    assert links(trial.study)[before:] == [(before + 1, current)]


def test_studies_and_accounts_have_chains_of_their_own(trial):
    other = make_trial("OTHER")
    assert [n for n, _ in links(trial.study)] == [n for n, _ in links(other.study)] == [1]
    assert rows("SELECT n FROM audit.head WHERE study_id = '00000000-0000-0000-0000-000000000000'") == [(2,)]
    assert list(findings()) == []


def test_a_rolled_back_change_set_leaves_no_gap(trial, form, writing):
    with pytest.raises(ZeroDivisionError), writing("x"):
        raise ZeroDivisionError
    with writing("corrected"):
        FormData.objects.update(data={"NRS_PAIN": "1"})
    assert [n for n, _ in links(trial.study)] == [1, 2, 3]
    assert list(findings()) == []


@pytest.mark.parametrize("moment", ["before the change set", "before the write", "between two writes"])
def test_constraints_set_immediate_do_not_leave_rows_behind_their_seal(trial, form, moment):
    def immediate(now):
        if now == moment:
            rows("SET CONSTRAINTS ALL IMMEDIATE")

    with transaction.atomic():
        immediate("before the change set")
        with change_set(study=trial.study, by=trial.user, action="test.change", reason="corrected"):
            immediate("before the write")
            FormData.objects.update(data={"NRS_PAIN": "1"})
            immediate("between two writes")
            FormData.objects.update(data={"NRS_PAIN": "2"})
    written = "SELECT DISTINCT actor_name, reason FROM audit.trail WHERE row_id = %s AND change > 0"
    assert rows(written, [form.pk]) == [("Åse Bjørnstad", "corrected")]
    assert [change[2:] for change in changes(form) if change[1] == "NRS_PAIN"] == [("7", "1"), ("1", "2")]
    assert list(findings()) == []


def test_the_digests_do_not_depend_on_the_session(trial, form, writing):
    """Written under one time zone and date style, verified under another."""
    with transaction.atomic():
        rows("SET LOCAL timezone = 'America/New_York'")
        rows("SET LOCAL datestyle = 'German, DMY'")
        with writing("corrected"):
            FormData.objects.update(observed_at="2026-11-25T08:00:00Z", data={"NRS_PAIN": "1"})
    with transaction.atomic():
        rows("SET LOCAL timezone = 'Asia/Tokyo'")
        rows("SET LOCAL datestyle = 'SQL, MDY'")
        rows("SET LOCAL extra_float_digits = -5")
        wrong = rows("""SELECT i.id FROM audit.item_change i WHERE i.digest <>
            audit.digest_of(i.salt, i.change_set, i.tbl, i.row_id, i.part, i.item, i.old, i.new)""")
        wrong += rows("SELECT c.id FROM audit.change_set c WHERE c.digest <> audit.digest_of(c)")
        wrong += rows("""SELECT s.n FROM audit.seal s WHERE s.hash <>
            audit.link_hash(s.prev, s.study_id, s.n, s.at, audit.body_of(s.change_set))""")
    assert wrong == []
    [(observed,)] = rows("SELECT new #>> '{}' FROM audit.item_change WHERE item = 'observed_at'")
    assert observed == "2026-11-25T08:00:00+00:00"
    assert list(findings()) == []


def in_thread(work):
    def run():
        try:
            work()
        finally:
            connection.close()

    return threading.Thread(target=run)


def test_eight_writers_at_once_make_one_chain_without_gaps(trial):
    forms = [make_form(trial, {"WEIGHT": "70"}, repeat_key=str(n)) for n in range(8)]
    before = len(links(trial.study))

    def save_ten_times(form):
        for weight in range(71, 81):
            with change_set(study=trial.study, by=trial.user, action="test.change", reason="measured again"):
                FormData.objects.filter(pk=form.pk).update(data={"WEIGHT": str(weight)})

    threads = [in_thread(lambda form=form: save_ten_times(form)) for form in forms]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [n for n, _ in links(trial.study)] == list(range(1, before + 81))
    assert list(findings()) == []


def test_under_repeatable_read_the_loser_must_retry(trial, form, writing):
    def other_save():
        with change_set(study=trial.study, by=trial.user, action="test.other"):
            make_form(trial, {}, repeat_key="2")

    with pytest.raises(OperationalError) as caught, transaction.atomic():
        rows("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        rows("SELECT count(*) FROM audit.head")  # the snapshot is taken here
        thread = in_thread(other_save)
        thread.start()
        thread.join(10)
        with writing("corrected"):
            FormData.objects.filter(pk=form.pk).update(data={"NRS_PAIN": "1"})
    assert caught.value.__cause__.pgcode == "40001"
    assert changes(form) == []
    with writing("corrected"):
        FormData.objects.filter(pk=form.pk).update(data={"NRS_PAIN": "1"})
    assert list(findings()) == []
