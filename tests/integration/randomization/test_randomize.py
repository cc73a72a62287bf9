"""One subject, one slot, for ever, in the order of the list."""

import uuid

import psycopg2
import pytest
import time_machine
from django.db import DatabaseError, connection, transaction

from pallsoft.audit.models import ChangeSet
from pallsoft.errors import Conflict, NotAllowedNow, NotPermitted
from randomization.facts import arm_code, arm_codes, known_facts
from randomization.models import Allocation
from randomization.readiness import digest
from randomization.refusals import refusing
from randomization.services import AlreadyRandomized, arm_for, randomize
from tests.fixtures.randomizing import randomized
from tests.fixtures.threads import in_threads

pytestmark = pytest.mark.django_db
commits = pytest.mark.django_db(transaction=True)


@commits
def test_a_ready_subject_gets_the_first_slot_of_its_stratum(ready, crc, sealed_list):
    allocation = randomized(ready, crc)
    ready.refresh_from_db()
    assert ready.status == "randomized"
    assert allocation.stratum.code == "GI|PAIN"
    assert arm_for(crc, ready).code == arm_code(ready) == sealed_list.sequences["GI|PAIN"][0]


@commits
@pytest.mark.req("RND-03")
def test_each_stratum_is_used_in_the_order_of_its_list(make_ready, sealed_list, crc):
    values = [("GI", "PAIN"), ("URO", "BLEED"), ("GI", "PAIN"), ("GI", "BLADDER"), ("URO", "BLEED"), ("GI", "PAIN")]
    got = {}
    for group, target in values:
        subject = make_ready(BASE_GROUP=group, BASE_TARGET=target)
        code = randomized(subject, crc).stratum.code
        got.setdefault(code, []).append(arm_code(subject))
    assert {code: len(arms) for code, arms in got.items()} == {"GI|PAIN": 3, "URO|OTHER": 2, "GI|OTHER": 1}
    assert got == {code: sealed_list.sequences[code][: len(arms)] for code, arms in got.items()}


@commits
@pytest.mark.req("RND-04")
def test_the_same_key_gives_the_first_answer_again(ready, crc):
    key = uuid.uuid4()
    first = randomized(ready, crc, key)
    change_sets = ChangeSet.objects.count()
    again = [randomized(ready, crc, key) for _ in range(3)]
    assert {(a.pk, a.at) for a in again} == {(first.pk, first.at)}
    assert Allocation.objects.count() == 1
    assert ChangeSet.objects.count() == change_sets  # the trail tells of one randomisation


@pytest.mark.req("RND-04")
def test_another_key_for_the_same_subject_is_told_who_was_first(ready, crc, investigator):
    first = randomized(ready, crc)
    with pytest.raises(AlreadyRandomized, match="already randomised, by Åse Nordgård") as refusal:
        randomized(ready, investigator)
    assert refusal.value.allocation == first


@pytest.mark.req("RND-04")
def test_a_key_that_belongs_to_another_subject_is_refused(make_ready, sealed_list, crc):
    key, one, other = uuid.uuid4(), make_ready(), make_ready()
    randomized(one, crc, key)
    with pytest.raises(Conflict, match="another randomisation"):
        randomized(other, crc, key)
    other_stratum = make_ready(BASE_GROUP="URO")
    with pytest.raises(Conflict):
        randomized(other_stratum, crc, key)
    assert Allocation.objects.count() == 1


@pytest.mark.req("RND-02")
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE randomization_allocation SET subject_id = subject_id",
        "UPDATE randomization_allocation SET seq = seq + 1",
        "UPDATE randomization_allocation SET arm = 'B'",
        "DELETE FROM randomization_allocation",
        "TRUNCATE randomization_allocation CASCADE",
        "INSERT INTO randomization_allocation SELECT * FROM randomization_allocation",
    ],
)
def test_the_application_cannot_write_allocations(ready, crc, change):
    randomized(ready, crc)
    with pytest.raises(DatabaseError, match="permission denied"), connection.cursor() as cursor:
        cursor.execute(change)


@commits
@pytest.mark.req("RND-02")
@pytest.mark.parametrize(
    ("change", "error"),
    [
        ("UPDATE randomization_allocation SET seq = seq + 1", "never changed"),
        ("DELETE FROM randomization_allocation", "is refused"),
        ("UPDATE sealed.slot SET arm = 'B'", "sealed list is never changed"),
        ("DELETE FROM sealed.slot", "sealed list is never changed"),
        ("TRUNCATE sealed.slot CASCADE", "sealed list is never changed|is refused"),
        ("UPDATE sealed.list SET header = ''", "sealed list is never changed"),
    ],
)
def test_even_the_owner_cannot_change_a_slot_or_an_allocation(ready, crc, owner, change, error):
    randomized(ready, crc)
    with owner.cursor() as cursor, pytest.raises(psycopg2.Error, match=error):
        cursor.execute(change)


