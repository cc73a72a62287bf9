"""The system was down: randomised by telephone from the fallback list, entered afterwards by two persons (S25)."""

from datetime import timedelta

import pytest

from pallsoft.audit.context import change_set
from pallsoft.errors import InvalidInput, NotAllowedNow, NotPermitted
from randomization.facts import arm_code, known_facts
from randomization.list_file import read_list
from randomization.models import Allocation, LateEntry
from randomization.selectors import findings, late_entries
from randomization.services import AlreadyRandomized, confirm_late, report_late
from sites import services as places
from sites.clock import database_now
from tests.fixtures.randomizing import randomized

pytestmark = [pytest.mark.django_db, pytest.mark.req("RND-12")]
commits = pytest.mark.django_db(transaction=True)


@pytest.fixture
def fallback(open_list, list_file):
    content = list_file(seed=7, purpose="fallback")
    open_list(content)
    return read_list(content).sequences


@pytest.fixture
def tell(crc):
    def report(subject, hours=5, reason="nettet var nede", by=crc):
        at = database_now() - timedelta(hours=hours)
        return report_late(subject=subject, happened_at=at, reason=reason, by=by)

    return report


@commits
def test_two_persons_enter_it_with_its_true_time(ready, fallback, tell, statistician, crc):
    entry = tell(ready)
    assert arm_code(ready) is None and list(late_entries(ready.study)) == [entry]
    allocation = confirm_late(entry=entry, position=1, by=statistician)
    assert arm_code(ready) == fallback["GI|PAIN"][0]
    assert known_facts(ready)["randomized_at"] == allocation.happened_at == entry.happened_at < allocation.at
    assert (allocation.stratum.scheme.purpose, allocation.allocated_by) == ("fallback", crc)
    entry.refresh_from_db()
    assert entry.confirmed_by == statistician and not late_entries(ready.study).exists()
    assert all(findings(scheme) == [] for scheme in ready.study.schemes.all())


@commits
def test_the_central_list_is_never_used_for_it(make_ready, sealed_list, fallback, tell, statistician, crc):
    confirm_late(entry=tell(make_ready()), position=1, by=statistician)
    subject = make_ready()
    randomized(subject, crc)
    assert arm_code(subject) == sealed_list.sequences["GI|PAIN"][0]


@commits
def test_the_fallback_list_is_used_in_its_order(make_ready, fallback, tell, statistician):
    first, second = tell(make_ready(), hours=5), tell(make_ready(), hours=4)
    with pytest.raises(InvalidInput, match="not the next slot"):
        confirm_late(entry=second, position=2, by=statistician)
    assert not Allocation.objects.exists()
    confirm_late(entry=first, position=1, by=statistician)
    confirm_late(entry=second, position=2, by=statistician)
    arms = [arm_code(entry.subject) for entry in (first, second)]
    assert arms == fallback["GI|PAIN"][:2]


def test_what_has_happened_is_stored_though_a_gate_was_closed(enrol, bodo, fill, fallback, tell, statistician, study):
    subject = enrol(bodo)
    fill(subject)
    entry = tell(subject)
    places.stop_randomization(study=study, by=None, reason="stopp")
    allocation = confirm_late(entry=entry, position=1, by=statistician)
    assert allocation.inputs["gates"]["CONFIRMED"] == "no" and allocation.inputs["gates"]["OPEN"] == "no"


def test_without_a_stratum_nothing_can_be_allocated(enrol, bodo, fill, fallback, tell, statistician):
    subject = enrol(bodo)
    fill(subject, BASE_GROUP=None)
    with pytest.raises(NotAllowedNow, match="stratum is not known yet"):
        confirm_late(entry=tell(subject), position=1, by=statistician)


def test_without_a_fallback_list_it_is_refused(ready, tell, statistician):
    with pytest.raises(NotAllowedNow, match="No confirmed list"):
        confirm_late(entry=tell(ready), position=1, by=statistician)


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"hours": -1}, "happened_at"), ({"hours": 24 * 365 * 120}, "happened_at"), ({"reason": ""}, "reason")],
)
def test_an_impossible_time_or_no_reason(ready, tell, changes, field):
    with pytest.raises(InvalidInput) as refusal:
        tell(ready, **changes)
    assert list(refusal.value.errors) == [field]


def test_it_is_told_once(ready, tell):
    tell(ready)
    with pytest.raises(NotAllowedNow, match="told already"):
        tell(ready)


def test_a_subject_who_is_randomised_cannot_be_randomised_by_telephone_too(ready, fallback, tell, statistician, crc):
    entry = tell(ready)
    randomized(ready, crc)
    with pytest.raises(AlreadyRandomized):
        confirm_late(entry=entry, position=1, by=statistician)
    LateEntry.objects.get()
    with pytest.raises(AlreadyRandomized):
        tell(ready)


def test_a_late_entry_is_confirmed_once(ready, fallback, tell, statistician):
    entry = tell(ready)
    confirm_late(entry=entry, position=1, by=statistician)
    with pytest.raises(NotAllowedNow, match="already confirmed"):
        confirm_late(entry=entry, position=1, by=statistician)


@pytest.mark.parametrize("who", ["crc", "pi", "coordinator", "data_manager"])
def test_only_a_list_holder_confirms(ready, fallback, tell, request, who):
    with pytest.raises(NotPermitted):
        confirm_late(entry=tell(ready), position=1, by=request.getfixturevalue(who))


def test_whoever_told_it_does_not_confirm_it(ready, fallback, statistician):
    """Roles keep the two apart already; this is the second wall."""
    with change_set(study=ready.study, by=statistician, action="test"):
        own = LateEntry.objects.create(
            study=ready.study, subject=ready, happened_at=database_now(), reason="x", reported_by=statistician
        )
    with pytest.raises(NotPermitted, match="cannot confirm it"):
        confirm_late(entry=own, position=1, by=statistician)
