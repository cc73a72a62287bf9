"""One subject, one slot, for ever; each gate that is missing refuses and uses no slot."""

import uuid

import pytest

from pallsoft.errors import Conflict, InvalidInput, NotAllowedNow, NotPermitted
from randomization.facts import arm_code
from randomization.models import Allocation
from randomization.services import AlreadyRandomized, arm_for, randomize
from tests.fixtures.randomizing import randomized

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.req("RND-01")
def test_a_ready_subject_gets_the_first_slot_of_its_stratum(ready, crc, sealed_list):
    allocation = randomized(ready, crc)
    ready.refresh_from_db()
    assert ready.status == "randomized"
    assert allocation.stratum.code == "GI|PAIN"
    assert arm_for(crc, ready).code == arm_code(ready) == sealed_list.sequences["GI|PAIN"][0]
