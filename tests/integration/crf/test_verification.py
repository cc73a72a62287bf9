"""Source data verification: what you see is what you verify; the plan; what changed since is told."""

import uuid
from datetime import timedelta

import pytest
from django.urls import reverse

from crf.answers import SubjectAnswers
from crf.models import FormData, MonitoringVisit, Verification
from crf.selectors.monitoring import looked_at, seen_of
from crf.selectors.plan import progress_of
from crf.selectors.seen import answer_of, item_digest
from crf.selectors.verification import EVERYTHING, PLANNED, TO_DO, verification_page
from crf.services import (
    Seen,
    WrittenMeanwhile,
    drop_verification,
    log_monitoring_visit,
    update_monitoring_visit,
    verify_items,
    void_form,
)
from crf.waiting_to_check import to_verify_again
from pallsoft.errors import Conflict, InvalidInput, NotAllowedNow, NotPermitted
from sites.clock import local_today
from sites.models import Role, Sex
from sites.selectors import definition_at
from sites.services import correct_subject
from tests.fixtures.threads import in_threads

pytestmark = pytest.mark.django_db


@pytest.fixture
def base(save, row):
    save("START", "BASE", {"BASE_WEIGHT": "70", "BASE_HEIGHT": "175", "BASE_ORGAN": "GUT"})
    return row("START", "BASE")


@pytest.fixture
def verify(subject, monitor):
    """verify(form, "BASE_WEIGHT"): as it stands now, unless `seen` says what was shown."""

    def act(form, *items, by=None, **more):
        marks = [Seen(form.pk, oid, item_digest(form, oid, answer_of(form, oid))) for oid in items]
        return verify_items(subject=subject, marks=marks, by=by or monitor, **more)

    return act


@pytest.fixture
def page(subject, monitor):
    def show(which=EVERYTHING, user=None):
        return verification_page(SubjectAnswers(subject, definition_at(subject.site)), user or monitor, which)

    return show


def line(page, label):
    return next(line for line in page.lines if line.label == label)


@pytest.mark.req("DAT-13")
def test_many_items_are_verified_at_once_with_the_source_of_the_definition(base, verify, monitor):
    assert verify(base, "BASE_WEIGHT", "BASE_HEIGHT").count == 2
    marks = Verification.objects.order_by("item_oid")
    assert [(mark.item_oid, mark.source_type, mark.verified_by) for mark in marks] == [
        ("BASE_HEIGHT", "record", monitor),
        ("BASE_WEIGHT", "record", monitor),
    ]
    assert verify(base, "BASE_WEIGHT").count == 0, "a double click verifies nothing twice"


@pytest.mark.req("DAT-13")
def test_what_changed_since_the_page_was_shown_is_refused_with_the_difference(base, verify, save, row, crc):
    save("START", "BASE", {"BASE_WEIGHT": "71"}, reason="Feilskrevet")
    result = verify(base, "BASE_WEIGHT", "BASE_HEIGHT")
    assert result.count == 1
    changed = result.changed[0]
    assert (changed.seen, changed.now, changed.by) == ("70 kg", "71 kg", crc.full_name)
    assert Verification.objects.get().item_oid == "BASE_HEIGHT"


def test_only_a_monitor_of_the_site_verifies(base, verify, crc, data_manager, make_user, tromso):
    for user in (crc, data_manager, make_user("cra2", "Bjørg Å", Role.MONITOR, tromso)):
        with pytest.raises(NotPermitted):
            verify(base, "BASE_WEIGHT", by=user)


def test_nothing_unknown_and_nothing_computed_is_verified(base, verify, subject, monitor, enrol, bodo, save):
    other = enrol(bodo, birth_year=1951)
    save("START", "BASE", {"BASE_WEIGHT": "80"}, of=other)
    theirs = FormData.objects.get(subject=other)
    for form, item in [(base, "BASE_BMI"), (base, "NO_SUCH"), (theirs, "BASE_WEIGHT")]:
        with pytest.raises(InvalidInput):
            verify(form, item)
    with pytest.raises(InvalidInput):
        verify_items(subject=subject, marks=[], by=monitor)
    with pytest.raises(InvalidInput):
        verify_items(subject=subject, marks=[Seen(base.pk, "BASE_WEIGHT", "x", "hearsay")], by=monitor)
    assert not Verification.objects.exists()


@pytest.mark.req("DAT-13")
def test_pc076_a_change_by_the_nurse_drops_the_mark_and_tells_the_monitor(base, verify, save, page, subject, monitor):
    verify(base, "BASE_WEIGHT")
    assert line(page(), "Vekt").mark
    save("START", "BASE", {"BASE_WEIGHT": "72"}, reason="Veid på nytt")
    told = line(page(TO_DO), "Vekt")
    assert (told.mark, told.before, told.changed_by, told.value) == (None, "70 kg", "Åse Nordgård", "72 kg")
    items = list(to_verify_again(monitor, subject.study))
    assert [item.url for item in items] == [reverse("subject-verification", args=[subject.study.oid, subject.number])]


