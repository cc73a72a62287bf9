"""Locks cover paths, also of forms that do not exist yet; a changed value voids the signature it was given for."""

import threading

import pytest
from django.db import connection

from crf.models import FormData, Lock, Signature, StudyEvent
from pallsoft.audit.context import change_set
from pallsoft.errors import NotAllowedNow
from sites.models import Site
from tests.integration.audit.small_trial import changes, make_form, make_trial, rows

pytestmark = pytest.mark.django_db

PATHS = {
    "study": lambda t: {},
    "site": lambda t: {"site": t.site},
    "subject": lambda t: {"subject": t.subject},
    "visit": lambda t: {"event": t.event},
    "form": lambda t: {"form_oid": "NRS"},
    "form at a visit": lambda t: {"event": t.event, "form_oid": "NRS"},
}


def lock(trial, **path):
    with change_set(study=trial.study, by=trial.user, action="crf.lock"):
        return Lock.objects.create(study=trial.study, kind="lock", **path)


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
def test_a_locked_path_refuses_changes_and_new_forms(trial, form, writing, path):
    lock(trial, **path(trial))
    with pytest.raises(NotAllowedNow), writing("corrected"):
        FormData.objects.update(data={"NRS_PAIN": "1"})
    with pytest.raises(NotAllowedNow):
        make_form(trial, {"NRS_PAIN": "1"}, repeat_key="2")


@pytest.mark.parametrize("name", ["study", "site", "subject", "visit"])
def test_visits_on_a_locked_path_are_locked_too(trial, writing, name):
    lock(trial, **PATHS[name](trial))
    with pytest.raises(NotAllowedNow), writing("corrected"):
        StudyEvent.objects.update(happened_on="2026-11-25")


def test_a_locked_form_leaves_the_visit_and_other_forms_open(trial, form, writing):
    lock(trial, form_oid="QLQ")
    other = Site(study=trial.study, code="1002", name="Ø", city="Ø")
    with writing("corrected"):
        other.save()
        FormData.objects.update(data={"NRS_PAIN": "1"})
        StudyEvent.objects.update(happened_on="2026-11-25")
    lock(trial, site=other)
    with writing("corrected"):
        FormData.objects.update(data={"NRS_PAIN": "2"})
    assert len(changes(form)) == 3


def test_a_lifted_lock_is_open_again(trial, form, writing):
    lock(trial, subject=trial.subject)
    with writing("query answered") as current:
        Lock.objects.update(lifted_in=current)
        FormData.objects.update(data={"NRS_PAIN": "1"})
    form.refresh_from_db()
    assert form.data == {"NRS_PAIN": "1"}


@pytest.mark.django_db(transaction=True)
def test_locking_waits_for_a_save_in_flight(trial, form, writing):
    done = []

    def lock_it():
        lock(trial)
        done.append("locked")
        connection.close()

    locker = threading.Thread(target=lock_it)
    with writing("corrected"):
        FormData.objects.update(data={"NRS_PAIN": "1"})
        locker.start()
        locker.join(0.3)
        assert done == []
    locker.join(10)
    assert done == ["locked"]


def sign(trial, form=None, manifest=(), event=None, signed_by=None):
    with change_set(study=trial.study, by=trial.user, action="crf.sign"):
        return Signature.objects.create(
            study=trial.study, subject=trial.subject, event=event, form_data=form, meaning="eligibility",
            signed_by=signed_by or trial.user, printed_name="Åse Bjørnstad", manifest=list(manifest), sha256="0" * 64,
        )  # fmt: skip


@pytest.mark.req("SIG-04")
def test_changing_a_value_voids_the_signature_and_history_stays(trial, form, writing):
    signature = sign(trial, form)
    with writing("corrected") as current:
        FormData.objects.update(data=form.data | {"NRS_PAIN": "1"})
    signature.refresh_from_db()
    assert signature.voided_in == current
    assert changes(signature) == [("", "voided_in", None, str(current))]


@pytest.mark.req("SIG-04")
def test_a_form_named_in_the_manifest_counts_like_the_signed_form(trial, form, writing):
    signature = sign(trial, manifest=[{"form_data": str(form.pk), "version": 1}])
    with writing():
        FormData.objects.update(marks={"FEVER": {"missing": "NA"}})
    signature.refresh_from_db()
    assert signature.voided_in is not None


