"""The subject's page and a visit's page: what is due, what is done, and what only some may see."""

import re
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from crf import facts
from crf.models import StudyEvent
from crf.services import schedule_events
from sites.clock import local_today
from sites.models import StopKind, ToldBy
from sites.services import Withdrawal, record_withdrawal


@pytest.fixture
def url(subject):
    return reverse("subject", args=[subject.study.oid, subject.number])


@pytest.fixture
def visit_url(subject):
    return lambda oid, ordinal=1: reverse("visit", args=[subject.study.oid, subject.number, oid, ordinal])


@pytest.fixture
def page(sign_in, crc):
    return sign_in(crc, "en")


@pytest.fixture
def randomized(monkeypatch, subject, crc):
    at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    monkeypatch.setattr(facts, "_providers", [lambda subject: {"randomized_at": at, "arm": "A"}])
    schedule_events(subject=subject, by=crc)


def test_looking_creates_nothing(page, url):
    assert page.get(url).status_code == 200
    assert not StudyEvent.objects.exists()


def test_the_matrix_has_a_chip_with_a_link_for_each_form_of_each_visit(page, url, save):
    save("START", "FIT", {"FIT_ADULT": "Y", "FIT_PREGNANT": "N"})
    save("START", "BASE", {"BASE_WEIGHT": "70"})
    html = page.get(url).content.decode()
    assert re.search(
        r'chip-complete" href="[^"]*START-1/forms/FIT/1/" aria-label="Eligibility, Screening: Complete"', html
    )
    assert re.search(r'chip-in-progress" href="[^"]*START-1/forms/BASE/1/"', html)
    assert re.search(r'chip-planned" href="[^"]*WK2-1/forms/SCORE/1/"', html)


def test_windows_and_what_is_overdue_stand_in_the_matrix(page, url, randomized):
    html = page.get(url).content.decode()
    assert "22\u00a0Mar\u00a02026" in html and "19.3.–25.3." in html and "provisional" in html
    assert re.search(r'chip-overdue" href="[^"]*WK2-1/forms/SCORE/1/"', html)


def test_a_visit_that_was_not_done_is_not_overdue(page, url, visit_url, randomized):
    answer = page.post(visit_url("WK2"), {"act": "not-done", "reason": "too ill"}, follow=True)
    assert "Not done: too ill" in answer.content.decode()
    assert not re.search(r'chip-overdue" href="[^"]*WK2-1', page.get(url).content.decode())


def test_moving_day_0_flags_what_is_done_anew_and_does_not_move_it(page, visit_url, save, randomized):
    """Done on day 14 of the presumed plan; the real day 0 came a fortnight later (S10)."""
    page.post(visit_url("WK2"), {"act": "date", "happened_on": "22.3.26"})
    html = page.get(visit_url("WK2")).content.decode()
    assert "day 14" in html and "within the window" in html and "Day 0 has moved" not in html
    save("TREAT", "DOSE", {"DOSE_ON": "2026-03-22", "DOSE_GY": "8"}, repeat_key="new")
    html = page.get(visit_url("WK2")).content.decode()
    assert "22\u00a0Mar\u00a02026 · day 0 · before the window" in html
    assert "Day 0 has moved since; the window was 19\u00a0Mar\u00a02026 to 25\u00a0Mar\u00a02026 then." in html
    done = StudyEvent.objects.get(event_oid="WK2")
    assert [str(day) for day in (done.happened_on, done.target_on)] == ["2026-03-22", "2026-03-22"]
    assert str(StudyEvent.objects.get(event_oid="WK4").target_on) == "2026-04-19"


def test_one_click_on_a_reason_marks_a_visit_that_waits_and_says_so(page, url, visit_url, randomized):
    html = page.get(url).content.decode()
    waiting = html[html.index("To do now") : html.index("Visits and forms")]
    assert f'action="{visit_url("WK2")}"' in waiting and 'name="code" value="ILL">Too ill</button>' in waiting
    html = page.post(visit_url("WK2"), {"act": "not-done", "code": "ILL", "from": "subject"}, follow=True)
    assert html.redirect_chain == [(url, 302)]
    html = html.content.decode()
    assert "Week 2 is marked as not done: Too ill" in html
    assert f'action="{visit_url("WK2")}"' not in html


def test_a_reason_is_read_in_the_language_of_the_reader(page, sign_in, crc, visit_url):
    page.post(visit_url("WK2"), {"act": "not-done", "code": "ILL"})
    assert "Not done: Too ill" in page.get(visit_url("WK2")).content.decode()
    assert "Ikke gjennomført: For syk" in sign_in(crc, "nb").get(visit_url("WK2")).content.decode()


def test_who_enters_no_data_is_offered_no_reasons(sign_in, monitor, url, visit_url, randomized):
    browser = sign_in(monitor, "en")
    assert 'name="code"' not in browser.get(url).content.decode() + browser.get(visit_url("WK2")).content.decode()


@pytest.mark.req("ACC-03")
def test_only_who_may_see_the_arm_sees_it_or_what_betrays_it(page, url, sign_in, data_manager, save, randomized):
    save("TREAT", "DOSE", {"DOSE_ON": "2026-03-08", "DOSE_GY": "8"}, repeat_key="new")
    html = page.get(url).content.decode()
    assert "Arm A" in html and "Fraction" in html
    html = sign_in(data_manager).get(url).content.decode()
    assert "Arm A" not in html and "Fraction" not in html and "Fraksjon" not in html


