"""Visits on the worklist, and forms that a lock has closed."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.urls import reverse

from crf import facts
from crf.models import FormData, Lock, LockKind
from crf.selectors.matrix import visit_url
from crf.services import mark_not_done, schedule_events
from crf.waiting import waiting, without_day_0
from crf.waiting_screening import in_screening
from pallsoft.audit.context import change_set
from pallsoft.errors import NotAllowedNow
from sites.models import Role, Site
from sites.services import assign_role, create_site


@pytest.fixture
def randomized_ago(monkeypatch, subject, crc):
    def randomize(days):
        at = datetime.now(UTC) - timedelta(days=days)
        monkeypatch.setattr(facts, "_providers", [lambda subject: {"randomized_at": at}])
        schedule_events(subject=subject, by=crc)

    return randomize


@pytest.fixture
def randomized(randomized_ago):
    """Twenty-one days ago, so that with the seven days of the setting day 0 was fourteen days ago: week 2 is today."""
    randomized_ago(21)


def sentences(user, study):
    return [(item.kind, item.url) for item in waiting(user, study)]


def test_due_and_overdue_visits_wait_for_who_enters_data(randomized, subject, crc, monitor, outsider):
    found = sentences(crc, subject.study)
    assert ("due", reverse("visit", args=[subject.study.oid, subject.number, "WK2", 1])) in found
    assert not any("WK4" in url for _kind, url in found)
    assert sentences(monitor, subject.study) == sentences(outsider, subject.study) == []


@pytest.mark.parametrize(("days_ago", "told"), [(23, True), (22, False)])
def test_a_visit_is_told_a_week_before_its_window_begins(randomized_ago, subject, crc, days_ago, told):
    """With day 0 seven days after randomisation the window of week 4 begins thirty days after it."""
    randomized_ago(days_ago)
    soon = [url for kind, url in sentences(crc, subject.study) if kind == "soon"]
    assert any("WK4" in url for url in soon) is told


@pytest.fixture
def long_questionnaire(monkeypatch):
    """One question takes a minute, so that few questions can tell."""
    monkeypatch.setattr("crf.selectors.effort.QUESTIONS_A_MINUTE", 1)


def test_the_minutes_are_those_of_the_required_forms_that_are_not_complete(
    long_questionnaire, randomized, subject, crc, save, visit
):
    """At week 2 the scores are asked for (three questions, one is computed), the weight is not required."""
    minutes = {item.url: item.minutes for item in waiting(crc, subject.study)}
    assert minutes[visit_url(visit("WK2"))] == 3


def test_a_visit_leaves_the_worklist_when_it_is_entered_or_not_done(randomized, subject, crc, save, visit):
    save("WK2", "SCORE", {"SCORE_PAIN": "5"})
    mark_not_done(event=visit("TREAT"), by=crc, reason="never started")
    assert sentences(crc, subject.study) == []


def test_a_site_without_a_version_in_use_hides_nothing_of_another(randomized, subject, crc, sign_in):
    study = subject.study
    new = create_site(study=study, code="NYS", name="Nytt sykehus", city="Hammerfest", by=None)
    assign_role(study=study, user=crc, role=Role.STUDY_NURSE, site=new, by=None)
    assert sentences(crc, study)
    assert subject.number in sign_in(crc).get("/").content.decode()


def test_due_is_told_by_the_date_at_the_site(randomized, subject, crc, monkeypatch):
    """Kiritimati is fourteen hours ahead of UTC: there the window of a visit begins on another day than in Oslo."""
    asked = []
    monkeypatch.setattr("crf.waiting.local_today", lambda zone: asked.append(zone) or date(2026, 1, 1))
    with change_set(study=subject.study, by=None, action="test", reason="flyttet"):
        Site.objects.filter(pk=subject.site_id).update(timezone="Pacific/Kiritimati")
    list(waiting(crc, subject.study))
    assert asked == ["Pacific/Kiritimati"]


def test_a_treatment_that_has_not_begun_is_told_on_worklist_and_page(randomized, subject, crc, monitor, sign_in):
    (found,) = without_day_0(crc, subject.study)
    assert (found.kind, found.url) == (
        "overdue",
        reverse("visit", args=[subject.study.oid, subject.number, "TREAT", 1]),
    )
    assert "21" in found.sentence and subject.number in found.sentence
    assert not list(without_day_0(monitor, subject.study))
    page = sign_in(crc, "en").get(reverse("subject", args=[subject.study.oid, subject.number])).content.decode()
    assert "<strong>Treatment has not started</strong>, 21 days after randomisation." in page
    assert "Treatment has not started, 21 days" in sign_in(crc, "en").get("/").content.decode()


def test_a_cancelled_treatment_is_said_and_waited_for_no_more(randomized, subject, crc, save, sign_in):
    save("START", "BASE", {"BASE_STARTS": "N"})
    assert not list(without_day_0(crc, subject.study))
    page = sign_in(crc, "en").get(reverse("subject", args=[subject.study.oid, subject.number])).content.decode()
    assert "<strong>Treatment is cancelled.</strong> All visits stay due." in page
    assert "provisional" not in page


@pytest.mark.req("DAT-15")
def test_a_locked_form_is_closed_on_its_page_and_refuses_a_post(save, visit, subject, sign_in, crc):
    save("START", "BASE", {"BASE_WEIGHT": "70"})
    with change_set(study=subject.study, by=None, action="test"):
        Lock.objects.create(study=subject.study, kind=LockKind.LOCK, subject=subject, form_oid="BASE")
    with pytest.raises(NotAllowedNow):
        save("START", "BASE", {"BASE_HEIGHT": "175"})
    url = reverse("form", args=[subject.study.oid, subject.number, "START", 1, "BASE", "1"])
    browser = sign_in(crc, "en")
    html = browser.get(url).content.decode()
    assert "The form is locked" in html and 'name="BASE_WEIGHT"' not in html
    answer = browser.post(url, {"BASE_HEIGHT": "175", "seen_version": "1"})
    assert answer.status_code == 409 and "175" in answer.content.decode()
    assert "BASE_HEIGHT" not in FormData.objects.get().data


@pytest.mark.req("DAT-15")
def test_a_lock_covers_a_form_that_is_not_there_yet(visit, save, subject):
    with change_set(study=subject.study, by=None, action="test"):
        Lock.objects.create(study=subject.study, kind=LockKind.FREEZE, site=subject.site)
    with pytest.raises(NotAllowedNow):
        save("WK2", "SCORE", {"SCORE_PAIN": "5"})


def test_a_subject_in_screening_is_told_with_its_next_form(subject, crc, monitor, save, study):
    def told(user=crc):
        return [(item.url, item.sentence) for item in in_screening(user, study)]

    ((url, sentence),) = told()
    assert url == reverse("form", args=[study.oid, subject.number, "START", 1, "BASE", "1"]) and "3" in sentence
    assert not told(monitor)
    save("START", "SCORE", {"SCORE_PAIN": "5", "SCORE_VAGINAL": "2"})
    assert "2" in told()[0][1]
