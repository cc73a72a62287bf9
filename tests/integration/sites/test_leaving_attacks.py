"""What the product's own login cannot do to the rows of leaving, and what the database keeps of them."""

import pytest
from django.db import connection, transaction

from pallsoft.audit.context import change_set
from pallsoft.audit.selectors import trail_for
from pallsoft.errors import InvalidInput, NotAllowedNow, PallsoftError
from sites.models import DataWish, Death, Erasure, Stop, StopKind, ToldBy
from sites.services import Withdrawal, record_death, record_withdrawal, undo_death
from tests.fixtures.leaving import *  # noqa: F403 - fixtures must stand in the module to be found

pytestmark = [pytest.mark.django_db, pytest.mark.req("AUD-06")]


@pytest.fixture
def left(subject, crc, died, today):
    kinds = frozenset({StopKind.CONSENT, StopKind.SAMPLES})
    said = Withdrawal(kinds=kinds, day=str(today), told_by=ToldBy.PARTICIPANT, data_wish=DataWish.ERASE)
    record_withdrawal(subject=subject, said=said, by=crc)
    return record_death(subject=subject, facts=died(today), by=crc)


def attempt(subject, sql, reason="angrep"):
    with change_set(study=subject.study, by=None, action="attack", reason=reason), connection.cursor() as cursor:
        cursor.execute(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM sites_death",
        "DELETE FROM sites_stop",
        "TRUNCATE sites_erasure CASCADE",
        "UPDATE sites_death SET day = '2020'",
        "UPDATE sites_stop SET day = '2020'",
        "UPDATE sites_stop SET kind = 'lost'",
        "UPDATE sites_erasure SET erased_at = now()",
        "UPDATE sites_erasure SET erased_by_id = first_confirmed_by_id",
        "UPDATE sites_contactattempt SET way = 'phone'",
        "INSERT INTO audit.erasing VALUES (audit.current_change_set())",
        "ALTER TABLE sites_death DISABLE TRIGGER ALL",
    ],
)
def test_the_login_may_not(left, subject, sql):
    with pytest.raises(Exception, match=r"permission denied|must be owner"), transaction.atomic():
        attempt(subject, sql)
    assert Death.objects.get().day == left.day


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE sites_death SET ended_in = gen_random_uuid()",
        "UPDATE sites_stop SET ended_in = gen_random_uuid()",
        "UPDATE sites_erasure SET declined_in = gen_random_uuid()",
        "UPDATE sites_sampletask SET due_on = due_on + 900",
    ],
)
def test_the_database_refuses(left, subject, sql):
    with pytest.raises(NotAllowedNow), transaction.atomic():
        attempt(subject, sql)


def test_what_is_ended_stays_ended(left, subject, crc):
    undo_death(death=left, by=crc, reason="feil pasient")
    with pytest.raises(NotAllowedNow), transaction.atomic():
        attempt(subject, "UPDATE sites_death SET ended_in = NULL")


def test_a_death_is_not_taken_back_without_a_reason_by_any_path(left, subject):
    with pytest.raises(InvalidInput), transaction.atomic():
        attempt(subject, "UPDATE sites_death SET ended_in = audit.current_change_set()", reason="")


def test_nothing_is_written_without_an_author(left):
    with pytest.raises(Exception, match="no change set"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE sites_stop SET ended_in = created_in")


def test_one_death_and_one_stop_of_a_kind_stand_at_a_time(left, subject, crc):
    for model, facts in ((Death, {"day": "2026", "cause": "other", "place": "home", "told_by": "record"}),
                         (Stop, {"kind": StopKind.SAMPLES, "day": "2026", "told_by": "record"})):  # fmt: skip
        act = change_set(study=subject.study, by=crc, action="attack")
        with pytest.raises(Exception, match="once"), transaction.atomic(), act:
            model.objects.create(study=subject.study, subject=subject, **facts)


def test_the_same_person_twice_is_refused_by_the_database_too(left, subject, coordinator):
    wish = Erasure.objects.get()
    with change_set(study=subject.study, by=coordinator, action="attack"), connection.cursor() as cursor:
        sql = "UPDATE sites_erasure SET first_confirmed_by_id = %s, first_confirmed_at = now()"
        cursor.execute(sql, [coordinator.pk])
    act = change_set(study=subject.study, by=coordinator, action="audit.erase", reason="x")
    with pytest.raises(PallsoftError), transaction.atomic(), act, connection.cursor() as cursor:
        cursor.execute("SELECT audit.erase_subject(%s)", [wish.pk])


@pytest.mark.req("AUD-01")
def test_each_step_stands_in_the_trail(left, subject, crc):
    undo_death(death=left, by=crc, reason="feil pasient")
    row = trail_for(table="sites_death", row_id=left.pk, item="ended_in")[0]
    assert (row.actor_name, row.reason, row.action) == (crc.full_name, "feil pasient", "sites.undo_death")
