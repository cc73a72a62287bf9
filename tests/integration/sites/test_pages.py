"""The pages of places and people, through the browser's requests."""

import uuid

import pytest
from django.urls import reverse

from pallsoft.accounts.models import User
from sites.clock import local_today
from sites.models import Assignment, Delegation, ScreeningEntry, ScreeningOutcome, Subject
from sites.services import create_site
from trials.models import Study

pytestmark = pytest.mark.django_db


def text(response):
    return response.content.decode().replace("\u00a0", " ")


@pytest.fixture
def url(study):
    return lambda name, *args: reverse(name, args=[study.oid, *args])


def test_the_subject_list_shows_number_site_status_and_consent(sign_in, crc, subject, url):
    page = text(sign_in(crc).get(url("subject-list")))
    assert all(piece in page for piece in (subject.number, "Bodø", "1. sep. 2026"))


def test_the_list_is_narrowed_by_number_site_and_status(sign_in, crc, enrol, bodo, url):
    first, second = enrol(bodo, birth_year=1940), enrol(bodo, birth_year=1950)
    page = text(sign_in(crc).get(url("subject-list"), {"number": second.number, "site": "BOD", "status": "screening"}))
    assert second.number in page and first.number not in page


def test_an_empty_list_says_so_and_what_to_do(sign_in, crc, url):
    assert "empty" in text(sign_in(crc).get(url("subject-list"), {"number": "XYZ"}))


@pytest.mark.req("ACC-02")
def test_the_lists_hold_nothing_of_another_site(sign_in, outsider, subject, entry, url):
    client = sign_in(outsider)
    assert subject.number not in text(client.get(url("subject-list")))
    assert str(entry.pk) not in text(client.get(url("screening")))


@pytest.fixture
def entry(sign_in, crc, bodo, url):
    sign_in(crc).post(url("log-screening"), screening(bodo))
    return ScreeningEntry.objects.get()


def screening(site, **changes):
    return {"key": uuid.uuid4(), "site": site.pk, "screened_in": "09.2026", "age_band": "70-79", "sex": "F"} | changes


def test_a_screening_is_logged_and_shown(sign_in, crc, entry, url):
    page = text(sign_in(crc).get(url("screening")))
    assert f"entry-{entry.pk}" in page and "70–79" in page


def test_the_form_pressed_twice_logs_once(sign_in, crc, bodo, url):
    form = screening(bodo)
    for _ in range(2):
        assert sign_in(crc).post(url("log-screening"), form).status_code == 302
    assert ScreeningEntry.objects.count() == 1


@pytest.mark.parametrize("month", ["", "sept", "13.2026", "09.2999", "<script>"])
def test_a_wrong_month_keeps_what_was_typed(sign_in, crc, bodo, url, month):
    response = sign_in(crc).post(url("log-screening"), screening(bodo, screened_in=month))
    assert response.status_code == 422 and not ScreeningEntry.objects.exists()
    assert month.replace("<", "&lt;").replace(">", "&gt;") in text(response)


@pytest.mark.req("ACC-02")
def test_a_nurse_cannot_post_a_screening_for_another_site(sign_in, crc, tromso, url):
    assert sign_in(crc).post(url("log-screening"), screening(tromso)).status_code == 422
    assert not ScreeningEntry.objects.exists()


def test_an_entry_is_closed_with_its_reason(sign_in, crc, entry, url):
    sign_in(crc).post(url("close-screening", entry.pk), {"why": "declined:declined"})
    assert ScreeningEntry.objects.get().outcome == ScreeningOutcome.DECLINED


@pytest.mark.parametrize("why", ["", "declined", "declined:I1", "pending:", "consented:x", "nonsense:declined"])
def test_a_made_up_reason_is_refused(sign_in, crc, entry, url, why):
    assert sign_in(crc).post(url("close-screening", entry.pk), {"why": why}).status_code == 422


@pytest.fixture
def signed(crc, definition):
    """A consent form as it is typed."""
    options = {option.oid: "Y" for option in definition.study.consent.options}

    def typed(**changes):
        said = {
            "key": uuid.uuid4(),
            "birth_year": "1949",
            "sex": "F",
            "version": "1.0",
            "signed_on": "1.9.26",
            "signed_clock": "10.15",
            "language": "nb",
            "informed_by": crc.pk,
            "copy_given": "Y",
        }
        return {**said, **options, **changes}

    return typed


