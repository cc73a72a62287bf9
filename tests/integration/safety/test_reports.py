"""Between site and sponsor: reports of a serious event, that they are read, and the sponsor's own judgement (S16)."""

from datetime import date

import pytest
from django.core import mail
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from crf.entry.interruptions import AnswersNeeded
from crf.models import Deviation, FormData, Query, SafetyAssessment, SafetyReport
from crf.safety.messages import REMOVED
from crf.services import Assessed, assess_event, read_report, report_event, void_form
from pallsoft.audit.context import change_set
from pallsoft.audit.models import ChangeSet
from pallsoft.audit.selectors import trail_for
from pallsoft.errors import Conflict, InvalidInput, NotAllowedNow, NotPermitted
from pallsoft.outbox.models import Message, State
from pallsoft.outbox.services import send_due
from sites.clock import database_now
from sites.models import Role, Task
from sites.permissions import unites_apart
from sites.worklist import work_items
from tests.fixtures.by_hand import enter

pytestmark = pytest.mark.django_db(transaction=True)

NOTHING = Assessed(None, "", None)


@pytest.fixture
def reporter(crc, delegate, bodo):
    """The study nurse, to whom reporting is delegated."""
    delegate(crc, Task.REPORT_SAE, bodo)
    return crc


@pytest.fixture
def serious(event, known, reporter, coordinator):
    return event(AE_AWARE=known(2))


def report(row, by, **more):
    current = FormData.objects.select_related("event", "subject__site", "study").get(pk=row.pk)
    return report_event(form=current, seen_version=current.version, by=by, **more)


def sentences(user, study):
    return [item.sentence for item in work_items(user, study) if "alvorlig hendelse" in item.sentence]


def url_of(row, name="event-reports"):
    return reverse(name, args=[row.study.oid, row.subject.number, *row.event.key, row.form_oid, row.repeat_key])


@pytest.mark.req("AUD-01")
def test_the_first_report_stores_its_time_and_ends_the_clock(serious, reporter, study, subject):
    (waits,) = sentences(reporter, study)
    assert "timer igjen" in waits
    first = report(serious, reporter)
    row = FormData.objects.get(pk=serious.pk)
    assert first.number == 0 and first.form_version == row.version
    now = database_now()
    assert row.data["AE_SENT"][:14] in {f"{now:%Y-%m-%dT%H:}"} and row.data["AE_SENT"].endswith("00Z")
    assert not sentences(reporter, study)
    written = trail_for(table="crf_safetyreport", row_id=first.pk)
    assert {line.actor_name for line in written} == {reporter.full_name}
    assert not Query.objects.filter(check_oid="AE_C5", status="open").exists()


def test_a_time_of_report_that_somebody_told_stays(event, known, reporter):
    told = known(1)
    row = event(AE_AWARE=known(2), AE_SENT=told)
    report(row, reporter)
    assert FormData.objects.get(pk=row.pk).data["AE_SENT"] == told


def test_the_sponsor_gets_one_mail_of_each_report_without_health(serious, reporter, coordinator, event, subject):
    report(serious, reporter)
    event(first=False, AE_GRADE="4")
    report(serious, reporter)
    send_due()
    send_due()
    told = [one.subject for one in mail.outbox if "melding" in one.subject]
    assert sorted(told) == [f"PALLSOFT: melding {n} om en alvorlig hendelse for {subject.number}" for n in (0, 1)]
    for one in mail.outbox:
        assert one.to == [coordinator.email]
        assert not any(word in one.subject + one.body for word in ("obstruksjon", "HOSPITAL", "grad"))


def test_a_late_report_is_explained_and_a_deviation(event, known, reporter):
    row = event(AE_AWARE=known(72))
    with pytest.raises(AnswersNeeded) as needed:
        report(row, reporter)
    assert [one.oid for one in needed.value.checks] == ["AE_D1"]
    assert not SafetyReport.objects.exists() and "AE_SENT" not in FormData.objects.get(pk=row.pk).data
    report(row, reporter, why={"AE_D1": "langhelg"})
    assert Deviation.objects.get(form_data=row, check_oid="AE_D1").explanation == "langhelg"


