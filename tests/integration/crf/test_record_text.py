"""The text for the hospital record on the page of a visit."""

from datetime import UTC, date, datetime

import pytest
from django.urls import reverse

from crf import facts
from crf.services import mark_not_done, record_visit_date, schedule_events


@pytest.fixture
def week_2(monkeypatch, subject, crc, visit):
    """Of a subject randomised on 1 March 2026: day 0 is the 8th, week 4 is planned for 5 April."""
    at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    monkeypatch.setattr(facts, "_providers", [lambda subject: {"randomized_at": at}])
    schedule_events(subject=subject, by=crc)
    return visit("WK2")


@pytest.fixture
def page(sign_in, crc, subject):
    address = reverse("visit", args=[subject.study.oid, subject.number, "WK2", 1])
    return lambda who=crc: sign_in(who, "en").get(address).content.decode()


def test_it_names_visit_day_and_next_visit_but_neither_number_nor_answer(week_2, page, subject, crc):
    record_visit_date(event=week_2, happened_on=date(2026, 3, 22), by=crc)
    told = f"Week 2 of the research study {subject.study.oid} took place on 22 Mar 2026."
    assert told in page().replace("\xa0", " ")
    text = page().split('id="record-text"')[1].split("</textarea>")[0]
    assert "Next: Week 4, from" in text and subject.number not in text


def test_of_a_visit_that_was_not_done_it_gives_the_reason(week_2, page, crc):
    mark_not_done(event=week_2, by=crc, reason="for syk til å reise")
    assert "was not done: for syk til å reise." in page()


def test_of_a_visit_to_come_and_for_who_only_reads_there_is_none(week_2, page, crc, monitor):
    assert "record-text" not in page()
    record_visit_date(event=week_2, happened_on=date(2026, 3, 22), by=crc)
    assert "record-text" in page() and "record-text" not in page(monitor)