def test_a_consent_gives_a_number_and_is_read_back(sign_in, crc, bodo, signed, url):
    response = sign_in(crc).post(url("enrol", "BOD"), signed(), follow=True)
    page = text(response)
    assert "BOD-001" in page and "1. sep. 2026 kl. 10.15" in page


def test_a_consent_belongs_to_the_screening_entry_it_came_from(sign_in, crc, bodo, signed, entry, url):
    sign_in(crc).post(f"{url('enrol', 'BOD')}?entry={entry.pk}", signed())
    assert ScreeningEntry.objects.get().subject == Subject.objects.get()


@pytest.mark.parametrize("entry_id", ["x", "0", "9e99967a-8fb8-4a0a-a01e-d50edd60a643"])
def test_an_unknown_screening_entry_is_not_found(sign_in, crc, bodo, url, entry_id):
    assert sign_in(crc).get(f"{url('enrol', 'BOD')}?entry={entry_id}").status_code == 404


@pytest.mark.parametrize(
    "changes",
    [
        {"birth_year": "49"},
        {"birth_year": "1949.5"},
        {"sex": ""},
        {"signed_on": "31.02.2026"},
        {"signed_clock": "25.00"},
        {"signed_on": "29.3.26", "signed_clock": "02.30"},
        {"signed_on": "1.9.2999"},
        {"informed_by": "9e99967a-8fb8-4a0a-a01e-d50edd60a643"},
        {"copy_given": ""},
        {"MAIN": "N"},
        {"BIOBANK": ""},
        {"version": "2.0"},
        {"key": "no key"},
    ],
    ids=str,
)
def test_a_consent_with_a_fault_saves_nothing_and_says_what_to_do(sign_in, crc, bodo, signed, url, changes):
    response = sign_in(crc).post(url("enrol", "BOD"), signed(**changes))
    assert response.status_code == 422 and "error-summary" in text(response)
    assert not Subject.objects.exists()


def test_the_question_of_age_shows_itself_when_the_year_cannot_decide(sign_in, crc, bodo, signed, url):
    client = sign_in(crc)
    assert 'id="id_adult_at_consent_0"' not in text(client.get(url("enrol", "BOD")))
    asked = client.post(url("enrol", "BOD"), signed(birth_year="2008"))
    assert asked.status_code == 422 and 'id="id_adult_at_consent_0"' in text(asked)
    client.post(url("enrol", "BOD"), signed(birth_year="2008", adult_at_consent="N"))
    assert Subject.objects.get().adult_at_consent is False


def test_look_alikes_are_shown_before_anything_is_saved(sign_in, crc, subject, signed, url):
    client, form = sign_in(crc), signed()
    shown = client.post(url("enrol", "BOD"), form)
    assert shown.status_code == 409 and subject.number in text(shown) and 'name="another_person"' in text(shown)
    assert Subject.objects.count() == 1
    client.post(url("enrol", "BOD"), form | {"seen": subject.number, "another_person": "on"})
    assert Subject.objects.count() == 2


def test_the_tick_alone_without_having_seen_whom_is_not_enough(sign_in, crc, subject, signed, url):
    sign_in(crc).post(url("enrol", "BOD"), signed(another_person="on"))
    assert Subject.objects.count() == 1


def test_an_option_is_withdrawn_from_the_consent_page(sign_in, crc, subject, url):
    option = subject.consent_options.filter(granted=True).first()
    client, form = sign_in(crc), {"withdrawn_on": "2.9.26", "withdrawn_clock": "08:00", "reason": "pasientens ønske"}
    client.post(url("withdraw-consent-option", subject.number, option.pk), form)
    assert "2. sep. 2026 kl. 08.00" in text(client.get(url("consent", subject.number)))


def test_a_further_consent_is_recorded(sign_in, crc, subject, signed, url):
    sign_in(crc).post(url("further-consent", subject.number), signed(signed_on="3.9.26"))
    assert subject.consents.count() == 2


@pytest.mark.req("AUD-12")
def test_reading_a_consent_is_logged(sign_in, crc, subject, url, access_log):
    sign_in(crc).get(url("consent", subject.number))
    assert (crc.pk, subject.pk, "view_subject", True) in access_log()


