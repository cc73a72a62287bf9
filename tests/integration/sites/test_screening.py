"""The screening log: numbered per site, without identity, closed with a reason."""

import uuid
from datetime import date

import pytest

from pallsoft.errors import Conflict, InvalidInput, NotAllowedNow, NotPermitted
from sites import services
from sites.models import AgeBand, ScreeningEntry, ScreeningOutcome, Sex
from sites.selectors import screening_reasons
from trials.models import Status

MONTH = date(2026, 9, 17)


@pytest.fixture
def log(crc, bodo):
    def make(site=bodo, by=crc, key=None, **changes):
        facts = {"screened_in": MONTH, "age_band": AgeBand.FROM_70, "sex": Sex.FEMALE} | changes
        return services.log_screening(site=site, **facts, key=key or uuid.uuid4(), by=by)

    return make


def test_only_the_month_is_kept(log):
    assert (log().screened_in, log().month) == (date(2026, 9, 1), "2026-09")


def test_entries_are_numbered_per_site(log, outsider, tromso):
    assert [log().own_number, log().own_number, log(site=tromso, by=outsider).own_number] == [1, 2, 1]


@pytest.mark.req("DAT-03")
def test_the_same_request_is_one_entry(log):
    key = uuid.uuid4()
    assert log(key=key) == log(key=key)
    assert ScreeningEntry.objects.count() == 1


@pytest.mark.req("DAT-03")
def test_the_same_key_with_other_content_is_refused(log):
    key = uuid.uuid4()
    log(key=key)
    with pytest.raises(Conflict):
        log(key=key, sex=Sex.MALE)


@pytest.mark.req("DAT-08")
def test_a_month_to_come_is_refused(log):
    with pytest.raises(InvalidInput):
        log(screened_in=date(2999, 1, 1))


@pytest.mark.req("ACC-02")
def test_nobody_logs_for_another_site(log, outsider, bodo):
    with pytest.raises(NotPermitted):
        log(site=bodo, by=outsider)


def test_a_site_that_is_not_open_yet_screens_nobody(log, study, crc, admin):
    planned = services.create_site(study=study, code="SKI", name="Skien", city="Skien", by=None)
    services.approve_version(
        site=planned,
        version=study.versions.get(),
        ethics_approved_on=date(2026, 1, 1),
        ethics_reference="606316",
        active_from=date(2026, 1, 1),
        by=None,
    )
    services.assign_role(study=study, user=crc, role="study_nurse", site=planned, by=admin)
    with pytest.raises(NotAllowedNow):
        log(site=planned)


def test_a_closed_out_site_screens_nobody(log, bodo, coordinator):
    for status in (Status.CLOSED_TO_RECRUITMENT, Status.CLOSED_OUT):
        services.set_site_status(site=bodo, status=status, since=date(2026, 1, 1), by=coordinator, reason="slutt")
    with pytest.raises(NotAllowedNow):
        log()


def test_the_reasons_are_the_criteria_of_the_definition(bodo, definition):
    criteria = [criterion.oid for criterion in definition.study.eligibility.criteria]
    assert [code for code, _ in screening_reasons(bodo)[ScreeningOutcome.NOT_ELIGIBLE]] == criteria


@pytest.mark.parametrize("outcome", [ScreeningOutcome.NOT_ELIGIBLE, ScreeningOutcome.DECLINED, ScreeningOutcome.OTHER])
def test_an_entry_is_closed_with_a_coded_reason(log, crc, bodo, outcome):
    code, _words = screening_reasons(bodo)[outcome][0]
    services.close_screening(entry=log(), outcome=outcome, reason_code=code, by=crc)
    kept = ScreeningEntry.objects.get()
    assert (kept.outcome, kept.reason_code) == (outcome, code)


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (ScreeningOutcome.NOT_ELIGIBLE, "declined"),
        (ScreeningOutcome.DECLINED, "I99"),
        (ScreeningOutcome.CONSENTED, "declined"),
        (ScreeningOutcome.PENDING, ""),
    ],
)
def test_a_reason_that_does_not_fit_is_refused(log, crc, outcome, code):
    with pytest.raises(InvalidInput):
        services.close_screening(entry=log(), outcome=outcome, reason_code=code, by=crc)


def test_a_closed_entry_stays_closed(log, crc):
    entry = log()
    services.close_screening(entry=entry, outcome=ScreeningOutcome.DECLINED, reason_code="declined", by=crc)
    with pytest.raises(NotAllowedNow):
        services.close_screening(entry=entry, outcome=ScreeningOutcome.OTHER, reason_code="other", by=crc)
