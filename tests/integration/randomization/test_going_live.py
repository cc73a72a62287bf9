"""A study goes live once: with no practice in it, never back, and with its list imported afterwards."""

from threading import Event, Thread

import pytest
from django.db import connection, transaction
from django.urls import reverse

from pallsoft.audit.context import change_set
from pallsoft.audit.models import ChangeSet
from pallsoft.errors import InvalidInput, NotAllowedNow, NotPermitted
from randomization.going_live import obstacles, warnings
from randomization.list_file import commitment
from randomization.models import Scheme
from randomization.services import import_list, make_live
from sites.models import Subject
from tests.fixtures.locks import somebody_waits_for_a_lock
from tools.testing import wait_for
from trials.models import Mode, Study

pytestmark = pytest.mark.django_db
commits = pytest.mark.django_db(transaction=True)


def mode():
    return Study.objects.get().mode


def test_an_empty_study_goes_live_by_the_coordinator_with_a_reason(study, coordinator):
    make_live(study=study, by=coordinator, reason="Første pasient ventes på mandag")
    act = ChangeSet.objects.get(action="randomization.make_live")
    assert (mode(), act.actor_id, act.reason) == (Mode.LIVE, coordinator.pk, "Første pasient ventes på mandag")
    with pytest.raises(NotAllowedNow, match="live already"):
        make_live(study=study, by=coordinator, reason="en gang til")


def test_without_a_reason_or_the_right_nothing_happens(study, coordinator, statistician):
    with pytest.raises(InvalidInput):
        make_live(study=study, by=coordinator, reason=" ")
    with pytest.raises(NotPermitted):
        make_live(study=study, by=statistician, reason="nå")
    assert mode() == Mode.TEST


def test_a_participant_of_practice_stands_in_the_way(study, subject, coordinator):
    with pytest.raises(NotAllowedNow, match="participants: 1, consents: 1"):
        make_live(study=study, by=coordinator, reason="nå")
    assert mode() == Mode.TEST


def test_a_list_of_practice_stands_in_the_way(study, list_file, statistician, coordinator):
    content = list_file()
    import_list(study=study, content=content, sha256=commitment(content), by=statistician)
    assert obstacles(study) == ["randomisation lists: 1"]
    with pytest.raises(NotAllowedNow):
        make_live(study=study, by=coordinator, reason="nå")


@pytest.mark.req("RND-05")
def test_afterwards_a_list_of_practice_is_refused_and_a_live_one_taken(study, list_file, statistician, coordinator):
    before = Study.objects.get()  # as somebody read it who was about to import
    make_live(study=study, by=coordinator, reason="nå")
    with pytest.raises(InvalidInput, match="A test list is for a test study"):
        import_list(study=before, content=list_file(), sha256=commitment(list_file()), by=statistician)
    content = list_file(mode="live")
    import_list(study=before, content=content, sha256=commitment(content), by=statistician)
    assert Scheme.objects.count() == 1


def test_the_database_lets_no_live_study_back(study, coordinator):
    make_live(study=study, by=coordinator, reason="nå")
    with (
        pytest.raises(NotAllowedNow) as refusal,
        transaction.atomic(),
        change_set(study=study, by=None, action="test.back", reason="angret"),
    ):
        Study.objects.update(mode=Mode.TEST)
    assert "never becomes a test again" in str(refusal.value.__cause__)
    assert mode() == Mode.LIVE


@commits
def test_who_is_being_enrolled_meanwhile_is_waited_for_and_seen(study, bodo, enrol, coordinator):
    """The enrolment is written and not committed yet when the study is to go live."""
    written, go_on = Event(), Event()

    def enrolling():
        try:
            with transaction.atomic():
                enrol(bodo)
                written.set()
                assert go_on.wait(60)
        finally:
            connection.close()

    nurse = Thread(target=enrolling)
    nurse.start()
    assert written.wait(60)
    refused = []

    def going_live():
        try:
            make_live(study=study, by=coordinator, reason="nå")
        except NotAllowedNow as refusal:
            refused.append(str(refusal))
        finally:
            connection.close()

    liver = Thread(target=going_live)
    liver.start()
    wait_for(somebody_waits_for_a_lock, 60, "Going live at the study's row")
    go_on.set()
    nurse.join(60)
    liver.join(60)
    assert len(refused) == 1 and mode() == Mode.TEST and Subject.objects.count() == 1


def test_it_says_what_will_be_missed(study, settings):
    settings.SECURITY_CONTACT = settings.DEFAULT_FROM_EMAIL
    said = " ".join(warnings(study))
    for words in ("No site is open", "PALLSOFT_SECURITY_CONTACT", "PALLSOFT_SENDS_REMINDERS"):
        assert words in said
    settings.SECURITY_CONTACT, settings.SENDS_REMINDERS = "sikkerhet@sykehus.example", True
    said = " ".join(warnings(study))
    assert "SECURITY_CONTACT" not in said and "leave from now on" in said


@pytest.fixture
def page(client, coordinator):
    client.force_login(coordinator)
    client.cookies["language"] = "en"
    return client


@pytest.fixture
def url(study):
    return reverse("going-live", args=[study.oid])


def test_the_page_takes_the_name_of_the_trial_and_a_reason(page, url, study):
    overview = reverse("sites", args=[study.oid])
    assert url in page.get(overview).content.decode()
    assert page.post(url, {"reason": "nå", "typed": "ANNET"}).status_code == 422
    assert mode() == Mode.TEST
    answer = page.post(url, {"reason": "nå", "typed": study.oid.lower()}, follow=True)
    assert "The trial is live" in answer.content.decode() and mode() == Mode.LIVE
    html = page.get(overview).content.decode()
    assert url not in html and "test-band" not in html
    assert 'name="typed"' not in page.get(url).content.decode()


def test_the_page_shows_what_stands_in_the_way_and_no_button(page, url, subject):
    html = page.get(url).content.decode()
    assert "participants: 1" in html and 'name="typed"' not in html
