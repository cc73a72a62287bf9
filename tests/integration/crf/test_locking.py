"""Freeze and lock by form, visit, subject, site and study: no write path passes, and how it is opened again."""

import json
import threading
from contextlib import suppress

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from crf.answers import SubjectAnswers
from crf.models import FormData, Lock, LockKind, StudyEvent
from crf.selectors.locks import Target, lock_sentence
from crf.selectors.matrix import matrix_of
from crf.selectors.open_points import open_points
from crf.services import (
    Entry,
    confirm_unlock,
    freeze,
    lock,
    locking,
    mark_not_done,
    record_visit_date,
    request_unlock,
    save_new_forms,
    unlock,
    visits,
    void_form,
)
from crf.waiting_to_check import to_confirm
from pallsoft.audit.anchors import path as anchors
from pallsoft.audit.context import change_set
from pallsoft.audit.selectors import chain_head
from pallsoft.errors import InvalidInput, NotAllowedNow, NotPermitted
from sites.clock import database_now
from sites.models import Sex, Subject
from sites.selectors import definition_at
from sites.services import correct_subject
from tests.fixtures.threads import in_threads

pytestmark = pytest.mark.django_db


ACCEPTED = "Godtatt slik det er"


@pytest.fixture
def target(subject, visit):
    """target("site"), target("form", "START", "BASE")."""

    def make(scope, event_oid="START", form_oid="BASE"):
        study, site = subject.study, subject.site
        event, form = visit(event_oid), definition_at(site).form(form_oid)
        return {
            "study": Target(study),
            "site": Target(study, site),
            "subject": Target(study, site, subject),
            "visit": Target(study, site, subject, event),
            "form": Target(study, site, subject, event, form),
        }[scope]

    return make


@pytest.fixture
def base(save, row):
    save("START", "BASE", {"BASE_WEIGHT": "70", "BASE_HEIGHT": "175"})
    return row("START", "BASE")


SCOPES = ["study", "site", "subject", "visit", "form"]


@pytest.mark.req("DAT-15")
@pytest.mark.parametrize("act", [freeze, lock])
@pytest.mark.parametrize("scope", SCOPES)
def test_pc074_no_service_writes_through_a_closed_path(target, base, save, crc, data_manager, act, scope):
    act(target=target(scope), by=data_manager, reason=ACCEPTED)
    with pytest.raises(NotAllowedNow) as refusal:
        save("START", "BASE", {"BASE_WEIGHT": "71"}, reason="Rettet")
    assert data_manager.full_name in refusal.value.message
    with pytest.raises(NotAllowedNow):
        void_form(form=base, by=crc, reason="Feil")
    base.refresh_from_db()
    assert (base.data["BASE_WEIGHT"], base.removed_in) == ("70", None)


@pytest.mark.req("DAT-15")
@pytest.mark.parametrize("scope", SCOPES)
def test_pc073_a_form_that_does_not_exist_yet_is_closed_too(target, save, crc, subject, data_manager, scope):
    lock(target=target(scope, "ALWAYS", "EVENTS"), by=data_manager, reason=ACCEPTED)
    with pytest.raises(NotAllowedNow):
        save("ALWAYS", "EVENTS", {"EVENTS_TERM": "Kvalme"}, repeat_key="new")
    entry = Entry("ALWAYS", "EVENTS", {"EVENTS_TERM": "Kvalme"}, database_now())
    with pytest.raises(NotAllowedNow):
        save_new_forms(subject=subject, entries=[entry], by=crc, why="Papir")
    assert not FormData.objects.exists()


@pytest.mark.req("DAT-15")
def test_raw_sql_as_the_application_is_refused(target, base, subject, crc, data_manager):
    lock(target=target("form"), by=data_manager, reason=ACCEPTED)
    for query in (
        'UPDATE crf_formdata SET data = data || \'{"BASE_WEIGHT": "1"}\'',
        "UPDATE crf_formdata SET removed_in = audit.current_change_set()",
        "UPDATE crf_formdata SET status = 'complete'",
    ):
        with (
            pytest.raises(NotAllowedNow),
            change_set(study=subject.study, by=crc, action="raw", reason="x"),
            connection.cursor() as cursor,
        ):
            cursor.execute(query)
    moved = "UPDATE crf_formdata SET event_id = gen_random_uuid()"
    with pytest.raises(NotAllowedNow), change_set(study=subject.study, by=crc, action="raw", reason="x"):
        connection.cursor().execute(moved)


