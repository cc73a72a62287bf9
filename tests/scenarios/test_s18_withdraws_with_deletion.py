"""S18: withdraws and demands erasure: two persons, values gone also from the trail, the chain clean, counts kept."""

import json
import uuid
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.urls import reverse

from crf.models import (
    Deviation,
    Draft,
    FormData,
    FoundBy,
    Lock,
    MessageKind,
    Query,
    QueryStatus,
    Request,
    Signature,
    StudyEvent,
    Verification,
)
from crf.models.requests import ExportJob, ExportState
from crf.selectors.seen import answer_of, item_digest
from crf.services import Seen, confirm_eligibility, verify_items
from crf.services.queries import raise_query, reopen_query
from pallsoft.audit.context import change_set
from pallsoft.audit.verification import findings
from pallsoft.errors import NotAllowedNow, NotPermitted
from pallsoft.recruitment import recruitment_of
from sites.clock import database_now, local_today
from sites.models import DataWish, Erasure, Role, ScreeningEntry, StopKind, Subject, ToldBy
from sites.participation import State, participation_of
from sites.services import (
    Withdrawal,
    confirm_erasure,
    decline_erasure,
    record_consent,
    record_withdrawal,
    request_erasure,
)
from tests.fixtures.by_hand import enter, screening_answers

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("PRV-03", "AUD-14")]
SECRET = "kvalmen kom da Grønnåsen sykehjem ringte"


@pytest.fixture
def patient(subject, crc, monitor, investigator, bodo):
    """BOD-001 with a screening, a query, a verified and a changed value, a deviation, a draft, a signature, a file."""
    today = local_today(bodo.timezone)
    for form, values in screening_answers(today).items():
        enter(subject, crc, "SCREEN", form, values)
    enter(subject, crc, "SCREEN", "EC", {"EC_ECOG": "1"}, reason=SECRET)
    enter(subject, crc, "LOG", "AE", {"AE_TERM": SECRET}, repeat_key="new")
    confirm_eligibility(subject=subject, by=investigator)
    form = FormData.objects.get(subject=subject, form_oid="EC")
    event = StudyEvent.objects.select_related("subject__site__study", "study").get(pk=form.event_id)
    raise_query(event=event, form_oid="EC", item_oid="EC_ECOG", text=SECRET, key=uuid.uuid4(), by=monitor)
    seen = Seen(form.pk, "EC_ECOG", item_digest(form, "EC_ECOG", answer_of(form, "EC_ECOG")))
    verify_items(subject=subject, marks=[seen], by=monitor)
    with change_set(study=subject.study, by=monitor, action="test", role=Role.MONITOR):
        Deviation.objects.create(
            study=subject.study, subject=subject, event=form.event, form_data=form, check_oid="X", check_version=1,
            message={}, explanation=SECRET,
        )  # fmt: skip
        Deviation.objects.create(
            study=subject.study, subject=subject, found_by=FoundBy.PERSON, rule_oid="OTHER_MINOR", happened_on=today,
            message={}, explanation=SECRET,
        )  # fmt: skip
        ExportJob.objects.create(
            study=subject.study, requested_by=monitor, sites=["BOD"], with_arm=False, state=ExportState.DONE,
            file_name="PALLSOFT-1.zip", sha256="ab" * 32,
        )  # fmt: skip
        ExportJob.objects.create(
            study=subject.study, requested_by=monitor, sites=["TRO"], with_arm=False, state=ExportState.DONE,
            file_name="PALLSOFT-2.zip", sha256="cd" * 32,
        )  # fmt: skip
    Draft.objects.create(
        study=subject.study, user=crc, subject=subject, event_oid="W2", ordinal=1, form_oid="NRS", repeat_key="1",
        base_version=0, raw={"NRS_PAIN": SECRET},
    )  # fmt: skip
    return subject


def withdrawal(bodo, wish, **more):
    """All that rests on the consent, withdrawn yesterday."""
    kinds = frozenset({StopKind.CONSENT, StopKind.SAMPLES, StopKind.REGISTERS})
    said = {"day": str(local_today(bodo.timezone) - timedelta(days=1))} | more
    return Withdrawal(kinds=kinds, told_by=ToldBy.PARTICIPANT, data_wish=wish, **said)


@pytest.fixture
def wish(patient, crc, bodo):
    """The patient withdrew yesterday and wants everything erased."""
    record_withdrawal(subject=patient, said=withdrawal(bodo, DataWish.ERASE, told_reason=SECRET), by=crc)
    return Erasure.objects.get()


