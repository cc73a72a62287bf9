"""The trail as pages and exports read it, documents as of a seal, and the access log."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse

from crf.models import FormData
from pallsoft.audit import selectors
from pallsoft.audit.access import record_access
from pallsoft.audit.models import Access, Baseline, ChangeSet, ItemChange, Seal
from pallsoft.errors import NotAllowedNow, NotPermitted
from pallsoft.middleware import refusals
from pallsoft.middleware import request_id as numbering
from pallsoft.request import request_id
from tests.integration.audit.small_trial import make_form, rows

pytestmark = pytest.mark.django_db


@pytest.mark.req("AUD-02")
def test_the_history_of_an_item_is_told_newest_first(trial, form, writing):
    for value in ("8", "9"):
        with writing(f"corrected to {value}"):
            FormData.objects.update(data=form.data | {"NRS_PAIN": value})
    told = selectors.trail_for(table="crf_formdata", row_id=form.pk, item="NRS_PAIN")
    assert [(row.old, row.new, row.reason) for row in told] == [
        ("8", "9", "corrected to 9"),
        ("7", "8", "corrected to 8"),
        (None, "7", ""),
    ]
    assert {(row.actor_name, row.part, row.table) for row in told} == {("Åse Bjørnstad", "data", "crf_formdata")}


def test_the_trail_of_a_row_holds_columns_and_marks_as_values(trial, writing):
    form = make_form(trial, {}, {"NRS_PAIN": {"missing": "UNK"}})
    told = {(row.part, row.item): row.new for row in selectors.trail_for(table="crf_formdata", row_id=form.pk)}
    assert told["marks", "NRS_PAIN"] == {"missing": "UNK"}
    assert told["", "form_oid"] == "NRS"
    assert ("", "observed_at") not in told


def test_the_last_change_of_each_item_leaves_out_what_never_changed(form, writing):
    for value in ("8", "9"):
        with writing(f"corrected to {value}"):
            FormData.objects.update(data=form.data | {"NRS_PAIN": value})
    last = selectors.last_changes(table="crf_formdata", row_id=form.pk)
    assert {item: (row.old, row.new) for item, row in last.items()} == {"NRS_PAIN": ("8", "9")}


def seal_now(trial):
    """Seals what was written so far, as a commit would, and tells the number."""
    rows("SET CONSTRAINTS ALL IMMEDIATE")
    rows("SET CONSTRAINTS ALL DEFERRED")
    [(n,)] = rows("SELECT max(n) FROM audit.seal WHERE study_id = %s", [trial.study.pk])
    return n


def as_of(trial, n):
    columns = "data, marks, status, removed_in"
    return rows(f"SELECT {columns} FROM audit.form_data_as_of(%s, %s) ORDER BY repeat_key", [trial.study.pk, n])


def test_forms_stand_as_they_stood_at_every_seal(trial, writing):
    before_any = seal_now(trial)
    form = make_form(trial, {"NRS_PAIN": "7", "WEIGHT": "70"})
    first = seal_now(trial)
    with writing("corrected"):
        FormData.objects.update(data={"NRS_PAIN": "8", "FEVER": "Y"}, marks={"WEIGHT": {"set_aside": "70"}})
    second = seal_now(trial)
    with writing("entered twice") as current:
        FormData.objects.update(data={"NRS_PAIN": "9"}, marks={}, status="complete", removed_in=current)
    make_form(trial, {"NRS_PAIN": "1"}, repeat_key="2")
    last = seal_now(trial)
    assert as_of(trial, before_any) == []
    assert as_of(trial, first) == [('{"WEIGHT": "70", "NRS_PAIN": "7"}', "{}", "incomplete", None)]
    assert as_of(trial, second) == [
        ('{"FEVER": "Y", "NRS_PAIN": "8"}', '{"WEIGHT": {"set_aside": "70"}}', "incomplete", None)
    ]
    assert as_of(trial, last) == [
        ('{"NRS_PAIN": "9"}', "{}", "complete", current),
        ('{"NRS_PAIN": "1"}', "{}", "incomplete", None),
    ]
    assert rows("SELECT count(*) FROM audit.replay('crf_formdata') r WHERE r.row_id = %s", [form.pk]) == [(1,)]


def test_the_trail_is_readable_as_models(trial, form, writing):
    with writing("corrected") as current:
        FormData.objects.update(data={"NRS_PAIN": "8", "WEIGHT": "71.5"})
    seal_now(trial)
    change = ItemChange.objects.select_related("change_set__seal").get(row_id=form.pk, part="data")
    assert (change.old, change.new, change.change_set_id) == ("7", "8", current)
    assert change.change_set.seal.n == Seal.objects.filter(study_id=trial.study.pk).count()
    assert Baseline.objects.get(row_id=form.pk).doc["data"] == {"NRS_PAIN": "7", "WEIGHT": "71.5"}
    assert ChangeSet.objects.get(pk=form.created_in_id).actor_name == "Åse Bjørnstad"


@pytest.mark.req("AUD-12")
def test_reading_is_logged_apart_from_the_trail(trial):
    changes = ChangeSet.objects.count()
    token = request_id.set("r-2")
    record_access(user=trial.user, subject=trial.subject, what="casebook")
    record_access(user=None, subject=None, what="sign in", ok=False)
    request_id.reset(token)
    told = Access.objects.order_by("id").values_list("user_id", "subject_id", "what", "ok", "request_id")
    read, failed = (trial.user.pk, trial.subject.pk, "casebook", True), (None, None, "sign in", False)
    assert list(told) == [(*read, "r-2"), (*failed, "r-2")]
    assert ChangeSet.objects.count() == changes


@pytest.mark.req("AUD-12")
def test_a_refused_request_leaves_an_access_row(trial):
    request = HttpRequest()
    request.method, request.path, request.user = "POST", "/s/PALLSOFT/subjects/", trial.user
    answer = refusals(lambda request: None).process_exception
    assert answer(request, NotPermitted("Bare for koordinator.")).status_code == 403
    assert answer(request, NotAllowedNow("Låst.")).status_code == 409
    request.user = AnonymousUser()
    assert answer(request, NotPermitted("Logg inn.")).status_code == 403
    told = Access.objects.order_by("id").values_list("user_id", "what", "ok")
    assert list(told) == [(who, "POST /s/PALLSOFT/subjects/", False) for who in (trial.user.pk, None)]


@pytest.mark.req("AUD-02")
def test_a_change_carries_the_number_of_its_request(trial, writing):
    def view(request):
        with writing():
            make_form(trial, {})
        return HttpResponse()

    answer = numbering(view)(HttpRequest())
    assert ChangeSet.objects.latest("at").request_id == answer["X-Request-Id"] != ""
    assert request_id.get() == ""
