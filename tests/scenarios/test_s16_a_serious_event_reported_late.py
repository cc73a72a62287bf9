"""S16: a bowel obstruction on Friday, known on Saturday, entered on Tuesday with half of the facts missing."""

from datetime import timedelta

import pytest
from django.core import mail
from django.urls import reverse

from crf.models import Deviation, FormData
from crf.safety.clock import unreported_at
from crf.safety.messages import SERIOUS
from crf.safety.reconciliation import reconciliation
from crf.services import void_form
from pallsoft.outbox.models import Message, State
from pallsoft.outbox.services import send_due
from sites.clock import local_today
from sites.models import DeathCause
from sites.selectors import definition_at
from sites.services import record_death
from sites.worklist import work_items
from tests.fixtures.by_hand import enter
from tests.fixtures.leaving import died  # noqa: F401 - a fixture must stand in the module to be found
from tests.fixtures.serious import TERM

pytestmark = pytest.mark.django_db(transaction=True)


def waits(user, study):
    return [
        item for item in work_items(user, study) if item.kind in {"clock", "overdue"} and "hendelse" in item.sentence
    ]


def test_the_first_report_is_accepted_with_half_of_the_facts_missing(event, known):
    row = event(AE_AWARE=known(2))
    assert row.status == "incomplete" and row.data["AE_TERM"] == TERM


@pytest.mark.parametrize(
    ("hours", "kind", "said"), [(5.5, "clock", "19 timer igjen"), (47.5, "overdue", "24 timer for sen")]
)
def test_the_clock_runs_on_the_worklists_of_site_and_sponsor(
    event, known, crc, coordinator, monitor, outsider, study, hours, kind, said
):
    event(AE_AWARE=known(hours))
    for person in (crc, coordinator):
        (item,) = waits(person, study)
        assert item.kind == kind and said in item.sentence
    assert not waits(monitor, study) and not waits(outsider, study)


def test_without_the_time_of_awareness_the_clock_runs_from_the_entry(event, bodo):
    row = event()
    (one,) = unreported_at(bodo, definition_at(bodo))
    assert one.deadline == row.created_in.at + timedelta(hours=24)


def test_the_report_ends_the_clock_and_a_late_one_is_a_deviation(event, known, crc, coordinator, study):
    event(AE_AWARE=known(72))
    row = event(first=False, AE_SENT=known(1))
    assert not waits(crc, study) and not waits(coordinator, study)
    assert float(row.data["AE_HRS"]) == pytest.approx(71, abs=0.2)
    assert Deviation.objects.filter(form_data=row, check_oid="AE_D1").exists()


def test_the_sponsor_gets_one_mail_without_health(event, known, coordinator, subject):
    event(AE_AWARE=known(2))
    event(first=False, AE_GRADE="3")
    send_due()
    send_due()
    (sent,) = [one for one in mail.outbox if "alvorlig" in one.subject]
    assert sent.to == [coordinator.email] and subject.number in sent.subject
    words = f"{sent.subject} {sent.body}"
    assert "/forms/AE/1/" in words and "24 timer" in words
    assert not any(word in words for word in ("obstruksjon", "innlagt", "HOSPITAL", str(subject.birth_year)))


@pytest.mark.parametrize("how", ["not serious", "voided"])
def test_nothing_is_sent_of_what_was_entered_wrongly(event, known, crc, coordinator, how, study):
    row = event(AE_AWARE=known(2))
    if how == "voided":
        void_form(form=row, by=crc, reason="feil pasient")
    else:
        enter(row.subject, crc, "LOG", "AE", {"AE_SER": "N"}, reason="ikke alvorlig likevel")
    send_due()
    assert not mail.outbox and Message.objects.get(kind=SERIOUS).state == State.DROPPED
    assert not waits(crc, study)


def test_an_event_that_is_not_serious_starts_no_clock(subject, crc, coordinator, study):
    enter(subject, crc, "LOG", "AE", {"AE_TERM": "Kvalme", "AE_SER": "N"})
    assert not Message.objects.filter(kind=SERIOUS).exists() and not waits(crc, study)
    assert FormData.objects.filter(form_oid="AE").count() == 1


def test_a_planned_admission_starts_no_clock_and_leaves_the_list(event, known, crc, coordinator, study, bodo):
    row = event(AE_AWARE=known(30), AE_PLANNED="Y")
    assert not Message.objects.filter(kind=SERIOUS).exists() and not waits(crc, study)
    assert list(unreported_at(bodo, definition_at(bodo))) == []
    assert reconciliation(coordinator, study).events == []
    assert not row.queries.filter(check_oid="AE_C5").exists()


@pytest.mark.parametrize("answer", [{}, {"AE_PLANNED": "N"}])
def test_an_admission_that_nobody_called_planned_is_reported(event, known, bodo, coordinator, study, answer):
    row = event(AE_AWARE=known(2), **answer)
    (one,) = unreported_at(bodo, definition_at(bodo))
    assert one.form == row and len(reconciliation(coordinator, study).events) == 1
    assert row.queries.filter(check_oid="AE_C5").exists()


def test_an_admission_that_turns_out_to_have_been_planned_is_not_told_any_more(event, known, crc, coordinator, study):
    event(AE_AWARE=known(2))
    event(first=False, AE_PLANNED="Y")
    send_due()
    assert not mail.outbox and Message.objects.get(kind=SERIOUS).state == State.DROPPED
    assert not waits(crc, study)


def sentences(user, study):
    return [one.sentence for one in reconciliation(user, study).mismatches]


def test_deaths_grades_and_serious_events_are_held_against_each_other(
    subject,
    enrol,
    bodo,
    event,
    known,
    crc,
    coordinator,
    study,
    died,  # noqa: F811
    sign_in,
):
    event(AE_AWARE=known(2), AE_GRADE="3")
    assert not sentences(coordinator, study)
    row = event(first=False, AE_OUT="FATAL")
    (told,) = sentences(coordinator, study)
    assert told == f"{subject.number}: en dødelig hendelse, men ikke noe dødsfall er registrert."
    record_death(subject=subject, facts=died(local_today(bodo.timezone)), by=crc)
    assert not sentences(coordinator, study)

    other = enrol(bodo, birth_year=1951)
    enter(other, crc, "LOG", "AE", {"AE_TERM": "Blødning", "AE_SER": "N", "AE_GRADE": "4"}, why={"AE_C4": "kortvarig"})
    third = enrol(bodo, birth_year=1953)
    cause = DeathCause.TREATMENT
    record_death(subject=third, facts=died(local_today(bodo.timezone), cause=cause), by=crc)
    told = sentences(coordinator, study)
    assert len(told) == 2 and told[0].startswith(f"{other.number}: en hendelse av grad 4")
    assert told[1].startswith(f"{third.number} døde")

    page = sign_in(coordinator).get(reverse("safety", args=[study.oid])).content.decode()
    assert "Ikke ennå" in page and all(sentence in page for sentence in told)
    assert row.data["AE_TERM"] not in page
    assert sign_in(crc).get(reverse("safety", args=[study.oid])).status_code == 403