@pytest.fixture
def erased(wish, coordinator, data_manager):
    confirm_erasure(erasure=wish, exceptions="legemiddelloven krever ingenting her", by=coordinator)
    return confirm_erasure(erasure=wish, by=data_manager)


def everything():
    """Every row of the database as text, as the application sees it."""
    with connection.cursor() as cursor:
        cursor.execute("""SELECT format('%I.%I', table_schema, table_name) FROM information_schema.table_privileges
            WHERE grantee = 'pallsoft_app' AND privilege_type = 'SELECT' AND table_schema IN ('public', 'audit')
            AND table_name NOT IN ('trail', 'trials_studyversion', 'trials_itemcolumn')""")
        tables = [name for (name,) in cursor.fetchall()]
        found = []
        for table in tables:
            cursor.execute(f"SELECT to_jsonb(t)::text FROM {table} t")
            found += [row for (row,) in cursor.fetchall()]
    return found


def test_one_person_alone_erases_nothing(wish, coordinator):
    confirm_erasure(erasure=wish, by=coordinator)
    with pytest.raises(NotAllowedNow):
        confirm_erasure(erasure=wish, by=coordinator)
    assert FormData.objects.get(form_oid="EC").data


@pytest.mark.parametrize("who", ["crc", "monitor", "outsider", "pi"])
def test_the_site_does_not_erase(wish, request, who):
    with pytest.raises(NotPermitted):
        confirm_erasure(erasure=wish, by=request.getfixturevalue(who))


def test_values_and_texts_are_gone_also_from_the_trail(erased, patient):
    assert [row for row in everything() if SECRET in row] == []
    assert not FormData.objects.exclude(data={}, marks={}).exists()
    assert not Draft.objects.exists()
    patient.refresh_from_db()
    assert (patient.birth_year, patient.sex) == (0, "")
    with connection.cursor() as cursor:
        cursor.execute("SELECT old, new FROM audit.trail WHERE tbl = 'crf_formdata' AND part <> ''")
        assert {tuple(row) for row in cursor.fetchall()} <= {(None, None)}


@pytest.mark.req("AUD-01")
def test_who_and_when_stay_also_of_a_reason_that_went(erased, crc):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT actor_id, reason FROM audit.trail WHERE tbl = 'crf_formdata' AND part = 'data' AND change > 0"
        )
        assert (crc.pk, "") in cursor.fetchall()
        cursor.execute("SELECT reason FROM audit.change_set WHERE action = 'audit.erase'")
        assert cursor.fetchall() == [("the participant withdrew and asked for erasure",)]


def test_what_was_said_of_somebody_else_stays(patient, wish, coordinator, data_manager, enrol, bodo, crc):
    """Also in an act that was about both."""
    other = enrol(bodo, birth_year=1931)
    enter(other, crc, "SCREEN", "EC", {"EC_ECOG": "1"})
    enter(other, crc, "SCREEN", "EC", {"EC_ECOG": "2"}, reason="feil lest")
    with change_set(study=patient.study, by=data_manager, action="test", reason="begge stengt"):
        for one in (patient, other):
            Lock.objects.create(study=one.study, kind="lock", subject=one)
    for person in (coordinator, data_manager):
        confirm_erasure(erasure=wish, by=person)
    kept = FormData.objects.get(subject=other)
    assert kept.data["EC_ECOG"] == "2" and list(findings()) == []
    with connection.cursor() as cursor:
        cursor.execute("SELECT reason FROM audit.change_set WHERE reason IN ('feil lest', 'begge stengt') ORDER BY at")
        assert cursor.fetchall() == [("feil lest",), ("begge stengt",)]


def test_pc091_the_chain_is_clean_and_names_the_erasure(erased, capsys):
    assert list(findings()) == []
    call_command("verify_audit")
    assert "participant erased by Tor Ås and a second person" in capsys.readouterr().out


@pytest.mark.req("SIG-03", "DAT-13")
def test_no_hash_is_left_from_which_a_value_could_be_guessed_back(erased):
    assert not Signature.objects.exclude(salt=None).exists() and not Verification.objects.exclude(salt=None).exists()
    assert not Verification.objects.filter(dropped_in=None).exists()
    assert set(Request.objects.values_list("body_sha256", flat=True)) == {""}
    call_command("verify_signatures")