@pytest.mark.req("DAT-15")
@pytest.mark.parametrize("scope", ["study", "site", "subject", "visit"])
def test_a_closed_visit_is_neither_dated_nor_marked(target, visit, crc, data_manager, scope):
    lock(target=target(scope, "WK2", "SCORE"), by=data_manager, reason=ACCEPTED)
    for act in (
        lambda: record_visit_date(event=visit("WK2"), happened_on=database_now().date(), by=crc),
        lambda: mark_not_done(event=visit("WK2"), by=crc, reason="Syk"),
    ):
        with pytest.raises(NotAllowedNow):
            act()


@pytest.mark.req("DAT-15")
def test_a_save_that_would_change_a_locked_form_is_refused_and_says_which(target, save, row, data_manager):
    save("START", "SCORE", {"SCORE_PAIN": "6", "SCORE_VAGINAL": "0"})
    save("WK2", "SCORE", {"SCORE_PAIN": "4", "SCORE_VAGINAL": "0"})
    lock(target=target("form", "WK2", "SCORE"), by=data_manager, reason=ACCEPTED)
    with pytest.raises(NotAllowedNow) as refusal:
        save("START", "SCORE", {"SCORE_PAIN": "7"}, reason="Rettet")
    assert "«Dine plager»" in refusal.value.message and "låst" in refusal.value.message
    assert row("START", "SCORE").data["SCORE_PAIN"] == "6"
    assert row("WK2", "SCORE").data["SCORE_CHANGE"] == "-2"
    save("START", "BASE", {"BASE_WEIGHT": "70"})


@pytest.mark.req("DAT-15")
def test_a_fact_of_the_subject_is_closed_with_the_subject(target, subject, crc, data_manager):
    freeze(target=target("subject"), by=data_manager)
    with pytest.raises(NotAllowedNow):
        correct_subject(subject=subject, birth_year=1950, sex=Sex.FEMALE, adult_at_consent=None, by=crc, reason="Feil")
    assert Subject.objects.get().birth_year == 1949


def test_locking_with_something_open_needs_a_reason_that_says_so(target, base, data_manager):
    with pytest.raises(InvalidInput) as refusal:
        lock(target=target("form"), by=data_manager)
    assert "Ufullstendige skjemaer: 1" in refusal.value.message
    assert not Lock.objects.exists()
    made = lock(target=target("form"), by=data_manager, reason=ACCEPTED)
    assert made.created_in.reason == ACCEPTED


def test_the_checklist_counts_by_kind_and_names_the_subject(target, base, subject, data_manager):
    points = {point.label: point for point in open_points(target("subject"), data_manager)}
    assert points["Ufullstendige skjemaer"].count == points["Skjemaer uten signatur"].count == 1
    assert points["Planlagte verifiseringer som ikke er gjort"].count >= 2, "the weight, and the consent"
    assert points["Ufullstendige skjemaer"].where[0]["label"] == "Utgangspunkt, Screening"
    site = {point.label: point for point in open_points(target("site"), data_manager)}
    assert site["Ufullstendige skjemaer"].where == [{"label": subject.number, "url": target("subject").url, "count": 1}]
    elsewhere = open_points(target("visit", "WK2", "SCORE"), data_manager)
    assert sum(point.count for point in elsewhere) == 0


def test_the_checklist_of_a_study_needs_no_more_queries_for_more_subjects(
    target, save, enrol, bodo, subject, data_manager, django_assert_num_queries
):
    save("START", "BASE", {"BASE_WEIGHT": "70"})
    whole = target("study")
    with CaptureQueriesContext(connection) as one:
        open_points(whole, data_manager)
    for year in (1951, 1953):
        save("START", "BASE", {"BASE_WEIGHT": "70"}, of=enrol(bodo, birth_year=year))
    with django_assert_num_queries(len(one)):
        assert sum(point.count for point in open_points(whole, data_manager)) > 0


@pytest.mark.parametrize("scope", ["subject", "visit", "form"])
def test_below_a_site_one_person_opens_again_with_a_reason(target, base, save, data_manager, scope):
    made = lock(target=target(scope), by=data_manager, reason=ACCEPTED)
    with pytest.raises(InvalidInput):
        unlock(lock=made, by=data_manager, reason="")
    unlock(lock=made, by=data_manager, reason="Sent svar")
    with pytest.raises(NotAllowedNow):
        unlock(lock=made, by=data_manager, reason="Igjen")
    save("START", "BASE", {"BASE_WEIGHT": "71"}, reason="Rettet")


