"""S17: "no more questions": each point is asked about; what was collected is kept; only a new consent takes it back."""

from datetime import timedelta

import pytest
from django.core import mail
from django.urls import reverse

from crf.models import FormData
from pallsoft.errors import InvalidInput, NotAllowedNow, NotPermitted
from pallsoft.outbox.models import State
from pallsoft.outbox.services import send_due
from sites.clock import database_now
from sites.models import DataWish, SampleTask, Stop, StopKind, ToldBy
from sites.participation import State as Left
from sites.participation import participation_of
from sites.policies import consent_in_force
from sites.services import (
    Withdrawal,
    confirm_destroyed,
    end_stop,
    record_consent,
    record_withdrawal,
    withdraw_consent_option,
)
from tests.fixtures.by_hand import enter, scores
from tests.fixtures.leaving import *  # noqa: F403 - fixtures must stand in the module to be found
from tests.fixtures.leaving import visits

pytestmark = [pytest.mark.django_db, pytest.mark.req("PRV-03")]
K = StopKind


@pytest.fixture
def patient(subject, plan):
    plan(subject, W2=-7, W4=0, W12=50, SURV=200)
    return subject


@pytest.fixture
def withdraw(patient, crc, today):
    """withdraw(K.CONSENT, K.VISITS): the patient said so yesterday."""

    def act(*kinds, by=crc, day=None, wish=DataWish.KEEP, **more):
        said = Withdrawal(
            kinds=frozenset(kinds),
            day=str(day or today - timedelta(days=1)),
            told_by=ToldBy.PARTICIPANT,
            data_wish=wish if K.CONSENT in kinds else None,
            **more,
        )
        return record_withdrawal(subject=patient, said=said, by=by)

    return act


def enter_scores(patient, by, event="W2", days_ago=7, **more):
    at = database_now() - timedelta(days=days_ago)
    return enter(patient, by, event, "NRS", scores(at.date()), observed_at=at, **more)


def test_each_stop_is_kept_apart(patient, withdraw):
    withdraw(K.TREATMENT)
    assert visits(patient) == {"W2": "", "W4": "", "W12": "", "SURV": ""}
    withdraw(K.QUESTIONNAIRES)
    assert set(participation_of(patient).stops) == {K.TREATMENT, K.QUESTIONNAIRES}
    assert participation_of(patient).state is None  # still in the study
    withdraw(K.VISITS)
    assert visits(patient) == {"W2": "", "W4": "stopped", "W12": "stopped", "SURV": ""}
    withdraw(K.REGISTERS)
    assert visits(patient)["SURV"] == "stopped"


def test_at_once_messages_are_cancelled_and_pending_visits_withdrawn(patient, withdraw, reminder):
    queued = reminder(patient)
    withdraw(K.CONSENT, K.VISITS, K.QUESTIONNAIRES, K.REGISTERS)
    send_due()
    queued.refresh_from_db()
    assert (queued.state, queued.cause, mail.outbox) == (State.CANCELLED, "consent", [])
    assert visits(patient) == {"W2": "", "W4": "withdrawn", "W12": "withdrawn", "SURV": "withdrawn"}
    assert participation_of(patient).state is Left.WITHDRAWN


def test_survival_is_followed_only_if_she_allows(patient, withdraw, crc, today):
    withdraw(K.CONSENT, K.VISITS)
    assert visits(patient)["SURV"] == ""
    values = {"ST_STATE": "ALIVE", "ST_ON": str(today), "ST_FROM": "REGISTER"}
    assert enter(patient, crc, "SURV", "ST", values).data["ST_STATE"] == "ALIVE"
    withdraw(K.REGISTERS)
    assert visits(patient)["SURV"] == ""  # done
    with pytest.raises(NotAllowedNow):
        enter(patient, crc, "W12", "ST", values)


