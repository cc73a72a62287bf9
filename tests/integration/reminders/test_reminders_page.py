"""The coordinator's page: what was sent, to which role, what failed, what comes next week; and the pause."""

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from crf.models import StudyEvent
from crf.reminders import owed
from crf.reminders.page import Board
from crf.reminders.planner import plan_reminders
from crf.services import mark_not_done
from pallsoft.audit.models import ChangeSet
from pallsoft.outbox.models import Message, State
from pallsoft.outbox.services import send_due
from sites.models import Role, Site
from sites.worklist import work_items
from tests.fixtures.leaving import *  # noqa: F403 - fixtures must stand in the module to be found
from tests.fixtures.reminding import *  # noqa: F403
from trials.models import Study

pytestmark = [pytest.mark.django_db, pytest.mark.req("OPS-04")]


@pytest.fixture
def url(study):
    return reverse("reminders", kwargs={"study_oid": study.oid})


@pytest.fixture
def page(sign_in, coordinator, url):
    def get(language="nb", **query):
        return sign_in(coordinator, language).get(url, query).content.decode()

    return get


@pytest.fixture
def late(subject, plan, reminding, investigator, pi, coordinator):
    send_due()
    mail.outbox.clear()
    return plan(subject, W4=-4)[0]


def dead_letter(error="SMTPRecipientsRefused"):
    row = Message.objects.filter(kind=owed.KIND).first()
    Message.objects.filter(pk=row.pk).update(state=State.DEAD, error=error, attempts=1)
    return row


def test_it_says_what_was_sent_to_which_role_and_when(late, page, subject, crc):
    plan_reminders()
    send_due()
    text = page()
    for words in (subject.number, "Uke 4", "Et besøk er forsinket", "Studiesykepleier", crc.full_name, "Sendt"):
        assert words in text
    assert "A visit is overdue" in page("en")


def test_what_is_no_longer_needed_is_said_too(late, page, crc):
    plan_reminders()
    mark_not_done(event=late, reason="Ville ikke komme", by=crc)
    send_due()
    assert page().count("Ikke lenger nødvendig") == 2


def test_what_left_after_its_working_day_is_marked_late(late, page, today):
    plan_reminders()
    send_due()
    assert "skulle gått" not in page()
    Message.objects.filter(kind=owed.KIND).update(due_at=timezone.now() - timezone.timedelta(days=14))
    assert page().count("skulle gått") == 2


def test_it_says_what_comes_in_the_next_seven_days_and_no_later(late, page, subject, plan, coordinator, study):
    plan(subject, W8=8, W12=20)
    board = Board(coordinator, study)
    told = [(line.visit, line.ordinal, line.roles) for _day, lines in board.to_come for line in lines]
    both = ["Utprøver", "Studiesykepleier"]
    assert sorted(told) == [("Uke 4", 1, both), ("Uke 4", 2, both), ("Uke 8", 1, ["Studiesykepleier"])]
    text = page()
    assert "Uke 8" in text and "Uke 12" not in text


def test_what_is_planned_stands_under_sent_and_no_longer_under_to_come(late, coordinator, study):
    plan_reminders()
    board = Board(coordinator, study)
    told = [line.ordinal for _day, lines in board.to_come for line in lines]
    assert (told, len(board.rows)) == ([2], 2)


def test_a_dead_letter_stands_there_with_what_to_do_and_on_the_worklist(late, page, coordinator, study, url):
    plan_reminders()
    assert "ble ikke levert" not in str(work_items(coordinator, study))
    dead_letter()
    text = page()
    assert "E-posttjeneren tar ikke imot e-post til denne adressen." in text
    assert "Be brukeradministratoren finne riktig adresse" in text
    item = next(item for item in work_items(coordinator, study) if item.url == url)
    assert item.sentence == "1 påminnelse ble ikke levert."


@pytest.mark.parametrize(
    "error, words", [("Bounced", "kom i retur"), ("Undeliverable", "har ingen adresse"), ("TimeoutError", "ti forsøk")]
)
def test_each_failure_has_its_words(late, page, error, words):
    plan_reminders()
    dead_letter(error)
    assert words in page()


def test_a_dead_letter_is_sent_again_by_a_click_and_the_click_is_kept(late, client, page, url, coordinator):
    plan_reminders()
    row = dead_letter()
    page()
    client.post(url, {"act": "again", "message": row.pk})
    send_due()
    row.refresh_from_db()
    assert row.state == State.SENT
    assert ChangeSet.objects.get(action="crf.send_reminder_again").actor_id == coordinator.pk


@pytest.mark.parametrize("number", ["0", "-1", "x", "9" * 30, ""])
def test_what_is_no_message_is_not_found(late, client, page, url, number):
    page()
    assert client.post(url, {"act": "again", "message": number}).status_code == 404


def test_one_click_pauses_the_study_and_one_lets_it_go_on(late, client, page, url):
    page()
    client.post(url, {"act": "pause"})
    assert Study.objects.get().reminders_paused
    assert "Alle påminnelser i studien er satt på pause" in page()
    client.post(url, {"act": "resume"})
    assert not Study.objects.get().reminders_paused


def test_one_click_pauses_a_site(late, client, page, url, bodo, tromso):
    page()
    client.post(url, {"act": "pause", "site": "BOD"})
    assert list(Site.objects.filter(reminders_paused=True)) == [bodo]
    assert ChangeSet.objects.get(action="sites.pause_reminders").site_id == bodo.pk
    assert client.post(url, {"act": "pause", "site": "NOS"}).status_code == 404


def test_a_visit_that_tells_the_arm_is_not_on_the_page(late, page, subject, plan):
    plan(subject, SF4W=-4)
    assert "andre fraksjon" not in page()
    plan_reminders()
    send_due()
    event = StudyEvent.objects.get(event_oid="SF4W")
    assert Message.objects.filter(event_id=event.pk, state=State.SENT).exists()
    dead_letter()
    assert "andre fraksjon" not in page()


def test_a_copy_of_the_system_says_that_nothing_leaves_it(late, page, settings):
    settings.SENDS_REMINDERS = False
    assert "Ingen påminnelser går ut fra dette systemet" in page()


def test_it_shows_the_rules_as_ours_and_in_words(late, page):
    text = page()
    assert "3 dager før planlagt dag" in text and "inntil 3 ganger, hver 7. dag" in text
    assert text.count('class="tag tag-default"') == 4


def test_an_empty_page_says_so(page, coordinator, bodo):
    text = page()
    assert "Ingenting er sendt ennå" in text and "Ingenting i vente" in text


def test_a_long_history_has_pages(late, page):
    plan_reminders()
    row = Message.objects.filter(kind=owed.KIND).first()
    for n in range(30):
        row.pk, row.ordinal, row.state, row.sent_at = None, n + 5, State.SENT, timezone.now()
        row.save()
    assert "1 til 25 av 32" in page() and "26 til 32 av 32" in page(page="2")


def test_the_number_of_queries_does_not_grow_with_the_reminders(
    late, page, subject, plan, make_user, bodo, django_assert_max_num_queries
):
    make_user("ny", "Ny Sykepleier", Role.STUDY_NURSE, bodo)
    plan(subject, W2=-10, W8=2, W12=3)
    plan_reminders()
    send_due()
    with django_assert_max_num_queries(40):
        page()
