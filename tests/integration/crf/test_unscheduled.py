"""Visits that nobody planned: added on their day, numbered for good, in their place among the others (PC016)."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.urls import reverse

from crf import facts
from crf.models import Lock, LockKind, StudyEvent
from crf.services import add_unscheduled_visit, mark_not_done, record_visit_date, schedule_events
from pallsoft.audit.context import change_set
from pallsoft.audit.models import ChangeSet
from pallsoft.errors import InvalidInput, NotAllowedNow, NotPermitted
from sites.clock import local_today
from sites.models import SubjectStatus


@pytest.fixture
def randomized(monkeypatch, subject, crc):
    at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    monkeypatch.setattr(facts, "_providers", [lambda subject: {"randomized_at": at, "arm": "A"}])
    with change_set(study=subject.study, by=None, action="test", reason="test"):
        subject.status = SubjectStatus.RANDOMIZED
        subject.save(update_fields=["status"])
    schedule_events(subject=subject, by=crc)
    return subject


@pytest.fixture
def add(randomized, crc):
    def store(day, oid="EXTRA", by=None):
        return add_unscheduled_visit(subject=randomized, event_oid=oid, happened_on=day, by=by or crc)

    return store


@pytest.fixture
def url(subject):
    return reverse("add-visit", args=[subject.study.oid, subject.number])


def test_it_is_added_on_its_day_and_says_who_added_it(add, crc):
    event = add(date(2026, 4, 1))
    stored = StudyEvent.objects.get(pk=event.pk)
    assert (stored.event_oid, stored.ordinal, stored.happened_on) == ("EXTRA", 1, date(2026, 4, 1))
    assert ChangeSet.objects.get(pk=stored.created_in_id).actor_name == crc.full_name


def test_each_gets_the_next_number_and_keeps_it_whatever_happens_to_the_others(add, save, crc):
    first, second = add(date(2026, 4, 10)), add(date(2026, 4, 1))
    save("EXTRA", "SCORE", {"SCORE_PAIN": "5"}, ordinal=second.ordinal)
    record_visit_date(event=first, happened_on=date(2026, 3, 30), by=crc, reason="feil dag")
    mark_not_done(event=first, by=crc, reason="lagt inn ved en feil")
    third = add(date(2026, 4, 2))
    kept = {event.ordinal: event for event in StudyEvent.objects.filter(event_oid="EXTRA")}
    assert {number: event.pk for number, event in kept.items()} == {1: first.pk, 2: second.pk, 3: third.pk}
    assert kept[2].forms.get().data["SCORE_PAIN"] == "5"


def test_asked_twice_it_is_there_once_until_something_is_saved_at_it(add, save):
    day = date(2026, 4, 1)
    assert add(day).pk == add(day).pk
    save("EXTRA", "SCORE", {"SCORE_PAIN": "5"})
    assert add(day).ordinal == 2


@pytest.mark.parametrize("oid", ["WK2", "ALWAYS", "NOWHERE", "\x00"])
def test_a_visit_of_the_plan_cannot_be_added(add, oid):
    with pytest.raises(NotAllowedNow):
        add(date(2026, 4, 1), oid)


def test_neither_in_the_future_nor_before_randomisation_nor_where_all_is_locked(add, subject, crc):
    with pytest.raises(InvalidInput):
        add(local_today(subject.site.timezone) + timedelta(days=1))
    with change_set(study=subject.study, by=None, action="test", reason="test"):
        Lock.objects.create(study=subject.study, kind=LockKind.LOCK, subject=subject)
    with pytest.raises(NotAllowedNow):
        add(date(2026, 4, 1))


def test_before_randomisation_there_is_nothing_to_add_to(subject, crc):
    with pytest.raises(NotAllowedNow):
        add_unscheduled_visit(subject=subject, event_oid="EXTRA", happened_on=date(2026, 4, 1), by=crc)


@pytest.mark.req("ACC-01")
@pytest.mark.parametrize("who", ["outsider", "monitor", "data_manager"])
def test_only_the_site_adds_one(add, request, who):
    with pytest.raises(NotPermitted):
        add(date(2026, 4, 1), by=request.getfixturevalue(who))


def test_it_stands_in_its_place_among_the_visits_and_waits_for_nothing(add, sign_in, crc, subject):
    add(date(2026, 3, 25))
    html = sign_in(crc, "en").get(reverse("subject", args=[subject.study.oid, subject.number])).content.decode()
    heads = html[html.index("<thead>") : html.index("</thead>")]
    assert heads.index("Week 2<") < heads.index("Extra 1") < heads.index("Week 4")
    assert "Extra 1:" not in html[html.index("To do now") : html.index("<thead>")]


def test_the_page_adds_it_and_leads_to_its_forms(randomized, sign_in, crc, url, subject):
    page = sign_in(crc, "en")
    assert url in page.get(reverse("subject", args=[subject.study.oid, subject.number])).content.decode()
    refused = page.post(url, {"happened_on": "31.02.2026"})
    assert refused.status_code == 422 and 'value="31.02.2026"' in refused.content.decode()
    answer = page.post(url, {"happened_on": "1.4.26"}, follow=True)
    assert "<h1>Extra 1</h1>" in answer.content.decode()
    form = reverse("form", args=[subject.study.oid, subject.number, "EXTRA", 1, "SCORE", "1"])
    assert form in answer.content.decode() and page.get(form).status_code == 200


def test_one_that_was_never_added_has_no_page(randomized, sign_in, crc, subject):
    url = reverse("visit", args=[subject.study.oid, subject.number, "EXTRA", 1])
    assert sign_in(crc, "en").get(url).status_code == 404