@pytest.mark.req("AUD-07")
@pytest.mark.parametrize(
    "tamper",
    [
        "UPDATE audit.baseline SET doc = doc || '{\"signed_at\": null}' WHERE tbl = 'sites_consent'",
        "UPDATE audit.item_change SET new = '\"9\"' WHERE tbl = 'crf_formdata' AND part = 'data'",
        "UPDATE audit.change_set SET actor_name = 'Ola Nordmann' WHERE masked_in IS NOT NULL",
        'UPDATE audit.baseline SET doc = doc || \'{"data": {"EC_ECOG": "0"}}\' WHERE tbl = \'crf_formdata\'',
    ],
)
def test_what_the_erasure_left_is_not_altered_unseen(erased, superuser, tamper):
    cursor = superuser.cursor()
    cursor.execute("SET session_replication_role = replica")
    cursor.execute(tamper)
    assert any("was altered" in finding.what for finding in findings())


def test_what_stays_is_number_site_consent_and_that_it_was_erased(erased, patient, data_manager):
    assert participation_of(patient).state is State.ERASED
    assert (erased.erased_by, patient.number) == (data_manager, "BOD-001")
    assert patient.consents.get().signed_at and patient.signatures.count() == 1
    assert Signature.objects.get().voided_in is not None


def test_files_made_before_are_named(erased):
    assert [file["file"] for file in erased.held_by] == ["PALLSOFT-1.zip"]


def test_the_counts_of_the_trial_do_not_change(wish, coordinator, data_manager, study, definition):
    today = local_today(study.timezone)

    def counts():
        shown = recruitment_of(study, definition.study, list(study.sites.all()), today)
        return Subject.objects.count(), ScreeningEntry.objects.count(), repr(shown)

    before = counts()
    confirm_erasure(erasure=wish, by=coordinator)
    confirm_erasure(erasure=wish, by=data_manager)
    assert counts() == before


def test_the_trail_replayed_to_any_seal_gives_nothing_back(erased, study):
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(n) FROM audit.seal WHERE study_id = %s", [study.pk])
        (last,) = cursor.fetchone()
        for n in range(last + 1):
            cursor.execute("SELECT count(*) FROM audit.form_data_as_of(%s, %s) WHERE data <> '{}'", [study.pk, n])
            assert cursor.fetchone() == (0,)


def test_nothing_more_is_recorded_under_the_number(erased, patient, crc, consent):
    with pytest.raises(NotAllowedNow):
        enter(patient, crc, "SCREEN", "EC", {"EC_ECOG": "1"})
    with pytest.raises(NotAllowedNow):
        record_consent(subject=patient, consent=consent(signed_at=database_now()), by=crc)


def test_no_query_is_left_and_none_is_raised(erased, patient, monitor, data_manager):
    query = Query.objects.get(item_oid="EC_ECOG")
    assert not Query.objects.filter(status__in=[QueryStatus.OPEN, QueryStatus.ANSWERED]).exists()
    assert [message.kind for message in query.messages.all()] == [MessageKind.OPEN, MessageKind.CANCEL]
    event = StudyEvent.objects.select_related("subject__site__study", "study").get(pk=query.event_id)
    with pytest.raises(NotAllowedNow, match="slettet"):
        raise_query(event=event, form_oid="EC", item_oid="EC_ECOG", text=SECRET, key=uuid.uuid4(), by=monitor)
    with pytest.raises(NotAllowedNow, match="slettet"):
        reopen_query(query=query, reason=SECRET, by=data_manager)


@pytest.mark.req("DAT-10")
def test_a_page_that_stood_open_keeps_no_draft_anymore(wish, patient, crc, coordinator, data_manager, sign_in):
    """The nurse goes on typing after the erasure."""
    page = sign_in(crc)

    def typing():
        url = reverse("form-draft", args=[patient.study.oid, patient.number, "LOG", 1, "AE", "new"])
        sent = {"fields": {"AE_TERM": [SECRET, 0]}, "tab": "a" * 32, "key": str(uuid.uuid4()), "seen": "0"}
        return page.post(url, json.dumps(sent), content_type="application/json")

    assert typing().status_code == 200 and Draft.objects.filter(form_oid="AE").exists()
    for person in (coordinator, data_manager):
        confirm_erasure(erasure=wish, by=person)
    refused = typing()
    assert refused.status_code == 409 and "slettet" in refused.json()["message"]
    assert not Draft.objects.exists()