@pytest.mark.req("ACC-02")
def test_another_sites_subject_is_not_found(sign_in, outsider, url, visit_url):
    browser = sign_in(outsider)
    assert browser.get(url).status_code == 404
    assert browser.get(visit_url("WK2")).status_code == 404
    assert browser.post(visit_url("WK2"), {"act": "not-done", "reason": "x"}).status_code == 404


def test_the_strip_leads_to_the_neighbours(page, enrol, bodo, url, subject):
    other = enrol(bodo, birth_year=1960)
    html = page.get(url).content.decode()
    assert reverse("subject", args=[subject.study.oid, other.number]) in html


def test_facts_of_the_definition_stand_on_the_strip(page, url, save):
    save("START", "BASE", {"BASE_ORGAN": "GUT", "BASE_PLANNED": "2026-09-10"})
    html = page.get(url).content.decode()
    assert "<dt>Primary site</dt><dd>Bowel</dd>" in html and "10.09.2026" in html


def test_repeats_are_listed_and_one_can_be_added(page, save, subject):
    save("ALWAYS", "EVENTS", {"EVENTS_TERM": "fall <i>hard</i>"}, repeat_key="new")
    url = reverse("form-list", args=[subject.study.oid, subject.number, "ALWAYS", 1, "EVENTS"])
    html = page.get(url).content.decode()
    assert "fall &lt;i&gt;hard" in html and "/forms/EVENTS/new/" in html
    assert (
        page.get(reverse("form-list", args=[subject.study.oid, subject.number, "START", 1, "BASE"])).status_code == 404
    )


def test_a_visit_date_is_typed_and_corrected_with_a_reason(page, visit_url):
    assert page.post(visit_url("WK2"), {"act": "date", "happened_on": "1.9.26"}).status_code == 302
    answer = page.post(visit_url("WK2"), {"act": "date", "happened_on": "2.9.26"})
    assert answer.status_code == 422 and "Say why the date is changed." in answer.content.decode()
    page.post(visit_url("WK2"), {"act": "date", "happened_on": "2.9.26", "reason": "came on Wednesday"})
    assert str(StudyEvent.objects.get().happened_on) == "2026-09-02"


@pytest.mark.parametrize("typed", ["31.02.2026", "i går", "\x00", "", "01.01.2099"])
def test_an_impossible_visit_date_is_refused(page, visit_url, typed):
    assert page.post(visit_url("WK2"), {"act": "date", "happened_on": typed}).status_code == 422
    assert not StudyEvent.objects.exists()


def test_an_unknown_act_is_refused(page, visit_url):
    assert page.post(visit_url("WK2"), {"act": "burn"}).status_code == 422


def test_a_reader_has_no_buttons(sign_in, monitor, visit_url):
    browser = sign_in(monitor)
    assert 'name="act"' not in browser.get(visit_url("WK2")).content.decode()
    assert browser.post(visit_url("WK2"), {"act": "not-done", "reason": "x"}).status_code == 403


def test_the_page_says_first_what_is_to_be_entered(page, url, save, sign_in, monitor):
    html = page.get(url).content.decode()
    assert "To do now" in html and ">Screening: " in html and "and 2 more forms" in html
    save("START", "BASE", {"BASE_WEIGHT": "70"})
    assert re.search(r'START-1/forms/BASE/1/">Screening: [^<]*</a>', page.get(url).content.decode())
    assert "To do now" not in sign_in(monitor, "en").get(url).content.decode()


def test_what_is_overdue_and_the_visit_that_comes_next_stand_there(page, url, randomized, save):
    save("START", "SCORE", {"SCORE_PAIN": "5", "SCORE_VAGINAL": "0"})
    html = page.get(url).content.decode()
    assert re.search(r'WK2-1/forms/SCORE/1/">Week 2: [^<]*</a></span><span class="chip chip-overdue"', html)
    assert "Next visit" in html


def test_what_has_stopped_stands_on_the_page_of_the_subject(page, url, subject, crc):
    today = local_today(subject.site.timezone)
    said = Withdrawal(kinds=frozenset({StopKind.VISITS}), day=today.isoformat(), told_by=ToldBy.PARTICIPANT)
    record_withdrawal(subject=subject, said=said, by=crc)
    html = page.get(url).content.decode()
    assert f"<strong>Stopped: Visits and telephone contact</strong> from {today:%d.%m.%Y}" in html


def test_what_is_rarely_needed_is_behind_more(page, url, randomized, subject):
    subject.refresh_from_db()
    acts, more = page.get(url).content.decode().split('class="more-card"')
    assert "Participation</a>" in acts and "As it was</a>" in more and "As it was</a>" not in acts


def test_the_page_costs_the_same_with_many_forms(page, url, save, randomized):
    save("START", "FIT", {"FIT_ADULT": "Y", "FIT_PREGNANT": "N"})
    page.get(url)
    with CaptureQueriesContext(connection) as few:
        page.get(url)
    for week in ("WK2", "WK4"):
        save(week, "SCORE", {"SCORE_PAIN": "5", "SCORE_VAGINAL": "0"})
    for number in range(5):
        save("ALWAYS", "EVENTS", {"EVENTS_TERM": str(number)}, repeat_key="new")
    with CaptureQueriesContext(connection) as many:
        page.get(url)
    assert len(many) == len(few)