def test_a_person_is_invited_and_given_a_role(sign_in, admin, bodo, study, url):
    client = sign_in(admin)
    person = {
        "username": "kari",
        "full_name": "Kari Åsen",
        "email": "k@sykehus.example",
        "profession": "nurse",
        "language": "nb",
    }
    client.post(url("invite-user"), person)
    role = {"username": "kari", "role": "study_nurse", "site": bodo.pk, "valid_from": "1.9.26"}
    client.post(url("assign-role"), role)
    assert Assignment.objects.get(user__username="kari").site == bodo
    assert "Kari Åsen" in text(client.get(url("users")))


def test_who_has_no_role_yet_is_listed_and_can_be_invited_again(sign_in, admin, make_user, url):
    make_user("ny", "Ny Åsen")
    assert "Ny Åsen" in text(sign_in(admin).get(url("users")))


def test_a_role_for_an_unknown_user_name_is_refused(sign_in, admin, url):
    role = {"username": "ukjent", "role": "monitor", "site": "", "valid_from": "1.9.26"}
    assert sign_in(admin).post(url("assign-role"), role).status_code == 422


def test_a_role_is_ended(sign_in, admin, monitor, bodo, url):
    today = local_today(bodo.timezone)
    assignment = Assignment.objects.get(user=monitor)
    form = {"last_day": f"{today:%d.%m.%Y}", "reason": "ny jobb"}
    assert sign_in(admin).post(url("end-role", assignment.pk), form).status_code == 302
    assert Assignment.objects.get(pk=assignment.pk).valid_until == today


def test_the_principal_investigator_delegates_and_takes_back(sign_in, pi, investigator, bodo, url):
    today = f"{local_today(bodo.timezone):%d.%m.%Y}"
    client = sign_in(pi)
    form = {"user": investigator.pk, "task": "sign", "valid_from": today, "valid_until": today}
    client.post(url("delegate-task", "BOD"), form)
    given = Delegation.objects.get(task="sign")
    client.post(url("end-delegation", given.pk), {"last_day": today, "reason": "tilbake"})
    assert Delegation.objects.get(pk=given.pk).valid_until == local_today(bodo.timezone)


def test_an_account_is_closed_with_a_reason(sign_in, admin, monitor, url):
    client = sign_in(admin)
    assert client.post(url("close-account", monitor.pk), {"reason": ""}).status_code == 422
    client.post(url("close-account", monitor.pk), {"reason": "har sluttet"})
    assert User.objects.get(pk=monitor.pk).is_active is False


def test_a_site_is_paused_from_a_day(sign_in, coordinator, bodo, url):
    form = {"status": "paused", "since": "1.9.26", "reason": "lav bemanning"}
    sign_in(coordinator).post(url("site-status", "BOD"), form)
    assert "01.09.2026" in text(sign_in(coordinator).get(url("sites")))


@pytest.mark.req("RND-14")
def test_the_emergency_stop_needs_the_trials_name_typed(sign_in, coordinator, study, url):
    client = sign_in(coordinator)
    assert client.post(url("stop-randomization"), {"reason": "SUSAR", "typed": "nei"}).status_code == 422
    assert Study.objects.get().randomization_open
    client.post(url("stop-randomization"), {"reason": "SUSAR", "typed": study.oid.lower()})
    assert not Study.objects.get().randomization_open
    client.post(url("resume-randomization"), {"reason": "avklart"})
    assert Study.objects.get().randomization_open


def test_the_state_of_the_trial_is_changed(sign_in, coordinator, study, url):
    sign_in(coordinator).post(url("study-status"), {"status": "paused", "reason": "venter på REK"})
    assert Study.objects.get().status == "paused"


def test_a_version_is_approved_for_a_site(sign_in, coordinator, study, url):
    site = create_site(study=study, code="SKI", name="Skien", city="Skien", by=None)
    form = {
        "version": study.versions.get().pk,
        "ethics_approved_on": "1.11.24",
        "ethics_reference": "606316",
        "active_from": "1.12.24",
    }
    sign_in(coordinator).post(url("approve-version", "SKI"), form)
    assert site.versions.count() == 1


@pytest.mark.parametrize("language", ["nb", "en"])
def test_every_list_shows_itself_in_both_languages(sign_in, coordinator, subject, url, language, client):
    client.cookies["language"] = language
    for name in ("subject-list", "screening", "users", "sites"):
        assert sign_in(coordinator).get(url(name)).status_code == 200
