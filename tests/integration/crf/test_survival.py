"""The survival check: many participants at once are found alive in the hospital record, and what that counts for."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crf.answers import SubjectAnswers
from crf.selectors.contacts import alive_in_record, last_known_alive
from crf.selectors.survival import known_of
from crf.services import record_alive
from pallsoft.audit.models import ChangeSet
from pallsoft.errors import InvalidInput, NotPermitted
from sites.models import AliveInRecord, StopKind, ToldBy
from sites.selectors import definition_at
from sites.services import Withdrawal, record_death, record_withdrawal
from tests.fixtures import definition  # noqa: F401 - PALLSOFT's own, not the small trial of this folder
from tests.fixtures.leaving import *  # noqa: F403 - fixtures must stand in the module to be found

pytestmark = pytest.mark.django_db


@pytest.fixture
def three(enrol, bodo):
    return [enrol(bodo, birth_year=1940 + n) for n in range(3)]


@pytest.fixture
def tick(bodo, crc):
    return lambda subjects, day, by=crc: record_alive(site=bodo, subjects=subjects, day=day, by=by)


def alive(subject):
    return last_known_alive(SubjectAnswers(subject, definition_at(subject.site)))


def leave(subject, crc, today, *kinds):
    said = Withdrawal(kinds=frozenset(kinds), day=str(today), told_by=ToldBy.PARTICIPANT)
    record_withdrawal(subject=subject, said=said, by=crc)


def test_many_are_alive_at_once_in_one_act_of_one_person(three, tick, today, crc):
    tick(three, today)
    assert [alive(subject) for subject in three] == [today] * 3
    assert {alive_in_record(subject) for subject in three} == {today}
    act = ChangeSet.objects.get(action="crf.record_alive")
    assert act.actor_id == crc.pk and set(AliveInRecord.objects.values_list("created_in", flat=True)) == {act.pk}


def test_twice_the_same_day_is_once(three, tick, today):
    tick(three[:1], today)
    assert [seen.subject for seen in tick(three, today)] == sorted(three[1:], key=lambda one: one.pk)
    assert AliveInRecord.objects.count() == 3


def test_the_latest_day_counts(three, tick, today):
    assert alive_in_record(three[0]) is None
    for days_ago in (6, 2):
        tick(three[:1], today - timedelta(days=days_ago))
    assert alive_in_record(three[0]) == alive(three[0]) == today - timedelta(days=2)


def test_one_who_died_holds_back_all_and_is_named(three, tick, died, crc, today):
    record_death(subject=three[1], facts=died(today - timedelta(days=1)), by=crc)
    with pytest.raises(InvalidInput) as refused:
        tick(three, today)
    assert list(refused.value.errors) == [three[1].number]
    assert f"{today - timedelta(days=1):%d.%m.%Y}" in refused.value.errors[three[1].number][0]
    assert not AliveInRecord.objects.exists()


def test_not_before_one_was_last_met_nor_before_the_consent_nor_ahead(three, tick, today):
    tick(three[:1], today)
    with pytest.raises(InvalidInput) as refused:
        tick(three, today - timedelta(days=1))
    assert list(refused.value.errors) == [three[0].number]
    signed = three[1].consents.get().signed_at.date()
    with pytest.raises(InvalidInput, match="samtykket"):
        tick(three[1:], signed - timedelta(days=1))
    with pytest.raises(InvalidInput) as ahead:
        tick(three[1:], today + timedelta(days=1))
    assert list(ahead.value.errors) == ["day"]
    assert AliveInRecord.objects.count() == 1


def test_who_said_no_to_reading_the_record_is_not_read_about(three, tick, crc, today):
    leave(three[0], crc, today, StopKind.VISITS)
    leave(three[1], crc, today, StopKind.REGISTERS)
    tick([three[0]], today)
    with pytest.raises(InvalidInput, match="journalen"):
        tick([three[1]], today)


def test_an_erased_subject_keeps_no_day_and_gets_none(three, tick, erase, today):
    tick(three, today)
    erase(three[0])
    assert AliveInRecord.objects.filter(day=None).count() == 1 and alive_in_record(three[0]) is None
    with pytest.raises(InvalidInput, match="slettet"):
        tick([three[0]], today)


@pytest.mark.req("ACC-01", "ACC-02")
def test_only_who_enters_data_at_the_site_and_of_its_own_participants(
    three, tick, enrol, tromso, monitor, outsider, today
):
    for who in (monitor, outsider):
        with pytest.raises(NotPermitted):
            tick(three, today, by=who)
    foreign = enrol(tromso, birth_year=1950, by=outsider)
    with pytest.raises(NotPermitted):
        tick([*three, foreign], today)
    assert not AliveInRecord.objects.exists()


def test_a_sign_of_life_is_neither_changed_nor_deleted(three, tick, today):
    (seen,) = tick(three[:1], today)
    for sql in ("UPDATE sites_aliveinrecord SET day = day - 1", "DELETE FROM sites_aliveinrecord"):
        with pytest.raises(Exception, match="permission denied"), connection.cursor() as cursor:
            cursor.execute("SAVEPOINT s")
            try:
                cursor.execute(sql)
            finally:
                cursor.execute("ROLLBACK TO SAVEPOINT s")
    assert AliveInRecord.objects.get() == seen


def test_what_is_known_of_five_and_of_twenty_takes_the_same_number_of_questions(enrol, bodo, tick, today, died, crc):
    definition_in_use = definition_at(bodo)

    def asked(subjects):
        with CaptureQueriesContext(connection) as queries:
            assert all(last_known_alive(answers) for answers in known_of(subjects, definition_in_use))
        return len(queries)

    many = [enrol(bodo, birth_year=1930 + n) for n in range(20)]
    tick(many, today)
    record_death(subject=many[0], facts=died(today), by=crc)
    assert asked(many[:5]) == asked(many)