def test_nothing_is_reported_twice_and_what_is_new_waits(serious, reporter, event, study):
    report(serious, reporter)
    with pytest.raises(NotAllowedNow, match="allerede meldt"):
        report(serious, reporter)
    event(first=False, AE_GRADE="4")
    (waits,) = sentences(reporter, study)
    assert "endret etter at den ble meldt" in waits
    assert report(serious, reporter).number == 1
    assert not sentences(reporter, study)


def test_what_has_changed_since_the_page_was_shown_is_read_first(serious, reporter, event):
    event(first=False, AE_GRADE="4")
    with pytest.raises(Conflict, match="endret etter at siden ble vist"):
        report_event(form=serious, seen_version=serious.version, by=reporter)
    assert not SafetyReport.objects.exists()


def test_an_event_that_is_not_serious_is_not_reported(subject, reporter):
    row = enter(subject, reporter, "LOG", "AE", {"AE_TERM": "Kvalme", "AE_SER": "N"})
    with pytest.raises(NotAllowedNow, match="ingenting å melde"):
        report(row, reporter)


def test_one_that_turned_out_not_to_be_serious_is_told_once_more(serious, reporter, event, subject):
    report(serious, reporter)
    enter(subject, reporter, "LOG", "AE", {"AE_SER": "N"}, reason="ikke alvorlig likevel")
    assert report(serious, reporter).number == 1
    send_due()
    assert any("melding 1" in one.subject for one in mail.outbox)


def test_one_that_turned_out_not_to_be_serious_waits_for_no_assessment(serious, reporter, coordinator, subject, study):
    read_report(report=report(serious, reporter), by=coordinator)
    enter(subject, reporter, "LOG", "AE", {"AE_SER": "N"}, reason="ikke alvorlig likevel")
    assert not sentences(coordinator, study)


def test_a_time_that_was_called_unknown_gives_way_to_the_report(event, known, reporter, coordinator):
    row = event(AE_AWARE=known(2))
    enter(row.subject, reporter, "LOG", "AE", {}, missing={"AE_SENT": "UNK"}, why={"AE_C5": "ringes inn"})
    assert report(row, reporter).number == 0
    assert FormData.objects.get(pk=row.pk).data["AE_SENT"]


def test_only_who_has_the_task_reports(event, known, crc, pi, coordinator, outsider):
    row = event(AE_AWARE=known(2))
    for person in (crc, coordinator, outsider):
        with pytest.raises(NotPermitted):
            report(row, person)
    assert report(row, pi).number == 0


def test_a_report_is_read_once_and_by_the_sponsor(serious, reporter, coordinator, monitor, study):
    first = report(serious, reporter)
    for person in (reporter, monitor):
        with pytest.raises(NotPermitted):
            read_report(report=first, by=person)
    (waits,) = sentences(coordinator, study)
    assert "ikke lest" in waits
    read_report(report=first, by=coordinator)
    with pytest.raises(NotAllowedNow, match="allerede merket"):
        read_report(report=first, by=coordinator)
    first.refresh_from_db()
    assert ChangeSet.objects.get(pk=first.read_in).actor_name == coordinator.full_name
    (waits,) = sentences(coordinator, study)
    assert "venter på sponsors vurdering" in waits


def test_the_sponsor_judges_apart_from_the_site(serious, reporter, coordinator, study):
    report(serious, reporter)
    read_report(report=SafetyReport.objects.get(), by=coordinator)
    before = FormData.objects.get(pk=serious.pk)
    assess_event(form=serious, said=Assessed(False, "POSSIBLE", None), seen=NOTHING.token, by=coordinator)
    assert not sentences(coordinator, study)
    found = SafetyAssessment.objects.get()
    assert (found.expected, found.related, found.is_complete) == (False, "POSSIBLE", True)
    after = FormData.objects.get(pk=serious.pk)
    assert (after.data, after.version) == (before.data, before.version)
    with pytest.raises(NotPermitted):
        assess_event(form=serious, said=NOTHING, seen=NOTHING.token, by=reporter)


