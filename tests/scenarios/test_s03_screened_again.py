"""S03: seventeen, NRS 3, ECOG 4; and back again under the same number, the earlier answers still readable."""

import re
import uuid

import pytest
from django.urls import reverse

from crf.models import FormData
from crf.selectors.eligibility import eligibility_of
from crf.services import confirm_eligibility, record_screen_failure, start_screening_attempt
from pallsoft.errors import InvalidInput, NotAllowedNow
from pallsoft.recruitment import recruitment_of
from randomization.models import Allocation
from randomization.readiness import readiness_of
from randomization.services import arm_for, randomize
from sites.clock import database_now, local_today
from sites.models import Subject, SubjectStatus
from tests.fixtures.by_hand import enter, scores, screening_answers
from tests.fixtures.ready_for_pallsoft import pallsoft_list  # noqa: F401

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("RND-01")]


@pytest.fixture
def today(bodo):
    return local_today(bodo.timezone)


@pytest.fixture
def screen(enrol, consent, bodo, crc, today):
    """screen(nrs="3"): a woman with consent today whose screening is filled in."""

    def make(birth_year=1949, **changes):
        subject = enrol(bodo, birth_year=birth_year, consent=consent(signed_at=database_now()))
        fill(subject, crc, screening_answers(today, **changes))
        return subject

    return make


def fill(subject, by, forms, ordinal=1):
    for form, values in forms.items():
        enter(subject, by, "SCREEN", form, values, ordinal=ordinal)


def not_met(subject):
    return [verdict.criterion.oid for verdict in eligibility_of(subject).not_met]


def test_the_birth_year_alone_cannot_decide_and_no_date_of_birth_is_asked(enrol, bodo, consent, crc):
    signed = consent(signed_at=consent().signed_at)
    with pytest.raises(InvalidInput) as asked:
        enrol(bodo, birth_year=2008, consent=signed)
    assert list(asked.value.errors) == ["adult_at_consent"]
    seventeen = enrol(bodo, birth_year=2008, consent=signed, adult_at_consent=False)
    assert not_met(seventeen) == ["I7"]
    assert not [
        field for field in Subject._meta.fields if re.search("birth", field.name) and field.name != "birth_year"
    ]
    eighteen = enrol(bodo, birth_year=2008, consent=signed, adult_at_consent=True, seen=[seventeen.number])
    assert not_met(eighteen) == []


def test_a_score_of_3_is_too_low_and_another_symptom_does_not_help(screen, crc, today):
    subject = screen(nrs="3")
    assert not_met(subject) == ["I6"]
    enter(subject, crc, "SCREEN", "NRS", scores(today, nrs="3", other="8"), reason="pasienten rettet seg")
    assert not_met(subject) == ["I6"]
    enter(subject, crc, "SCREEN", "TS", {"TS_TARGET": "BLEED"}, reason="pasienten nevner blødning")
    assert not_met(subject) == []


@pytest.mark.parametrize(("nrs", "ecog", "fails"), [("4", "3", []), ("4", "4", ["I10"]), ("3", "4", ["I6", "I10"])])
def test_the_limits_are_included(screen, nrs, ecog, fails):
    assert not_met(screen(nrs=nrs, ecog=ecog)) == fails


def test_no_role_can_waive_a_criterion(screen, pi, investigator, pallsoft_list):  # noqa: F811
    subject = screen(ecog="4")
    for physician in (pi, investigator):
        with pytest.raises(NotAllowedNow, match="I10"):
            confirm_eligibility(subject=subject, by=physician)
        with pytest.raises(NotAllowedNow):
            randomize(subject=subject, key=uuid.uuid4(), by=physician, typed_number=subject.number)
    assert not Allocation.objects.exists()


@pytest.fixture
def back_again(screen, crc, today, investigator):
    """NRS 3, a screen failure; then a 5 in a new attempt."""
    subject = screen(nrs="3")
    record_screen_failure(subject=subject, by=crc)
    start_screening_attempt(subject=subject, by=crc)
    subject.refresh_from_db()
    return subject


def test_a_new_attempt_keeps_the_number_and_begins_with_an_empty_form(back_again):
    assert back_again.number == "BOD-001" and back_again.status == SubjectStatus.SCREENING
    found = eligibility_of(back_again)
    assert (found.event.ordinal, found.row, found.signature) == (2, None, None)
    assert {"I6", "I10"} <= {verdict.criterion.oid for verdict in found.undecided}


def test_the_baseline_is_the_5_and_the_3_stays_readable(
    back_again, crc, investigator, today, sign_in, pallsoft_list  # noqa: F811
):  # fmt: skip
    fill(back_again, crc, screening_answers(today, nrs="5"), ordinal=2)
    confirm_eligibility(subject=back_again, by=investigator)
    assert readiness_of(back_again).document["answers"]["SCREEN.NRS_TGT"] == "5"
    kept = FormData.objects.get(form_oid="NRS", event__ordinal=1)
    assert kept.data["NRS_PAIN"] == "3"
    page = sign_in(crc)
    earlier = page.get(reverse("form", args=["PALLSOFT", back_again.number, "SCREEN", 1, "NRS", "1"]))
    assert re.search(r'name="NRS_PAIN" value="3"[^>]* checked', earlier.content.decode())
    allocation = randomize(subject=back_again, key=uuid.uuid4(), by=crc, typed_number=back_again.number)
    assert allocation.inputs["answers"]["SCREEN.NRS_TGT"] == "5"
    assert arm_for(crc, back_again).code == pallsoft_list["GI|PAIN"][0]  # the refusals used no slot


def test_persons_are_counted_once_and_attempts_apart(back_again, study, definition, today):
    assert Subject.objects.count() == 1
    assert back_again.events.filter(event_oid="SCREEN").count() == 2
    assert sum(recruitment_of(study, definition.study, list(study.sites.all()), today).consented) == 1


def test_only_a_screen_failure_is_screened_again(screen, crc):
    with pytest.raises(NotAllowedNow):
        start_screening_attempt(subject=screen(nrs="3"), by=crc)