@pytest.mark.req("DAT-13")
def test_pc076_a_recalculation_drops_the_mark_too(save, row, verify, page, subject, crc):
    save("START", "SCORE", {"SCORE_PAIN": "6", "SCORE_VAGINAL": "2"})
    verify(row("START", "SCORE"), "SCORE_PAIN", "SCORE_VAGINAL")
    correct_subject(
        subject=subject, birth_year=1949, sex=Sex.MALE, adult_at_consent=None, by=crc, reason="Feil i journalen"
    )
    assert row("START", "SCORE").missing_codes == {"SCORE_VAGINAL": "NA"}
    told = line(page(TO_DO), "Underlivsplager")
    assert (told.before, told.changed_by) == ("2", crc.full_name)
    assert line(page(), "Smerte").mark


def test_a_verified_missing_code_is_told_in_words_when_an_answer_replaces_it(save, row, verify, page):
    save("WK2", "SCORE", {"SCORE_PAIN": "4"}, missing={"SCORE_VAGINAL": "REF"})
    form = row("WK2", "SCORE")
    verify(form, "SCORE_VAGINAL")
    save("WK2", "SCORE", {"SCORE_VAGINAL": "3"}, reason="Svarte likevel")
    assert line(page(TO_DO), "Underlivsplager").before == "Ville ikke svare"


def test_a_mark_set_again_is_no_longer_told_as_changed(base, verify, save, row, subject, monitor):
    verify(base, "BASE_WEIGHT")
    save("START", "BASE", {"BASE_WEIGHT": "72"}, reason="Veid på nytt")
    verify(row("START", "BASE"), "BASE_WEIGHT")
    assert list(to_verify_again(monitor, subject.study)) == []


def test_a_removed_form_is_told_and_needs_no_second_look(base, verify, page, crc, subject, monitor):
    verify(base, "BASE_WEIGHT")
    void_form(form=base, by=crc, reason="Feil deltaker")
    assert [(one.label, one.before) for one in page(TO_DO).removed] == [("Vekt", "70 kg")]
    assert list(to_verify_again(monitor, subject.study)) == []


def test_a_monitor_takes_a_mark_back_with_a_reason(base, verify, monitor, page, subject):
    verify(base, "BASE_WEIGHT")
    mark = Verification.objects.select_related("subject__site", "subject__study").get()
    with pytest.raises(InvalidInput):
        drop_verification(verification=mark, by=monitor, reason=" ")
    drop_verification(verification=mark, by=monitor, reason="Leste feil journal")
    with pytest.raises(NotAllowedNow):
        drop_verification(verification=mark, by=monitor, reason="Igjen")
    assert line(page(), "Vekt").before == ""
    assert list(to_verify_again(monitor, subject.study)) == []


def test_the_plan_counts_what_is_asked_for_and_what_is_done(base, verify, page, subject):
    before = page(PLANNED).progress
    assert line(page(PLANNED), "Vekt").planned
    verify(base, "BASE_WEIGHT")
    after = page(PLANNED).progress
    assert (after.required, after.verified) == (before.required, before.verified + 1)
    study = definition_at(subject.site)
    assert progress_of([subject], study)[subject.pk] == after


def test_an_emptied_item_leaves_the_plan_and_is_told_as_changed(base, verify, save, page, row):
    verify(base, "BASE_WEIGHT")
    save("START", "BASE", {"BASE_WEIGHT": ""}, reason="Hører til en annen")
    told = line(page(TO_DO), "Vekt")
    assert (told.planned, told.before, told.value) == (False, "70 kg", "Ikke besvart")
    verify(row("START", "BASE"), "BASE_WEIGHT")
    assert page(TO_DO).progress.changed == 0


def test_the_progress_of_many_subjects_needs_no_more_queries(subject, save, enrol, bodo, django_assert_max_num_queries):
    for who in (subject, enrol(bodo, birth_year=1951), enrol(bodo, birth_year=1953)):
        save("START", "BASE", {"BASE_WEIGHT": "70"}, of=who)
    study = definition_at(bodo)
    list(progress_of([subject], study))
    with django_assert_max_num_queries(4):
        progress_of(list(bodo.subjects.all()), study)