@pytest.mark.req("AUD-04")
def test_judging_otherwise_needs_a_reason_and_the_trail_keeps_both(serious, coordinator):
    said = Assessed(True, "UNRELATED", None)
    assess_event(form=serious, said=said, seen=NOTHING.token, by=coordinator)
    other = Assessed(False, "UNRELATED", None)
    with pytest.raises(InvalidInput, match="hvorfor"):
        assess_event(form=serious, said=other, seen=said.token, by=coordinator)
    assess_event(form=serious, said=other, seen=said.token, by=coordinator, reason="ny brosjyre")
    (change,) = [
        line
        for line in trail_for(table="crf_safetyassessment", row_id=SafetyAssessment.objects.get().pk)
        if line.item == "expected" and line.change > 0
    ]
    assert (change.old, change.new, change.reason) == (True, False, "ny brosjyre")


def test_what_was_left_open_is_filled_without_a_reason(serious, coordinator):
    half = Assessed(True, "", None)
    assess_event(form=serious, said=half, seen=NOTHING.token, by=coordinator)
    assess_event(form=serious, said=Assessed(True, "POSSIBLE", None), seen=half.token, by=coordinator)
    assert SafetyAssessment.objects.get().is_complete


def test_two_who_judge_at_once_see_each_other(serious, coordinator):
    assess_event(form=serious, said=Assessed(True, "", None), seen=NOTHING.token, by=coordinator)
    with pytest.raises(Conflict, match="i mellomtiden"):
        assess_event(form=serious, said=Assessed(False, "", None), seen=NOTHING.token, by=coordinator)


@pytest.mark.parametrize(
    ("said", "at"),
    [(Assessed(True, "KANSKJE", None), "related"), (Assessed(True, "", date(2999, 1, 1)), "authority_on")],
)
def test_what_cannot_be_is_not_stored(serious, coordinator, said, at):
    with pytest.raises(InvalidInput) as refusal:
        assess_event(form=serious, said=said, seen=NOTHING.token, by=coordinator)
    assert list(refusal.value.errors) == [at] and not SafetyAssessment.objects.exists()