@commits
@pytest.mark.req("RND-02")
def test_the_database_itself_allows_one_slot_a_subject_and_one_subject_a_slot(ready, crc, superuser):
    randomized(ready, crc)
    copy = """
        INSERT INTO randomization_allocation (id, created_in, study_id, site_id, subject_id, stratum_id, seq, arm, key,
            allocated_by_id, at, inputs, inputs_sha256, software_version)
        SELECT gen_random_uuid(), created_in, study_id, site_id, {}, stratum_id, {}, arm, gen_random_uuid(),
            allocated_by_id, at, inputs, inputs_sha256, software_version FROM randomization_allocation
    """
    with superuser.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")  # all triggers off
        with pytest.raises(psycopg2.errors.UniqueViolation, match="subject_id"):
            cursor.execute(copy.format("subject_id", "seq + 1"))
        with pytest.raises(psycopg2.errors.UniqueViolation, match="slot_once"):
            cursor.execute(copy.format("gen_random_uuid()", "seq"))


@pytest.mark.req("RND-09")
def test_an_allocation_keeps_who_when_where_and_from_what(ready, crc, sealed_list):
    allocation = randomized(ready, crc)
    assert (allocation.allocated_by, allocation.site, allocation.study) == (crc, ready.site, ready.study)
    assert allocation.stratum.scheme.list_sha256 == sealed_list.sha256
    assert allocation.software_version == "0.1.0"
    assert allocation.inputs_sha256 == digest(allocation.inputs)
    assert allocation.inputs["factors"] == {"GROUP": "GI", "PAINFUL": "PAIN"}
    assert allocation.inputs["facts"]["score"] == "6"
    assert allocation.inputs["answers"] == {"SCREEN.SCORE_NRS": "6"}
    assert set(allocation.inputs["gates"].values()) == {"yes"}
    change = ChangeSet.objects.get(pk=allocation.created_in_id)
    assert (change.action, change.actor_name, change.role) == ("randomization.randomize", "Åse Nordgård", "study_nurse")
    assert change.site_id == ready.site_id


@pytest.mark.req("RND-09")
def test_the_time_is_the_databases_whatever_the_clock_here_says(ready, crc, time_machine_far_away):
    allocation = randomized(ready, crc)
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp() - %s < interval '1 minute'", [allocation.at])
        assert cursor.fetchone() == (True,)
    assert known_facts(ready)["randomized_at"] == allocation.at


@pytest.fixture
def time_machine_far_away():
    with time_machine.travel("2031-05-05T05:05:05Z", tick=True):
        yield


@pytest.mark.req("RND-13")
def test_an_exhausted_list_refuses_and_leaves_the_subject_as_it_was(make_ready, open_list, crc):
    open_list(slots=1, sizes=(4,))
    for _ in range(4):
        randomized(make_ready(), crc)
    fifth = make_ready()
    with pytest.raises(NotAllowedNow, match="no place left"):
        randomized(fifth, crc)
    fifth.refresh_from_db()
    assert (fifth.status, Allocation.objects.count(), arm_code(fifth)) == ("screening", 4, None)


@commits
@pytest.mark.req("RND-13")
def test_pc050_of_two_who_ask_at_once_for_the_last_slot_one_gets_it(make_ready, open_list, crc):
    open_list(slots=1, sizes=(4,))
    for _ in range(3):
        randomized(make_ready(), crc)
    last = [make_ready(), make_ready()]
    got = in_threads(*[lambda one=one: randomized(one, crc) for one in last])
    assert sorted(type(one).__name__ for one in got) == ["Allocation", "NotAllowedNow"]
    assert Allocation.objects.count() == 4


@pytest.mark.req("RND-05")
def test_a_further_list_goes_on_where_the_first_ends(make_ready, open_list, list_file, crc):
    open_list(slots=1, sizes=(4,))
    further = list_file(seed=2, slots=4, sizes=(4,))
    open_list(further, reason="rekrutteringen går raskere enn ventet")
    subjects = [make_ready() for _ in range(6)]
    schemes = [randomized(subject, crc).stratum.scheme.list_sha256 for subject in subjects]
    assert schemes == [schemes[0]] * 4 + [schemes[5]] * 2 and schemes[0] != schemes[5]


@commits
@pytest.mark.req("RND-06")
def test_nobody_can_peep_at_the_next_arm_and_take_it_back(ready, crc):
    """BEGIN; randomise; read the arm; ROLLBACK would show what comes next and leave no trace."""
    with transaction.atomic():
        randomized(ready, crc)
        with transaction.atomic():  # a savepoint must not fool it
            assert arm_codes([ready.pk]) == {}
            assert arm_for(crc, ready) is None
        transaction.set_rollback(True)
    assert not Allocation.objects.exists()


@commits
@pytest.mark.parametrize(
    ("who", "sees"), [("crc", True), ("monitor", True), ("coordinator", False), ("outsider", False)]
)
def test_the_arm_is_shown_at_the_subjects_site_to_who_may_see_it(ready, crc, request, who, sees):
    randomized(ready, crc)
    assert (arm_for(request.getfixturevalue(who), ready) is not None) is sees


def test_randomize_without_any_permission_tells_nothing_of_an_earlier_one(ready, crc, outsider):
    key = uuid.uuid4()
    randomized(ready, crc, key)
    with pytest.raises(NotPermitted):
        randomize(subject=ready, key=key, by=outsider, typed_number=ready.number)


def test_an_error_that_is_no_refusal_of_ours_stays_an_error(db):
    with pytest.raises(DatabaseError, match="division by zero"), refusing(), connection.cursor() as cursor:
        cursor.execute("SELECT 1 / 0")