@pytest.mark.req("DAT-15")
@pytest.mark.parametrize("scope", ["site", "study"])
def test_a_site_and_the_study_are_opened_by_two_persons(target, base, save, data_manager, coordinator, study, scope):
    made = lock(target=target(scope), by=data_manager, reason=ACCEPTED)
    for refused in (
        lambda: unlock(lock=made, by=data_manager, reason="x"),
        lambda: confirm_unlock(lock=made, by=coordinator, reason="x"),
    ):
        with pytest.raises(NotAllowedNow):
            refused()
    with pytest.raises(NotPermitted):
        request_unlock(lock=made, by=coordinator, reason="x")
    made = request_unlock(lock=made, by=data_manager, reason="Sent svar fra laboratoriet")
    with pytest.raises(NotAllowedNow):
        request_unlock(lock=made, by=data_manager, reason="x")
    with pytest.raises(NotPermitted):
        confirm_unlock(lock=made, by=data_manager, reason="x")
    assert [item.kind for item in to_confirm(coordinator, study)] == ["confirm"]
    assert list(to_confirm(data_manager, study)) == []
    confirm_unlock(lock=made, by=coordinator, reason="Enig")
    save("START", "BASE", {"BASE_WEIGHT": "71"}, reason="Rettet")


def test_only_the_data_manager_closes(target, crc, pi, monitor, coordinator):
    for user in (crc, pi, monitor, coordinator):
        with pytest.raises(NotPermitted):
            freeze(target=target("form"), by=user)


def test_a_double_click_closes_once_and_what_is_closed_above_is_said(target, data_manager):
    first = freeze(target=target("visit"), by=data_manager)
    assert freeze(target=target("visit"), by=data_manager) == first
    with pytest.raises(NotAllowedNow):
        freeze(target=target("form"), by=data_manager)
    lock(target=target("visit"), by=data_manager, reason=ACCEPTED)
    assert Lock.objects.count() == 2


def test_a_planned_visit_that_nobody_has_begun_can_be_locked(target, data_manager):
    lock(target=target("visit", "WK4", "SCORE"), by=data_manager, reason=ACCEPTED)
    assert StudyEvent.objects.get().event_oid == "WK4"


def test_pc080_matrix_visit_and_form_say_the_same(target, base, subject, sign_in, crc, inspector, data_manager):
    lock(target=target("visit"), by=data_manager, reason=ACCEPTED)
    for user in (crc, inspector):
        matrix = matrix_of(SubjectAnswers(subject, definition_at(subject.site)), user)
        start = next(one for one in matrix.visits if one.definition.oid == "START")
        assert {cell.status for cell in start.cells.values()} == {"locked"}
        browser = sign_in(user, "en")
        for name, address in (("visit", ["START", 1]), ("form", ["START", 1, "BASE", "1"])):
            html = browser.get(reverse(name, args=[subject.study.oid, subject.number, *address])).content.decode()
            assert "is locked" in html and data_manager.full_name in html


@pytest.mark.parametrize("kind", LockKind)
def test_the_sentence_names_state_day_and_person(target, data_manager, kind):
    made = (lock if kind == LockKind.LOCK else freeze)(target=target("form"), by=data_manager, reason=ACCEPTED)
    said = lock_sentence(Lock.objects.select_related("created_in").get(pk=made.pk), "%(state)s %(day)s %(name)s")
    assert said.startswith("låst " if kind == LockKind.LOCK else "fryst ") and said.endswith("Tor Ås")