def test_a_wish_taken_back_in_time_erases_nothing(wish, coordinator, data_manager):
    confirm_erasure(erasure=wish, by=coordinator)
    decline_erasure(erasure=wish, by=coordinator, reason="pasienten ombestemte seg")
    with pytest.raises(NotAllowedNow):
        confirm_erasure(erasure=wish, by=data_manager)
    assert FormData.objects.get(form_oid="EC").data


@pytest.mark.parametrize("wished", [DataWish.ERASE, DataWish.KEEP])
def test_a_new_consent_ends_the_wish_and_a_new_withdrawal_may_wish_again(patient, crc, bodo, consent, wished):
    """Whether the wish was told with the withdrawal or after it."""
    record_withdrawal(subject=patient, said=withdrawal(bodo, wished), by=crc)
    old = request_erasure(subject=patient, by=crc)
    record_consent(subject=patient, consent=consent(signed_at=database_now()), by=crc)
    old.refresh_from_db()
    assert old.declined_in and participation_of(patient).erasure is None
    record_withdrawal(subject=patient, said=withdrawal(bodo, DataWish.ERASE), by=crc)
    assert participation_of(patient).erasure not in (None, old)


@pytest.mark.parametrize("told_later", [True, False])
def test_the_day_of_the_wish_is_that_of_the_clock_at_the_site(patient, crc, bodo, told_later, monkeypatch):
    today = local_today(bodo.timezone)
    if told_later:
        record_withdrawal(subject=patient, said=withdrawal(bodo, DataWish.KEEP), by=crc)
        tomorrow = today + timedelta(days=1)
        monkeypatch.setattr("sites.services.erasure.local_today", lambda zone: tomorrow)
        assert request_erasure(subject=patient, by=crc).wished_on == tomorrow
    else:
        record_withdrawal(subject=patient, said=withdrawal(bodo, DataWish.ERASE, day=f"{today:%Y}"), by=crc)
        assert Erasure.objects.get().wished_on == today


@pytest.mark.req("AUD-06")
def test_the_applications_login_cannot_erase_by_itself(wish, coordinator, data_manager, study):
    """Neither without the first person, nor as the same one, nor in another act, nor by the back door."""

    def attempt(*, by, action="audit.erase", before="SELECT 1"):
        with change_set(study=study, by=by, action=action, reason="x"), connection.cursor() as cursor:
            cursor.execute(before)
            cursor.execute("SELECT audit.erase_subject(%s)", [wish.pk])

    with pytest.raises(NotAllowedNow):
        attempt(by=data_manager)
    confirm_erasure(erasure=wish, by=coordinator)
    for refused in ({"by": coordinator}, {"by": data_manager, "action": "crf.save_form"}, {"by": None}):
        with pytest.raises(NotAllowedNow):
            attempt(**refused)
    for sql in ("INSERT INTO audit.erasing VALUES (audit.current_change_set())",
                "UPDATE sites_erasure SET erased_at = now()", "SELECT audit.is_erasing()",
                "UPDATE audit.erasable SET emptied = '{}'"):  # fmt: skip
        with pytest.raises(Exception, match="permission denied"), transaction.atomic():
            attempt(by=data_manager, before=sql)
    assert FormData.objects.get(form_oid="EC").data


def test_a_locked_form_is_erased_too(wish, patient, coordinator, data_manager):
    with change_set(study=patient.study, by=data_manager, action="test", reason="lås"):
        Lock.objects.create(study=patient.study, kind="lock", subject=patient)
    confirm_erasure(erasure=wish, by=coordinator)
    confirm_erasure(erasure=wish, by=data_manager)
    assert not FormData.objects.exclude(data={}).exists() and list(findings()) == []


@pytest.mark.parametrize("place", [("LOG", 1, "AE", "new"), ("SCREEN", 1, "EC", "1")])
def test_a_form_of_one_who_is_erased_is_closed_before_anything_is_typed(erased, patient, crc, sign_in, place):
    page = sign_in(crc).get(reverse("form", args=[patient.study.oid, patient.number, *place]))
    assert not page.context["page"].may_enter and "slettet" in page.context["page"].closed


def test_visits_keep_their_place_and_lose_their_days(erased):
    assert StudyEvent.objects.exists() and not StudyEvent.objects.exclude(happened_on=None).exists()
    assert Deviation.objects.exists() and not Deviation.objects.exclude(happened_on=None).exists()
