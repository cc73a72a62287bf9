"""What a stolen password of the application's login, or injected SQL, can do to lists and allocations."""

import uuid

import pytest
from django.db import DatabaseError, connection, transaction

from pallsoft.audit.context import change_set
from randomization.list_file import commitment
from randomization.models import Allocation, Scheme, Stratum
from randomization.services import confirm_list, import_list
from randomization.services.allocate import ALLOCATE
from randomization.services.late import ALLOCATE_LATE
from tests.fixtures.randomizing import randomized

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("RND-06")]


def run(statement, *given):
    with connection.cursor() as cursor:
        cursor.execute(statement, given)
        return cursor.fetchall()


def inputs(subject, by, stratum="GI|PAIN"):
    return subject.pk, stratum, uuid.uuid4(), by.pk, "{}", "0" * 64, "1"


def test_a_list_of_ones_own_does_not_come_before_the_sealed_one(study, ready, crc, statistician):
    """Sent with an early time and as confirmed already, it still is the last, and unconfirmed."""
    with change_set(study=study, by=crc, action="x", reason="x"):
        mine = Scheme.objects.create(
            study=study, generator="x", list_sha256="0" * 64, imported_by=crc, imported_at="2000-01-01T00:00Z",
            confirmed_by=statistician, confirmed_at="2000-01-01T00:00Z",
        )  # fmt: skip
    mine.refresh_from_db()
    assert (mine.confirmed_by, mine.confirmed_at) == (None, None)
    assert list(Scheme.objects.order_by("imported_at"))[-1] == mine


@pytest.mark.req("RND-12")
@pytest.mark.parametrize("told", [(None, 1), ("2026-09-01T12:00Z", None)])
def test_a_slot_of_the_fallback_list_is_not_taken_without_time_and_number(
    study, make_ready, crc, statistician, coordinator, list_file, told
):
    content = list_file(purpose="fallback")
    scheme = import_list(study=study, content=content, sha256=commitment(content), by=statistician)
    confirm_list(scheme=scheme, sha256=scheme.list_sha256, by=coordinator)
    subject = make_ready()
    with pytest.raises(DatabaseError, match="not the next slot"), change_set(study=study, by=crc, action="x"):
        run(ALLOCATE_LATE, *inputs(subject, crc), *told)
    assert not Allocation.objects.exists()


def test_a_savepoint_does_not_make_an_allocation_look_committed(study, ready, crc):
    with change_set(study=study, by=crc, action="x"):
        with transaction.atomic():
            run(ALLOCATE, *inputs(ready, crc))
        assert run("SELECT arm FROM randomization_arms(ARRAY[%s]::uuid[])", str(ready.pk)) == []


@pytest.mark.req("RND-02")
def test_a_second_slot_from_another_stratum_is_refused(study, ready, crc):
    randomized(ready, crc)
    other = Stratum.objects.exclude(code="GI|PAIN").first()
    with pytest.raises(DatabaseError, match="already randomised"), change_set(study=study, by=crc, action="x"):
        run(ALLOCATE, *inputs(ready, crc, other.code))
    assert Allocation.objects.count() == 1
