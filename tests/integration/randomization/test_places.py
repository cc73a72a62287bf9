"""Where what keeps a gate closed can be mended."""

import pytest

from crf.selectors.eligibility import eligibility_of
from randomization import places
from tests.fixtures.randomizing import save_one

pytestmark = pytest.mark.django_db
FORMS = "/s/TOARM/subjects/BOD-001/events"


@pytest.fixture
def found(ready):
    return eligibility_of(ready)


@pytest.mark.parametrize(
    ("rule", "url"),
    [
        ("SCREEN.SCORE_NRS > 3", f"{FORMS}/SCREEN-1/forms/SCORE/1/"),
        ("fact.score > 3", f"{FORMS}/SCREEN-1/forms/SCORE/1/"),
        ("subject.birth_year > 1900 and ANY.BASE_GROUP == 'GI'", f"{FORMS}/SCREEN-1/forms/BASE/1/"),
        ("WK2.SCORE_NRS > 3", f"{FORMS}/WK2-1/forms/SCORE/1/"),
        ("WK2.DOSE_GY > 3", f"{FORMS}/WK2-1/forms/DOSE/1/"),
        ("ANY.DOSE_GY > 3", f"{FORMS}/WK2-1/forms/DOSE/1/"),
        ("subject.birth_year > 1900", ""),
    ],
)
def test_a_rule_is_mended_at_the_first_form_that_it_asks(found, rule, url):
    assert places.of_rule(found, rule) == url


def test_a_form_that_is_there_is_opened_where_it_is(ready, crc):
    save_one(ready, "SCORE", {"SCORE_NRS": "5"}, crc, event_oid="WK2")
    assert places.of_rule(eligibility_of(ready), "WK2.SCORE_NRS > 3") == f"{FORMS}/WK2-1/forms/SCORE/1/"
