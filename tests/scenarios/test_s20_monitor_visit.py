"""S20: a monitor in Bodø for a day; the nurse changes a verified value the day after."""

import uuid

import pytest
from django.urls import reverse

from crf.answers import SubjectAnswers
from crf.models import MonitoringVisit, Verification
from crf.selectors.monitoring import looked_at, seen_of
from crf.selectors.verification import EVERYTHING, TO_DO, verification_page
from crf.services import Seen, log_monitoring_visit, save_form, update_monitoring_visit, verify_items
from pallsoft.errors import NotPermitted
from sites.clock import local_today
from sites.selectors import definition_at
from sites.worklist import work_items
from tests.fixtures.by_hand import enter, scores, screening_answers

pytestmark = pytest.mark.django_db


@pytest.fixture
def day(bodo):
    return local_today(bodo.timezone)


@pytest.fixture
def screened(subject, crc, day):
    """BOD-001, screened: the NRS on paper, the quality of life on the patient's tablet."""
    rows = {oid: enter(subject, crc, "SCREEN", oid, values) for oid, values in screening_answers(day).items()}
    rows["NRS"] = enter(subject, crc, "SCREEN", "NRS", scores(day, mode="PAPER"), reason="Utfylt på papir")
    return rows


@pytest.fixture
def page(subject, monitor):
    return lambda show=TO_DO: verification_page(SubjectAnswers(subject, definition_at(subject.site)), monitor, show)


def seen(lines):
    marks = []
    for line in lines:
        row, _dot, item = line.name.rpartition(".")
        marks.append(Seen(uuid.UUID(item if row == "consent" else row), "" if row == "consent" else item, line.seen))
    return marks


def test_the_page_lists_what_the_plan_asks_with_its_source(screened, page):
    asked = {block.title: block for block in page().blocks}
    assert asked["Samtykke"].lines[0].source == "Samtykkeskjema"
    assert len(asked["Inklusjon og eksklusjon"].lines) >= 15, "all that is answered of eligibility"
    nrs = asked["Symptomer (NRS 0–10)"]
    assert {line.source for line in nrs.lines} == {"Papirskjema"}
    assert any("smertene" in line.label and line.value == "6" for line in nrs.lines), "the primary NRS"


def test_where_the_patients_own_tablet_is_the_source_there_is_nothing_to_verify(screened, page):
    titles = [block.title for block in page().blocks]
    assert "QLQ-C30" not in titles
    shown = next(block for block in page(EVERYTHING).blocks if block.title == "QLQ-C30")
    assert shown.electronic and shown.lines == []


def test_about_one_in_five_of_the_rest_is_drawn(screened, page):
    always = ("Samtykke", "Inklusjon", "Symptomer")
    blocks = [block for block in page(EVERYTHING).blocks if not block.title.startswith(always)]
    lines = [line for block in blocks for line in block.lines]
    assert 0 < sum(line.planned for line in lines) < len(lines) / 2


def test_a_day_in_bodo_and_the_day_after(screened, page, subject, monitor, crc, bodo, day, sign_in):
    visit = log_monitoring_visit(site=bodo, visited_on=day, key=uuid.uuid4(), by=monitor)
    lines = list(page().lines)
    assert verify_items(subject=subject, marks=seen(lines), visit=visit, by=monitor).count == len(lines)
    assert page().blocks == [] and page().progress.missing == 0
    assert [(one.subject, one.items) for one in looked_at(visit)] == [(subject, len(lines))]
    update_monitoring_visit(
        visit=visit, visited_on=day, findings="Samtykket er datert", actions="Ingen", letter_sent_on=day,
        seen=seen_of(visit), by=monitor,
    )  # fmt: skip
    assert MonitoringVisit.objects.get().letter_sent_on == day

    enter(subject, crc, "SCREEN", "NRS", {"NRS_PAIN": "7"}, reason="Lest feil av papiret")
    assert [(line.before, line.value) for line in page().lines] == [("6", "7")]
    assert any("er endret siden" in item.sentence for item in work_items(monitor, subject.study))
    assert Verification.objects.filter(dropped_in=None).count() == len(lines) - 1
    html = sign_in(monitor, "nb").get(reverse("subject-verification", args=[subject.study.oid, subject.number]))
    assert "Verifisert som «6»" in html.content.decode()


def test_the_monitor_changes_nothing_and_sees_no_contact_data(screened, subject, monitor, sign_in):
    form = screened["TS"]
    with pytest.raises(NotPermitted):
        save_form(
            event=form.event, form_oid="TS", values={"TS_TARGET": "BLEED"}, seen_version=1, key=uuid.uuid4(),
            by=monitor, reason="x",
        )  # fmt: skip
    page = sign_in(monitor).get(reverse("subject-verification", args=[subject.study.oid, subject.number]))
    assert b'TS_TARGET" value="PAIN' not in page.content and b"@" not in page.content