@pytest.mark.req("SIG-04")
def test_state_columns_and_other_forms_leave_the_signature_alone(trial, form, writing):
    other = make_form(trial, {}, repeat_key="2")
    signature = sign(trial, form, [{"form_data": str(form.pk), "version": 1}])
    with writing("corrected"):
        FormData.objects.update(status="complete")
        FormData.objects.filter(pk=other.pk).update(data={"NRS_PAIN": "1"})
    signature.refresh_from_db()
    assert signature.voided_in is None


@pytest.mark.req("SIG-04")
def test_a_void_signature_keeps_the_change_set_that_voided_it(trial, form, writing):
    signature = sign(trial, form)
    with writing("one") as first:
        FormData.objects.update(data={"NRS_PAIN": "1"})
    with writing("two"):
        FormData.objects.update(data={"NRS_PAIN": "2"})
    assert rows("SELECT voided_in FROM crf_signature WHERE id = %s", [signature.pk]) == [(first,)]


@pytest.fixture
def signed(trial, form):
    """The three scopes: a form, its visit, the casebook."""
    manifest = [{"form_data": str(form.pk), "version": 1}]
    return {
        "form": sign(trial, form, manifest),
        "visit": sign(trial, manifest=manifest, event=trial.event),
        "casebook": sign(trial, manifest=manifest),
    }


def standing(signed):
    return {name for name, signature in signed.items() if not Signature.objects.get(pk=signature.pk).voided_in}


@pytest.mark.req("SIG-04")
@pytest.mark.parametrize("column", ["data", "observed_at", "version", "removed_in"])
def test_a_changed_form_voids_every_signature_that_covers_it(trial, signed, writing, column):
    with writing("corrected") as current:
        value = {"data": {"NRS_PAIN": "1"}, "observed_at": "2026-11-25T10:00Z", "version": 2, "removed_in": current}
        FormData.objects.update(**{column: value[column]})
    assert standing(signed) == set()


@pytest.mark.req("SIG-04")
def test_a_form_that_comes_to_a_signed_visit_voids_visit_and_casebook(trial, signed):
    make_form(trial, {}, repeat_key="2")
    assert standing(signed) == {"form"}


@pytest.mark.req("SIG-04")
@pytest.mark.parametrize("change", [{"happened_on": "2026-11-25"}, {"not_done_reason": "snøstorm"}])
def test_the_day_of_a_visit_is_signed_with_the_visit(trial, signed, writing, change):
    with writing("corrected"):
        StudyEvent.objects.update(**change)
    assert standing(signed) == {"form"}


@pytest.mark.req("SIG-04")
def test_a_moved_plan_and_a_planned_visit_leave_signatures_alone(trial, signed, writing):
    with writing("day 0 moved"):
        StudyEvent.objects.update(target_on="2026-12-01", window_to="2026-12-03")
        StudyEvent.objects.create(study=trial.study, subject=trial.subject, event_oid="W8", target_on="2027-01-01")
    assert standing(signed) == {"form", "visit", "casebook"}


@pytest.mark.req("SIG-04")
def test_another_visit_that_took_place_is_one_more_in_the_casebook(trial, signed, writing):
    with writing():
        StudyEvent.objects.create(study=trial.study, subject=trial.subject, event_oid="W8", happened_on="2026-11-25")
    assert standing(signed) == {"form", "visit"}


@pytest.mark.req("SIG-05", "SIG-09")
def test_the_database_takes_no_signature_in_another_persons_name(trial, form):
    other = make_trial("OTHER").user
    with pytest.raises(NotAllowedNow):
        sign(trial, form, signed_by=other)
    assert not Signature.objects.exists()


@pytest.mark.req("SIG-03", "SIG-10")
@pytest.mark.parametrize("manifest", ["another version", "a form of another subject", "no list"])
def test_the_database_takes_no_signature_for_what_is_not_there(trial, form, manifest):
    other = make_trial("OTHER")
    theirs = make_form(other, {})
    wrong = {
        "another version": [{"form_data": str(form.pk), "version": 2}],
        "a form of another subject": [{"form_data": str(theirs.pk), "version": 1}],
    }
    with pytest.raises(NotAllowedNow):
        sign(trial, form, wrong[manifest]) if manifest in wrong else sign_with(trial, form, {"form_data": "x"})
    assert not Signature.objects.exists()


def sign_with(trial, form, manifest):
    with change_set(study=trial.study, by=trial.user, action="crf.sign"):
        Signature.objects.create(
            study=trial.study, subject=trial.subject, form_data=form, meaning="reviewed", signed_by=trial.user,
            printed_name="Åse Bjørnstad", manifest=manifest, sha256="0" * 64,
        )  # fmt: skip