class TestPages:
    @pytest.fixture
    def url(self, subject):
        return reverse("subject-verification", args=[subject.study.oid, subject.number])

    def test_the_monitor_ticks_and_verifies(self, base, url, sign_in, monitor, subject, page):
        browser = sign_in(monitor, "nb")
        html = browser.get(url).content.decode()
        assert "70 kg" in html and "Pasientjournal" in html and "Åse Nordgård" in html
        one = line(page(), "Vekt")
        answer = browser.post(url, {f"seen-{one.name}": one.seen, f"source-{base.pk}": "other"}, follow=True)
        assert "1 svar er verifisert" in answer.content.decode()
        assert Verification.objects.get().source_type == "other"

    def test_a_stale_page_shows_the_difference_and_verifies_the_rest(self, base, url, sign_in, monitor, save, page):
        shown = page()
        save("START", "BASE", {"BASE_WEIGHT": "71"}, reason="Feilskrevet")
        ticks = {f"seen-{one.name}": one.seen for one in shown.lines}
        answer = sign_in(monitor, "nb").post(url, ticks)
        html = answer.content.decode()
        assert answer.status_code == 409 and "du så «70 kg», nå står det «71 kg»" in html
        assert Verification.objects.count() == len(ticks) - 1

    @pytest.mark.parametrize(
        "post", [{}, {"seen-rubbish": "x"}, {"seen-consent.x": "y"}, {"visit": "x", "seen-a.b": "c"}]
    )
    def test_a_post_that_names_nothing_is_answered_with_a_sentence(self, base, url, sign_in, monitor, post):
        assert sign_in(monitor).post(url, post).status_code == 422

    def test_the_consent_is_verified_as_a_whole(self, url, sign_in, monitor, page, subject):
        consent = next(page().lines)
        assert consent.planned
        sign_in(monitor).post(url, {f"seen-{consent.name}": consent.seen})
        assert Verification.objects.get().consent == subject.consents.get()

    def test_a_verified_item_carries_its_mark_on_the_form(self, base, verify, sign_in, crc, subject):
        verify(base, "BASE_WEIGHT")
        url = reverse("form", args=[subject.study.oid, subject.number, "START", 1, "BASE", "1"])
        assert "by Sølvi Hæstad" in sign_in(crc, "en").get(url).content.decode()

    def test_a_mark_is_taken_back_on_its_page(self, base, verify, sign_in, monitor, subject):
        verify(base, "BASE_WEIGHT")
        url = reverse("take-back", args=[subject.study.oid, subject.number, Verification.objects.get().pk])
        browser = sign_in(monitor, "en")
        assert "70 kg" in browser.get(url).content.decode()
        assert browser.post(url, {"reason": ""}).status_code == 422
        assert browser.post(url, {"reason": "Feil journal"}).status_code == 302
        assert Verification.objects.get().dropped_in

    def test_the_monitor_never_sees_contact_data(self, base, url, sign_in, monitor):
        html = sign_in(monitor).get(url).content.decode()
        assert "sykehus.example" not in html


