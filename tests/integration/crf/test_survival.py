"""The survival check: many participants at once are found alive in the hospital record, and what that counts for."""

import re
from datetime import timedelta

import pytest
from django.db import ProgrammingError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from crf.answers import SubjectAnswers
from crf.exports.dataset import Scope
from crf.exports.extra import alive_in_record as alive_rows
from crf.selectors.contacts import last_known_alive
from crf.selectors.participation import page_of
from crf.selectors.survival import known_of
from crf.services import record_alive, take_back_alive
from pallsoft.audit.context import change_set
from pallsoft.audit.models import ChangeSet
from pallsoft.audit.selectors import trail_for
from pallsoft.errors import InvalidInput, NotAllowedNow, NotPermitted
from sites.models import AliveInRecord, StopKind, Subject, SubjectStatus, ToldBy
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


def alive_in_record(subject):
    return max(subject.alive_in_record.standing().exclude(day=None).values_list("day", flat=True), default=None)


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


def test_a_death_before_a_sign_of_life_contradicts_it(three, tick, died, crc, today):
    tick(three[:1], today)
    record_death(subject=three[0], facts=died(today - timedelta(days=2)), by=crc)
    page = page_of(SubjectAnswers(three[0], definition_at(three[0].site)), crc)
    assert page["after_death"] == [today]
    assert "I live ifølge journalen" in {step.words for step in page["steps"]}


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
        with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
            connection.cursor().execute(sql)
    assert AliveInRecord.objects.get() == seen


def test_a_wrong_tick_is_taken_back_with_a_reason_and_the_day_counts_no_more(three, tick, today, crc):
    before = alive(three[0])
    tick(three[:2], today)
    seen = three[0].alive_in_record.get()
    with pytest.raises(InvalidInput):
        take_back_alive(alive=seen, by=crc, reason=" ")
    take_back_alive(alive=seen, by=crc, reason="Det var Åse i rommet ved siden av")
    assert [alive(subject) for subject in three[:2]] == [before, today]
    page = page_of(SubjectAnswers(three[0], definition_at(three[0].site)), crc)
    assert "Det var Åse i rommet ved siden av" in {step.note for step in page["steps"]}
    assert not any(step.alive for step in page["steps"])  # nothing is left to take back
    row = trail_for(table="sites_aliveinrecord", row_id=seen.pk, item="ended_in")[0]
    assert (row.actor_name, row.action) == (crc.full_name, "crf.take_back_alive")
    with pytest.raises(NotAllowedNow):
        take_back_alive(alive=seen, by=crc, reason="en gang til")


def test_after_a_tick_was_taken_back_the_same_day_can_be_ticked_again(three, tick, today, crc):
    (seen,) = tick(three[:1], today)
    take_back_alive(alive=seen, by=crc, reason="Feil pasient")
    (again,) = tick(three[:1], today)
    _name, _header, rows = alive_rows(seen.study, Scope(sites=(seen.subject.site.code,), with_arm=False))
    assert alive(three[0]) == today and [tuple(row) for row in rows] == [(three[0].number, today)]
    assert AliveInRecord.objects.standing().get() == again


def test_only_who_enters_data_at_the_site_takes_a_tick_back(three, tick, today, monitor):
    (seen,) = tick(three[:1], today)
    with pytest.raises(NotPermitted):
        take_back_alive(alive=seen, by=monitor, reason="Feil pasient")
    assert AliveInRecord.objects.standing().get() == seen


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


@pytest.fixture
def randomized(three):
    """The same three, as if randomised: only they are looked up."""
    with change_set(study=three[0].study, by=None, action="test.randomise", reason="randomised"):
        Subject.objects.update(status=SubjectStatus.RANDOMIZED)
    return three


@pytest.fixture
def page(sign_in, crc):
    return sign_in(crc, "en")


@pytest.fixture
def url(study, bodo):
    return f"{reverse('survival-check', args=[study.oid])}?site={bodo.code}"


def typed(day, *subjects):
    return {"day": f"{day:%d.%m.%Y}"} | {f"seen-{subject.number}": "on" for subject in subjects}


