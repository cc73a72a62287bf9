"""PALLSOFT's own checks across forms: what has happened is stored, and asks; nothing clinical is refused (D7)."""

from datetime import timedelta

import pytest

from crf.entry.interruptions import AnswersNeeded
from crf.models import Deviation, Query, QueryStatus
from crf.services import record_visit_date
from sites.clock import local_today
from sites.models import Sex
from tests.fixtures.by_hand import enter

pytestmark = pytest.mark.django_db
WHY = "Kontrollert mot journalen, ærlig talt"


@pytest.fixture
def woman(enrol, bodo):
    return enrol(bodo, birth_year=1950, sex=Sex.FEMALE)


@pytest.fixture
def today(woman):
    return local_today(woman.site.timezone)


def fraction(day, **more):
    return {
        "RTF_NO": "1",
        "RTF_STATUS": "GIVEN",
        "RTF_DATE": day.isoformat(),
        "RTF_TIME": "09:30",
        "RTF_DOSE": "8",
    } | more


def test_a_fraction_before_consent_is_stored_and_asks_why(woman, crc, today):
    early = today - timedelta(days=400)
    with pytest.raises(AnswersNeeded) as asked:
        enter(woman, crc, "RT", "RTF", fraction(early))
    assert "RTF_D1" in {check.oid for check in asked.value.checks}
    why = {check.oid: WHY for check in asked.value.checks}
    stored = enter(woman, crc, "RT", "RTF", fraction(early), why=why)
    assert stored.data["RTF_DATE"] == early.isoformat()
    assert {one.check_oid for one in Deviation.objects.all()} >= {"RTF_D1"}
    assert not Query.objects.filter(check_oid="RTF_D1").exists(), "a deviation is no query"


def test_systemic_treatment_too_close_to_radiotherapy_is_a_deviation_once_the_dose_is_known(woman, crc, today):
    last = {"SY_ANY": "Y", "SY_TYPE": "CHEMO", "SY_LAST": (today - timedelta(days=3)).isoformat()}
    enter(woman, crc, "RT", "CM", last)
    assert not Deviation.objects.exists()
    enter(woman, crc, "RT", "RTF", fraction(today))
    assert "SY_D1" in {one.check_oid for one in Deviation.objects.all()}


def test_toxicity_of_a_visit_before_radiotherapy_asks_when_the_first_fraction_is_entered(woman, crc, today):
    row = enter(woman, crc, "W4", "TOX", {"TOX_BY": "Åse Lege"})
    record_visit_date(event=row.event, happened_on=today - timedelta(days=5), by=crc, reason="skrev i går")
    assert not Query.objects.exists()
    enter(woman, crc, "RT", "RTF", fraction(today))
    query = Query.objects.get(check_oid="TOX_C3")
    assert (query.item_oid, query.status) == ("TOX_BY", QueryStatus.OPEN)
    record_visit_date(event=row.event, happened_on=today, by=crc, reason="likevel i dag")
    query.refresh_from_db()
    assert query.status == QueryStatus.CLOSED