class TestVisitLog:
    def test_a_visit_is_logged_once_and_lists_what_was_verified(self, base, verify, bodo, monitor, subject):
        key, today = uuid.uuid4(), local_today(bodo.timezone)
        visit = log_monitoring_visit(site=bodo, visited_on=today, key=key, by=monitor)
        assert log_monitoring_visit(site=bodo, visited_on=today, key=key, by=monitor) == visit
        verify(base, "BASE_WEIGHT", "BASE_HEIGHT", visit=visit)
        assert [(one.subject, one.items) for one in looked_at(visit)] == [(subject, 2)]

    def test_a_visit_of_another_site_takes_no_marks(self, base, verify, tromso, make_user):
        cra = make_user("cra2", "Bjørg Å", Role.MONITOR)
        visit = log_monitoring_visit(site=tromso, visited_on=local_today(tromso.timezone), key=uuid.uuid4(), by=cra)
        with pytest.raises(InvalidInput):
            verify(base, "BASE_WEIGHT", visit=visit)

    def test_days_to_come_are_refused_and_a_rewritten_finding_needs_a_reason(self, bodo, monitor):
        today = local_today(bodo.timezone)
        with pytest.raises(InvalidInput):
            log_monitoring_visit(site=bodo, visited_on=today + timedelta(days=1), key=uuid.uuid4(), by=monitor)
        visit = log_monitoring_visit(site=bodo, visited_on=today, key=uuid.uuid4(), by=monitor)
        facts = {"visited_on": today, "actions": "", "letter_sent_on": None, "by": monitor}
        visit = update_monitoring_visit(visit=visit, seen=seen_of(visit), findings="Samtykke mangler dato", **facts)
        facts |= {"visit": visit, "seen": seen_of(visit), "findings": "Alt i orden"}
        with pytest.raises(InvalidInput):
            update_monitoring_visit(**facts)
        update_monitoring_visit(**facts, reason="Dato funnet")
        assert MonitoringVisit.objects.get().findings == "Alt i orden"

    def test_the_log_is_written_on_its_pages(self, bodo, monitor, sign_in, study):
        browser, today = sign_in(monitor, "nb"), local_today(bodo.timezone)
        new = reverse("log-monitoring-visit", args=[study.oid])
        typed = {"key": uuid.uuid4(), "site": bodo.pk, "visited_on": f"{today:%d.%m.%Y}", "findings": "Ærlig talt: <b>"}
        answer = browser.post(new, typed)
        assert answer.status_code == 302
        html = browser.get(answer["Location"]).content.decode()
        assert "Ærlig talt: &lt;b&gt;" in html and "Ingenting er verifisert" in html
        edit = reverse("edit-monitoring-visit", args=[study.oid, MonitoringVisit.objects.get().pk])
        letter = {
            "visited_on": f"{today:%d.%m.%Y}",
            "findings": typed["findings"],
            "letter_sent_on": f"{today:%d.%m.%Y}",
            "seen": seen_of(MonitoringVisit.objects.get()),
        }
        assert browser.post(edit, letter).status_code == 302
        assert MonitoringVisit.objects.get().letter_sent_on == today
        overview = browser.get(reverse("verification", args=[study.oid])).content.decode()
        assert "Ærlig talt" in overview

    @pytest.fixture
    def logged(self, bodo, monitor):
        return log_monitoring_visit(
            site=bodo, visited_on=local_today(bodo.timezone), findings="Én avviksmelding", key=uuid.uuid4(), by=monitor
        )

    @pytest.fixture
    def colleague(self, make_user, bodo):
        return make_user("colleague", "Bjørg Å", Role.MONITOR, bodo)

    @pytest.mark.req("DAT-02")
    def test_what_another_monitor_wrote_meanwhile_is_not_overwritten(self, logged, monitor, colleague):
        facts = {"visit": logged, "visited_on": logged.visited_on, "letter_sent_on": None, "seen": seen_of(logged)}
        facts |= {"findings": logged.findings, "actions": ""}
        update_monitoring_visit(**facts | {"actions": "Ny opplæring"}, by=colleague)
        update_monitoring_visit(**facts | {"findings": "To avviksmeldinger"}, by=monitor, reason="Én til")
        logged.refresh_from_db()
        assert (logged.findings, logged.actions) == ("To avviksmeldinger", "Ny opplæring"), "each wrote in another part"
        with pytest.raises(WrittenMeanwhile):
            update_monitoring_visit(**facts | {"actions": "Ingen"}, by=monitor)
        logged.refresh_from_db()
        assert logged.actions == "Ny opplæring"

    @pytest.mark.req("DAT-02")
    def test_the_page_shows_both_texts_and_saves_what_is_made_of_them(self, logged, monitor, colleague, sign_in, study):
        edit, browser = reverse("edit-monitoring-visit", args=[study.oid, logged.pk]), sign_in(monitor, "nb")
        seen = seen_of(logged)
        update_monitoring_visit(
            visit=logged, visited_on=logged.visited_on, findings="Én melding", actions="Ny opplæring",
            letter_sent_on=None, seen=seen, by=colleague, reason="Rettet",
        )  # fmt: skip
        typed = {"visited_on": f"{logged.visited_on:%d.%m.%Y}", "findings": "To meldinger", "reason": "Én til"}
        answer = browser.post(edit, typed | {"actions": "", "seen": seen})
        html = answer.content.decode()
        assert answer.status_code == 422 and "To meldinger" in html and "Bjørg Å" in html and "«Én melding»" in html
        assert ">\nNy opplæring</textarea>" in html, "what only the other one wrote is there to stay"
        assert f'value="{logged.visited_on:%d.%m.%Y}"' in html
        now = seen_of(MonitoringVisit.objects.get())
        assert f'value="{now}"' in html and seen != now
        typed |= {"findings": "Én melding, og én til", "actions": "Ny opplæring", "seen": now}
        assert browser.post(edit, typed).status_code == 302
        assert MonitoringVisit.objects.get().findings == "Én melding, og én til"

    @pytest.mark.req("DAT-03")
    def test_one_key_is_one_visit_and_not_another_one(self, bodo, tromso, monitor, logged):
        body = {"site": bodo, "visited_on": logged.visited_on, "findings": logged.findings, "key": logged.request_key}
        assert log_monitoring_visit(**body, by=monitor) == logged
        with pytest.raises(Conflict):
            log_monitoring_visit(**body | {"findings": "Noe annet"}, by=monitor)

    @pytest.mark.req("DAT-03")
    @pytest.mark.django_db(transaction=True)
    def test_twenty_identical_posts_at_once_log_one_visit(self, bodo, monitor):
        facts = {"site": bodo, "visited_on": local_today(bodo.timezone), "key": uuid.uuid4(), "by": monitor}
        results = in_threads(*[lambda: log_monitoring_visit(**facts)] * 20)
        assert results == [MonitoringVisit.objects.get()] * 20