def test_the_nurse_ticks_many_and_saves_once(page, url, randomized, today):
    html = page.get(url).content.decode()
    assert f'value="{today:%d.%m.%Y}"' in html
    for subject in randomized:
        assert f'name="seen-{subject.number}"' in html
        assert reverse("record-death", args=[subject.study.oid, subject.number]) in html
    answer = page.post(url, typed(today, *randomized[:2]), follow=True)
    assert "2 participants are recorded as alive" in answer.content.decode()
    assert [alive_in_record(subject) for subject in randomized] == [today, today, None]


def test_who_cannot_be_ticked_is_told_at_the_line_and_the_ticks_stay(page, url, randomized, tick, today):
    tick(randomized[:1], today)
    answer = page.post(url, typed(today - timedelta(days=1), *randomized))
    html = answer.content.decode()
    number = randomized[0].number
    assert answer.status_code == 422 and f'<a href="#id_seen-{number}">{number}</a>: Known to be alive' in html
    assert f'id="err_seen-{number}"' in html and html.count(" checked") == 3
    assert AliveInRecord.objects.count() == 1


def test_one_who_died_since_the_page_was_opened_is_not_passed_over(page, url, randomized, died, crc, today):
    record_death(subject=randomized[0], facts=died(today), by=crc)
    answer = page.post(url, typed(today, *randomized))
    assert answer.status_code == 422 and "A death is recorded" in answer.content.decode()
    assert not AliveInRecord.objects.exists()


@pytest.mark.parametrize("wrong", [{"day": "31.02.2026"}, {"day": ""}])
def test_without_a_day_nothing_is_saved(page, url, randomized, today, wrong):
    answer = page.post(url, typed(today, *randomized) | wrong)
    assert answer.status_code == 422 and answer.content.decode().count("data-error-summary") == 1
    assert not AliveInRecord.objects.exists()


def test_without_a_tick_it_says_so(page, url, randomized, today):
    assert "Tick at least one participant" in page.post(url, typed(today)).content.decode()


def test_the_dead_who_said_no_and_those_in_screening_are_not_looked_up(
    page, url, randomized, enrol, bodo, died, crc, today
):
    record_death(subject=randomized[0], facts=died(today), by=crc)
    leave(randomized[1], crc, today, StopKind.REGISTERS)
    leave(randomized[2], crc, today, StopKind.VISITS)
    enrol(bodo, birth_year=1960)
    html = page.get(url).content.decode()
    assert re.findall(r'name="seen-([^"]+)"', html) == [randomized[2].number]


@pytest.mark.req("ACC-02")
def test_another_site_is_not_found(sign_in, outsider, url):
    assert sign_in(outsider).get(url).status_code == 404


def test_when_survival_is_due_the_worklist_says_how_many_until_they_are_looked_up(
    page, url, randomized, plan, tick, today
):
    def waits():
        return "survival is due for" in page.get(reverse("worklist")).content.decode()

    plan(randomized[0], SURV=4)
    assert not waits()  # the window opens tomorrow
    plan(randomized[1], SURV=2)
    assert waits()
    html = page.get(url).content.decode()
    assert re.findall(r'name="seen-([^"]+)"', html)[0] == randomized[1].number and html.count("Survival due") == 1
    tick([randomized[1]], today - timedelta(days=2))
    assert waits()  # seen before the window began
    tick([randomized[1]], today)
    assert not waits()


def test_the_page_of_many_asks_the_same_number_of_questions(enrol, bodo, page, url, tick, plan, today, randomized):
    def asked():
        with CaptureQueriesContext(connection) as queries:
            assert page.get(url).status_code == 200
        return len(queries)

    page.get(url)
    tick(randomized, today)
    few = asked()
    more = [enrol(bodo, birth_year=1950 + n) for n in range(8)]
    for subject in more:
        plan(subject, SURV=0)
    with change_set(study=bodo.study, by=None, action="test.randomise", reason="randomised"):
        Subject.objects.update(status=SubjectStatus.RANDOMIZED)
    tick(more, today)
    assert asked() == few


def test_signs_of_life_are_exported(three, tick, study, bodo, today):
    tick(three[:1], today)
    name, header, rows = alive_rows(study, Scope(sites=(bodo.code,), with_arm=False))
    assert (name, header, list(rows)) == ("ALIVE_IN_RECORD.csv", ["SUBJECT", "ALIVE_ON"], [(three[0].number, today)])