def test_what_she_did_before_may_be_entered_and_what_came_after_may_not(patient, withdraw, crc):
    withdraw(K.CONSENT)
    assert enter_scores(patient, crc).data["NRS_PAIN"] == "6"
    with pytest.raises(NotAllowedNow, match="trakk seg"):
        enter(patient, crc, "LOG", "AE", {"AE_TERM": "kvalme"}, repeat_key="new")
    with pytest.raises(NotAllowedNow):
        enter(patient, crc, "LOG", "ORT", {}, repeat_key="new", observed_at=database_now())
    assert FormData.objects.count() == 1


@pytest.mark.parametrize(
    ("place", "told", "writable"),
    [
        (("LOG", 1, "AE", "new"), True, True),  # it may have been observed before: the page asks when
        (("W2", 1, "NRS", "1"), False, True),  # entered before
        (("LOG", 1, "AE", "1"), True, False),  # entered of a later day, before the withdrawal was told
    ],
)
def test_the_page_says_so_before_anything_is_typed(patient, withdraw, crc, sign_in, place, told, writable):
    enter_scores(patient, crc)
    enter(patient, crc, "LOG", "AE", {"AE_TERM": "kvalme"}, repeat_key="new")
    withdraw(K.CONSENT)
    url = reverse("form", args=[patient.study.oid, patient.number, *place])
    page = sign_in(crc).get(url)
    assert ("trakk seg" in page.content.decode()) is told
    assert page.context["page"].may_enter is writable


def test_earlier_data_are_corrected_against_the_source_with_a_reason(patient, withdraw, crc):
    enter_scores(patient, crc)
    withdraw(K.CONSENT)
    row = enter(patient, crc, "W2", "NRS", {"NRS_BLEED": "3"}, reason="feil lest på papirskjemaet")
    assert row.data["NRS_BLEED"] == "3"


def test_nothing_chosen_or_no_word_about_the_data_is_asked_again(patient, withdraw, today):
    for refused in (lambda: withdraw(), lambda: withdraw(K.CONSENT, wish=None),
                    lambda: withdraw(K.VISITS, day=today + timedelta(days=1))):  # fmt: skip
        with pytest.raises(InvalidInput):
            refused()
    assert not Stop.objects.exists()


def test_the_same_again_changes_nothing(patient, withdraw):
    withdraw(K.CONSENT, K.SAMPLES)
    assert withdraw(K.CONSENT, K.SAMPLES) == []
    assert (Stop.objects.count(), SampleTask.objects.count()) == (2, 1)


@pytest.mark.req("ACC-01")
@pytest.mark.parametrize("who", ["outsider", "monitor", "coordinator", "inspector"])
def test_only_the_site_records_a_withdrawal(withdraw, request, who):
    with pytest.raises(NotPermitted):
        withdraw(K.CONSENT, by=request.getfixturevalue(who))


def test_samples_get_a_task_that_a_person_confirms(patient, withdraw, crc, today):
    withdraw(K.SAMPLES)
    task = SampleTask.objects.get()
    assert task.due_on == today + timedelta(days=30)
    assert not consent_in_force(patient, {"BIOBANK"}) and consent_in_force(patient, {"MAIN", "REGISTRY"})
    with pytest.raises(InvalidInput):
        confirm_destroyed(task=task, done_on=today, confirmation=" ", by=crc)
    with pytest.raises(InvalidInput):
        confirm_destroyed(task=task, done_on=today - timedelta(days=5), confirmation="Biobank 12/26", by=crc)
    confirm_destroyed(task=task, done_on=today, confirmation="Biobank 12/26", by=crc)
    with pytest.raises(NotAllowedNow):
        confirm_destroyed(task=task, done_on=today, confirmation="igjen", by=crc)


def test_a_withdrawn_option_stops_what_it_allowed(patient, crc):
    for option, kind in (("BIOBANK", K.SAMPLES), ("REGISTRY", K.REGISTERS), ("CONTACT", None)):
        row = patient.consent_options.get(option=option)
        withdraw_consent_option(option=row, withdrawn_at=database_now(), by=crc, reason="pasientens ønske")
        assert kind is None or kind in participation_of(patient).stops
    assert set(participation_of(patient).stops) == {K.SAMPLES, K.REGISTERS}
    assert SampleTask.objects.count() == 1


