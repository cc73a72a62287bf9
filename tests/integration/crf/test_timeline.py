"""The timeline of a subject: what is drawn is told in the table, by day 0 as it is; it tells no arm."""

import re
from datetime import UTC, date, datetime

import pytest
from django.urls import reverse

from crf import facts
from crf.answers import SubjectAnswers
from crf.selectors.matrix import matrix_of
from crf.selectors.timeline import timeline_of
from crf.services import mark_not_done, schedule_events
from sites.selectors import definition_at
from sites.services import record_death
from tests.fixtures.leaving import died  # noqa: F401 - a fixture must stand in the module to be found


@pytest.fixture
def randomized(monkeypatch, subject, crc):
    at = datetime(2026, 9, 3, 12, tzinfo=UTC)
    monkeypatch.setattr(facts, "_providers", [lambda subject: {"randomized_at": at, "arm": "A"}])
    schedule_events(subject=subject, by=crc)


@pytest.fixture
def shown(sign_in, subject, crc):
    """shown(): the timeline on the page of the subject, in English."""

    def read(by=None):
        url = reverse("subject", args=[subject.study.oid, subject.number])
        html = sign_in(by or crc, "en").get(url).content.decode()
        return html[html.index('id="timeline-title"') :] if "timeline-title" in html else ""

    return read


def rows(html):
    """[(date, day, what, how)] of the table."""
    cells = re.findall(r"<tr><td>(.*?)</td><td class=\"num\">(.*?)</td><th[^>]*>(.*?)</th><td><bdi>(.*?)</bdi>", html)
    return [tuple(cell.replace("\u00a0", " ") for cell in row) for row in cells]


def test_before_randomisation_it_begins_with_the_consent(shown):
    assert [row[1:3] for row in rows(shown())] == [("–", "Consent")]


def test_visits_stand_with_their_windows_and_days_from_day_0(shown, randomized):
    told = rows(shown())
    assert ("1 Sep 2026", "-9", "Consent", "") in told
    assert ("3 Sep 2026", "-7", "Randomised", "") in told
    assert ("21 Sep 2026–27 Sep 2026", "11", "Week 2", "Overdue") in told
    assert 'class="tl-band tl-overdue"' in shown()


def test_fractions_events_and_what_was_not_done_are_told(shown, randomized, save, visit, crc):
    save("TREAT", "DOSE", {"DOSE_ON": "2026-09-08", "DOSE_GY": "8"}, repeat_key="new")
    save("ALWAYS", "EVENTS", {"EVENTS_TERM": "Fall <b>hjemme</b>", "EVENTS_FROM": "2026-10"}, repeat_key="new")
    mark_not_done(event=visit("WK2"), by=crc, code="ILL")
    told = rows(shown())
    assert ("8 Sep 2026", "0", "Day 0", "") in told and ("8 Sep 2026", "0", "Fractions", "") in told
    assert ("1 Oct 2026–31 Oct 2026", "23", "Events", "Fall &lt;b&gt;hjemme&lt;/b&gt;") in told
    assert ("19 Sep 2026–25 Sep 2026", "11", "Week 2", "Not done: Too ill") in told
    assert shown().count('class="tl-mark"') == 2


def test_a_window_that_has_begun_is_drawn_to_its_end(subject, crc, randomized):
    answers = SubjectAnswers(subject, definition_at(subject.site))
    answers.today_at_site = date(2026, 11, 26)  # within the first of those that come again
    drawn = timeline_of(answers, matrix_of(answers, crc), crc).drawing
    assert all(float(band.x) + float(band.width) < drawn.right for band in drawn.bands)


@pytest.mark.req("ACC-03")
def test_fractions_are_not_shown_to_who_may_not_see_the_arm(shown, randomized, save, data_manager):
    save("TREAT", "DOSE", {"DOSE_ON": "2026-09-08", "DOSE_GY": "8"}, repeat_key="new")
    html = shown(data_manager)
    assert "Week 2" in html and "Fractions" not in html and "tl-mark" not in html


def test_the_line_ends_with_the_death(shown, randomized, died, subject, crc):  # noqa: F811
    record_death(subject=subject, facts=died("2026-09-20"), by=crc)
    assert ("20 Sep 2026", "10", "Dead", "") in rows(shown())
    assert "Not done: Dead" in shown()