class TestPages:
    @pytest.mark.parametrize("scope", SCOPES)
    def test_a_path_is_closed_and_opened_on_its_pages(self, target, base, sign_in, data_manager, coordinator, scope):
        browser, where = sign_in(data_manager, "nb"), target(scope)
        assert "Ufullstendige skjemaer" in browser.get(where.url).content.decode()
        assert browser.post(where.url, {"act": "lock"}).status_code == 422
        assert browser.post(where.url, {"act": "rubbish"}).status_code == 422
        assert browser.post(where.url, {"act": "lock", "reason": ACCEPTED}).status_code == 302
        locked = browser.get(where.url).content.decode()
        assert "er låst." in locked and 'name="act"' not in locked
        made = Lock.objects.get()
        lift = reverse("lift-lock", args=[made.study.oid, made.pk])
        assert ACCEPTED in browser.get(lift).content.decode()
        assert browser.post(lift, {"reason": ""}).status_code == 422
        assert browser.post(lift, {"reason": "Sent svar"}).status_code == 302
        made.refresh_from_db()
        assert bool(made.lifted_in) is not where.takes_two
        if where.takes_two:
            assert browser.post(lift, {"reason": "Meg igjen"}).status_code == 403
            second = sign_in(coordinator, "nb")
            assert "Sent svar" in second.get(reverse("locking", args=[made.study.oid])).content.decode()
            assert second.post(lift, {"reason": "Enig"}).status_code == 302
            made.refresh_from_db()
            assert made.lifted_in

    def test_a_long_list_of_what_is_open_is_folded(self, target, save, sign_in, data_manager):
        for visit in ("START", "WK2", "WK4"):
            save(visit, "SCORE", {"SCORE_PAIN": "5", "SCORE_VAGINAL": "0"})
        page = sign_in(data_manager, "en")
        assert "Show where" not in page.get(target("subject").url).content.decode()
        save("START", "FIT", {"FIT_ADULT": "Y", "FIT_PREGNANT": "N"})
        save("START", "BASE", {"BASE_WEIGHT": "70"})
        html = page.get(target("subject").url).content.decode()
        assert "Show where" in html

    def test_what_is_frozen_can_be_locked_and_not_frozen_again(self, target, base, sign_in, data_manager):
        freeze(target=target("visit"), by=data_manager)
        browser, where = sign_in(data_manager, "en"), target("form")
        html = browser.get(where.url).content.decode()
        assert 'value="lock"' in html and 'value="freeze"' not in html
        lock(target=target("visit"), by=data_manager, reason=ACCEPTED)
        refused = browser.post(where.url, {"act": "lock", "reason": ACCEPTED})
        assert "This is locked already, here or further up." in refused.content.decode()

    def test_a_lock_that_is_none_and_a_form_that_is_none_are_not_found(self, sign_in, data_manager, subject, base):
        browser = sign_in(data_manager)
        args = [subject.study.oid, subject.number, "START", 1, "NOPE"]
        assert browser.get(reverse("lock-form", args=args)).status_code == 404
        assert browser.get(reverse("lift-lock", args=[subject.study.oid, base.pk])).status_code == 404


@pytest.mark.req("DAT-15")
@pytest.mark.django_db(transaction=True)
def test_a_save_in_flight_ends_before_the_lock_stands_and_none_slips_past(target, base, subject, crc, data_manager):
    done = []

    def close():
        lock(target=target("site"), by=data_manager, reason=ACCEPTED)
        done.append("locked")
        connection.close()

    locker = threading.Thread(target=close)
    with change_set(study=subject.study, by=crc, action="crf.save_form", reason="Rettet"):
        base.data = base.data | {"BASE_WEIGHT": "71"}
        base.save(update_fields=["data"])
        locker.start()
        locker.join(0.5)
        assert done == []
    locker.join(20)
    assert done == ["locked"]
    base.refresh_from_db()
    assert base.data["BASE_WEIGHT"] == "71", "it was there first"
    with pytest.raises(NotAllowedNow), change_set(study=subject.study, by=crc, action="x", reason="x"):
        base.save(update_fields=["data", "version"])
        FormData.objects.filter(pk=base.pk).update(data={})


@pytest.mark.django_db(transaction=True)
def test_two_persons_who_close_visits_not_begun_do_not_wait_for_each_other(
    target, subject, visit, enrol, bodo, data_manager, monkeypatch
):
    """Each stores a visit and closes it: where both could store before either closes, both would wait for ever."""
    other = enrol(bodo, birth_year=1953)
    both_stored = threading.Barrier(2)

    def stored_and_met(event):
        event = visits.stored(event)
        with suppress(threading.BrokenBarrierError):  # the other one waits before storing anything, as it should
            both_stored.wait(2)
        return event

    monkeypatch.setattr(locking, "stored", stored_and_met)
    targets = [Target(who.study, who.site, who, visit("WK4", of=who)) for who in (subject, other)]
    closed = in_threads(*[lambda one=one: freeze(target=one, by=data_manager) for one in targets])
    assert [type(one) for one in closed] == [Lock, Lock]


@pytest.mark.django_db(transaction=True)
def test_two_forms_of_a_visit_not_begun_are_closed_at_once(target, data_manager):
    forms = [target("form", "WK2", "SCORE"), target("form", "WK2", "BASE")]
    closed = in_threads(*[lambda one=one: freeze(target=one, by=data_manager) for one in forms])
    assert [type(one) for one in closed] == [Lock, Lock]
    assert StudyEvent.objects.count() == 1


@pytest.mark.req("AUD-08")
@pytest.mark.django_db(transaction=True)
def test_locking_anchors_the_chain(target, base, data_manager):
    made = lock(target=target("subject"), by=data_manager, reason=ACCEPTED)
    last = json.loads(anchors().read_text(encoding="utf-8").splitlines()[-1])
    assert (last["study"], last["why"]) == (str(made.study_id), "lock")
    assert last["hash"] == chain_head(made.study_id).hash