@pytest.mark.parametrize("told", [True, False])
def test_a_removed_event_is_told_to_who_was_told_of_it(serious, reporter, coordinator, told):
    if told:
        send_due()
    mail.outbox.clear()
    void_form(
        form=FormData.objects.select_related("event", "subject__site", "study").get(),
        by=reporter,
        reason="feil pasient",
    )
    send_due()
    send_due()
    expected = [f"PALLSOFT: en alvorlig hendelse for {serious.subject.number} er fjernet"] if told else []
    assert [one.subject for one in mail.outbox] == expected
    assert Message.objects.get(kind=REMOVED).state == (State.SENT if told else State.DROPPED)


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM crf_safetyreport",
        "UPDATE crf_safetyreport SET number = 7",
        "UPDATE crf_safetyreport SET read_in = gen_random_uuid()",
        "DELETE FROM crf_safetyassessment",
        "UPDATE crf_safetyassessment SET expected = false",
    ],
)
@pytest.mark.req("AUD-06")
def test_the_login_cannot_rewrite_what_was_reported_or_judged(serious, reporter, coordinator, sql):
    report(serious, reporter)
    assess_event(form=serious, said=Assessed(True, "", None), seen=NOTHING.token, by=coordinator)
    with (
        pytest.raises(Exception, match=r"permission|no change set"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql)


def test_a_report_names_a_form_of_its_own_subject(serious, reporter, enrol, bodo):
    other = enrol(bodo, birth_year=1951)
    with pytest.raises(IntegrityError), change_set(study=serious.study, by=None, action="attack"):
        SafetyReport.objects.create(study=serious.study, subject=other, form_data=serious, number=0, form_version=1)


def test_the_page_leads_site_and_sponsor_through_it(event, known, reporter, coordinator, sign_in):
    row = event(AE_AWARE=known(72))
    nurse = sign_in(reporter)
    assert url_of(row) in nurse.get(url_of(row, "form")).content.decode()
    page = nurse.get(url_of(row)).content.decode()
    assert (
        "men ikke herfra" not in page
        and "Ikke meldt ennå" in page
        and "Meld til sponsor</button>" in page
        and "Lagre vurderingen" not in page
    )
    asked = nurse.post(url_of(row), {"act": "report", "seen_version": row.version})
    assert asked.status_code == 422 and 'name="why-AE_D1"' in asked.content.decode()
    given = {"act": "report", "seen_version": row.version, "why-AE_D1": "langhelg"}
    assert nurse.post(url_of(row), given).status_code == 302

    sponsor = sign_in(coordinator)
    page = sponsor.get(url_of(row)).content.decode()
    assert "Merk som lest" in page and "Meld til sponsor</button>" not in page
    assert sponsor.post(url_of(row), {"act": "read", "number": 0}).status_code == 302
    judged = {"act": "assess", "expected": "N", "related": "POSSIBLE", "authority_on": "", "seen": NOTHING.token}
    assert sponsor.post(url_of(row), judged).status_code == 302
    assert sponsor.post(url_of(row), judged).status_code == 422
    page = sign_in(reporter).get(url_of(row)).content.decode()
    assert "Første melding" in page and coordinator.full_name in page and "Mulig" in page


def test_the_page_says_so_when_the_form_tells_of_a_report_in_another_way(event, known, reporter, sign_in):
    row = event(AE_AWARE=known(2), AE_SENT=known(1))
    assert "men ikke herfra" in sign_in(reporter).get(url_of(row)).content.decode()


def test_the_page_tells_what_has_changed_since_the_last_report(serious, reporter, event, sign_in):
    report(serious, reporter)
    event(first=False, AE_GRADE="4")
    page = sign_in(reporter).get(url_of(serious)).content.decode()
    assert "Meld det som er endret" in page and "CTCAE-grad" in page
    assert "Meldt til sponsor</th>" not in page  # was stored with the first report: no news


def test_a_form_that_tells_of_no_serious_event_has_no_such_page(subject, reporter, sign_in):
    row = enter(subject, reporter, "LOG", "AE", {"AE_TERM": "Kvalme", "AE_SER": "N"})
    client = sign_in(reporter)
    assert client.get(url_of(row)).status_code == 404
    assert url_of(row) not in client.get(url_of(row, "form")).content.decode()


def test_after_an_erasure_nothing_of_it_waits_for_anybody(serious, reporter, coordinator, study, erase):
    report(serious, reporter)
    assert sentences(coordinator, study)
    erase(serious.subject)
    assert not sentences(coordinator, study) and not sentences(reporter, study)


def test_nobody_of_another_site_sees_the_reports(serious, outsider, sign_in):
    assert sign_in(outsider).get(url_of(serious)).status_code == 404


def test_the_list_of_the_sponsor_tells_what_is_to_be_done(serious, reporter, coordinator, sign_in, study):
    report(serious, reporter)
    client = sign_in(coordinator)
    page = client.get(reverse("safety", args=[study.oid])).content.decode()
    assert "Skal leses" in page and url_of(serious) in page
    read_report(report=SafetyReport.objects.get(), by=coordinator)
    assert "Skal vurderes" in client.get(reverse("safety", args=[study.oid])).content.decode()
    assess_event(form=serious, said=Assessed(True, "UNRELATED", None), seen=NOTHING.token, by=coordinator)
    assert "Skal vurderes" not in client.get(reverse("safety", args=[study.oid])).content.decode()


def test_nobody_reports_and_assesses():
    assert unites_apart({Role.COORDINATOR, Role.STUDY_NURSE})