def test_withdrawing_the_required_option_alone_ends_the_participation(patient, crc, reminder):
    queued = reminder(patient)
    main = patient.consent_options.get(option="MAIN")
    withdraw_consent_option(option=main, withdrawn_at=database_now(), by=crc, reason="ringte og trakk seg")
    queued.refresh_from_db()
    assert (participation_of(patient).state, queued.state) == (Left.WITHDRAWN, State.CANCELLED)
    standing = patient.consent_options.filter(granted=True, withdrawn_at=None).values_list("option", flat=True)
    assert set(standing) == {"BIOBANK", "REGISTRY"}, "samples and registers are asked about on their own"


def test_what_rests_on_the_same_samples_is_withdrawn_together_and_comes_back_together(patient, crc, consent):
    yes = dict.fromkeys(consent().options, True)
    signed = record_consent(subject=patient, consent=consent(signed_at=database_now(), options=yes), by=crc)
    biobank = signed.options.get(option="BIOBANK")
    withdraw_consent_option(option=biobank, withdrawn_at=database_now(), by=crc, reason="vil ikke gi prøver")
    assert not consent_in_force(patient, {"GENETIC"}) and consent_in_force(patient, {"MAIN", "REGISTRY", "CONTACT"})
    end_stop(stop=Stop.objects.get(kind=K.SAMPLES), by=crc, reason="gjaldt en annen")
    assert consent_in_force(patient, {"BIOBANK", "GENETIC"})


def test_only_a_new_consent_takes_it_back_and_the_row_stays(patient, withdraw, crc, consent):
    withdraw(K.CONSENT, K.VISITS, K.SAMPLES, K.TREATMENT)
    yes = {option: option != "BIOBANK" and option != "GENETIC" for option in consent().options}
    again = record_consent(subject=patient, consent=consent(signed_at=database_now(), options=yes), by=crc)
    assert set(participation_of(patient).stops) == {K.SAMPLES, K.TREATMENT}
    assert Stop.objects.get(kind=K.CONSENT).lifted_by == again
    assert visits(patient) == {"W2": "", "W4": "", "W12": "", "SURV": ""}
    assert SampleTask.objects.get().dropped_in is None
    assert Stop.objects.count() == 4


def test_samples_are_kept_when_they_are_consented_to_again_in_time(patient, withdraw, crc, consent):
    withdraw(K.CONSENT, K.SAMPLES)
    yes = dict.fromkeys(consent().options, True)
    record_consent(subject=patient, consent=consent(signed_at=database_now(), options=yes), by=crc)
    assert SampleTask.objects.get().dropped_in is not None and not participation_of(patient).stops


def test_an_older_consent_found_later_lifts_nothing(patient, withdraw, crc, consent):
    withdraw(K.CONSENT)
    record_consent(subject=patient, consent=consent(), by=crc)
    assert participation_of(patient).state is Left.WITHDRAWN


def test_a_new_consent_does_not_take_up_what_was_stopped_on_its_own(patient, withdraw, crc, consent):
    withdraw(K.QUESTIONNAIRES)
    record_consent(subject=patient, consent=consent(signed_at=database_now()), by=crc)
    assert set(participation_of(patient).stops) == {K.QUESTIONNAIRES}


def test_recorded_on_the_wrong_patient_everything_is_as_before(patient, withdraw, crc):
    contact = patient.consent_options.get(option="CONTACT")
    withdraw_consent_option(option=contact, withdrawn_at=database_now(), by=crc, reason="vil ikke bli spurt")
    withdraw(K.CONSENT, K.SAMPLES)
    end_stop(stop=Stop.objects.get(kind=K.CONSENT), by=crc, reason="gjaldt en annen pasient")
    assert not participation_of(patient).stops
    assert consent_in_force(patient, {"MAIN", "BIOBANK", "REGISTRY"}) and not consent_in_force(patient, {"CONTACT"})
    assert SampleTask.objects.get().dropped_in is not None
    with pytest.raises(NotAllowedNow):
        end_stop(stop=Stop.objects.get(kind=K.CONSENT), by=crc, reason="en gang til")
