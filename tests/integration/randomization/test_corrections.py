"""What was wrong at randomisation is corrected beside the allocation, never in it (S13, S14)."""

import pytest
from django.db import IntegrityError

from pallsoft.audit.context import change_set
from pallsoft.errors import InvalidInput, NotAllowedNow, NotPermitted
from randomization.corrections import correctable
from randomization.facts import arm_code
from randomization.models import Allocation, Correction
from randomization.selectors import misstratified
from randomization.services import decide_correction, request_correction
from tests.fixtures.randomizing import randomized, save_one

pytestmark = pytest.mark.django_db


@pytest.fixture
def ask(ready, crc, pi):
    """ask(factor, value): after randomisation, by the principal investigator."""
    randomized(ready, crc)

    def request(factor="GROUP", value="URO", by=pi, source="patologisvar 3.9.2026", reason="feil i henvisningen"):
        return request_correction(subject=ready, factor=factor, value=value, source=source, reason=reason, by=by)

    return request


def the(subject, oid):
    return next(one for one in correctable(subject) if one.oid == oid)


@pytest.mark.django_db(transaction=True)
def test_both_values_stay_and_the_allocation_does_not_move(ask, ready, coordinator):
    before = Allocation.objects.values().get(), arm_code(ready)
    asked = ask()
    assert the(ready, "GROUP").actual == "GI"  # not before it is confirmed
    decided = decide_correction(correction=asked, confirmed=True, by=coordinator)
    assert (decided.value_randomized, decided.value_corrected, decided.confirmed) == ("GI", "URO", True)
    assert (the(ready, "GROUP").randomized, the(ready, "GROUP").actual) == ("GI", "URO")
    assert (Allocation.objects.values().get(), arm_code(ready)) == before
    assert [one.subject for one in misstratified(ready.study)] == [ready]


def test_a_declined_correction_changes_nothing_and_another_may_be_asked_for(ask, ready, coordinator):
    decide_correction(correction=ask(), confirmed=False, by=coordinator)
    assert the(ready, "GROUP").actual == "GI" and not misstratified(ready.study).exists()
    assert ask(reason="ny opplysning").decided_at is None


def test_the_newest_confirmed_correction_counts(ask, ready, coordinator):
    decide_correction(correction=ask("target_symptom", "BLEED"), confirmed=True, by=coordinator)
    decide_correction(correction=ask("target_symptom", "BLADDER"), confirmed=True, by=coordinator)
    assert (the(ready, "target_symptom").randomized, the(ready, "target_symptom").actual) == ("PAIN", "BLADDER")


def test_a_fact_that_repeats_a_factor_is_offered_once(ask, ready):
    assert [one.oid for one in correctable(ready)] == ["GROUP", "PAINFUL", "target_symptom"]


def test_a_form_that_says_something_else_now_is_pointed_out(ask, ready, crc):
    assert not the(ready, "GROUP").differs
    save_one(ready, "BASE", {"BASE_GROUP": "URO", "BASE_TARGET": "PAIN"}, crc, reason="patologisvar")
    assert the(ready, "GROUP").differs and the(ready, "GROUP").words_entered == "Urinary tract"


def test_before_randomisation_there_is_nothing_to_correct(ready, pi):
    assert correctable(ready) == []
    with pytest.raises(InvalidInput):
        request_correction(subject=ready, factor="GROUP", value="URO", source="x", reason="x", by=pi)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"factor": "score"}, "factor"),
        ({"value": "GYN"}, "value"),
        ({"value": "GI"}, "value"),
        ({"source": " "}, "source"),
        ({"reason": ""}, "reason"),
    ],
)
def test_what_is_missing_or_impossible_is_told_at_its_field(ask, changes, field):
    with pytest.raises(InvalidInput) as refusal:
        ask(**changes)
    assert list(refusal.value.errors) == [field]


def test_one_request_at_a_time_for_each_factor(ask):
    ask()
    with pytest.raises(NotAllowedNow, match="already waiting"):
        ask()
    assert ask("PAINFUL", "OTHER").factor == "PAINFUL"


@pytest.mark.parametrize("who", ["crc", "investigator", "monitor", "coordinator", "outsider", "statistician"])
def test_only_the_principal_investigator_asks(ask, request, who):
    with pytest.raises(NotPermitted):
        ask(by=request.getfixturevalue(who))


@pytest.mark.parametrize("who", ["crc", "pi", "monitor", "data_manager", "statistician"])
def test_only_the_coordinator_decides(ask, request, who):
    asked = ask()
    with pytest.raises(NotPermitted):
        decide_correction(correction=asked, confirmed=True, by=request.getfixturevalue(who))


def test_a_decision_stands(ask, coordinator):
    asked = ask()
    decide_correction(correction=asked, confirmed=False, by=coordinator)
    with pytest.raises(NotAllowedNow, match="already decided"):
        decide_correction(correction=asked, confirmed=True, by=coordinator)


def test_whoever_asked_does_not_decide(ask, ready, coordinator):
    """Roles keep the two apart already; this is the second wall, and the database the third."""
    ask()
    with change_set(study=ready.study, by=coordinator, action="test"):
        own = Correction.objects.create(
            study=ready.study, subject=ready, factor="PAINFUL", value_randomized="PAIN", value_corrected="OTHER",
            source="x", reason="x", requested_by=coordinator,
        )  # fmt: skip
    with pytest.raises(NotPermitted, match="cannot decide"):
        decide_correction(correction=own, confirmed=True, by=coordinator)
    with pytest.raises(IntegrityError, match="two_persons"), change_set(study=ready.study, by=None, action="test"):
        Correction.objects.filter(pk=own.pk).update(decided_by=coordinator)
