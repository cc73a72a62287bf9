"""What is counted as it happens is what a full count finds, whatever was done and in whatever order."""

import datetime as dt
import uuid
from random import Random

import pytest
from django.db import transaction

from crf.services import record_screen_failure
from pallsoft.audit.context import change_set
from randomization.services import confirm_late, report_late
from sites import services
from sites.clock import database_now
from sites.models import AgeBand, Consent, ScreeningEntry, ScreeningOutcome, Subject
from tests.fixtures.randomizing import definition, fill, list_file, make_ready, open_list  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)
KEPT = "SELECT site_id, kind, day, code, n FROM randomization_tally WHERE n <> 0"
ANEW = "SELECT site_id, kind, day, code, n FROM randomization_recounted"
REASONS = {
    ScreeningOutcome.DECLINED: "declined",
    ScreeningOutcome.NOT_ELIGIBLE: "I1",
    ScreeningOutcome.OTHER: "not_asked",
}


@pytest.fixture
def counts(superuser):
    def counted(statement):
        with superuser.cursor() as cursor:
            cursor.execute(statement)
            return set(cursor.fetchall())

    return counted


@pytest.fixture
def traffic(make_ready, open_list, list_file, bodo, tromso, enrol, consent, crc, make_user, statistician):  # noqa: F811
    """traffic(seed): forty acts of nurses at two sites, drawn at random."""

    def make(seed):
        drawn, position = Random(seed), 0
        open_list(list_file(seed=7, purpose="fallback"))

        def days_ago():
            return database_now() - dt.timedelta(days=drawn.randrange(1, 90), minutes=drawn.randrange(1440))

        for n in range(40):
            act = drawn.choice(["screen", "screen", "close", "enrol", "correct", "fail", "include"])
            pending = list(ScreeningEntry.objects.filter(outcome=ScreeningOutcome.PENDING).order_by("own_number"))
            signed = list(Consent.objects.standing().order_by("subject__number"))
            screening = list(Subject.objects.filter(status="screening").order_by("number"))
            if act == "screen":
                services.log_screening(
                    site=bodo, screened_in=days_ago().date(), age_band=drawn.choice(AgeBand.values), sex="M",
                    key=uuid.uuid4(), by=crc,
                )  # fmt: skip
            elif act == "close" and pending:
                outcome = drawn.choice(list(REASONS))
                services.close_screening(
                    entry=drawn.choice(pending), outcome=outcome, reason_code=REASONS[outcome], by=crc
                )
            elif act == "enrol":
                enrol(bodo, birth_year=1965 + n, consent=consent(signed_at=days_ago(), informed_by=crc))
            elif act == "correct" and signed:
                wrong = drawn.choice(signed)
                facts = consent(signed_at=days_ago(), informed_by=crc)
                services.correct_consent(consent=wrong, facts=facts, by=crc, reason="lest feil")
            elif act == "fail" and screening:
                record_screen_failure(subject=drawn.choice(screening), by=crc, reason="ombestemte seg")
            elif act == "include":
                position += 1
                entry = report_late(subject=make_ready(), happened_at=days_ago(), reason="nett nede", by=crc)
                confirm_late(entry=entry, position=position, by=statistician)

    return make


@pytest.mark.parametrize("seed", range(3))
def test_after_random_traffic_it_is_what_a_full_count_finds(traffic, counts, seed):
    traffic(seed)
    anew = counts(ANEW)
    assert counts(KEPT) == anew
    assert {kind for _site, kind, *_rest in anew} == {"included", "screened", "failed", "consented"}


def test_many_rows_of_one_statement_count_each(counts, study, bodo, tromso, crc):
    at = database_now()
    subjects = [
        Subject(study=study, site=[bodo, tromso][n % 2], number=f"X-{n}", birth_year=1950, sex="F",
                status=["screening", "screen_failure"][n % 2], request_key=uuid.uuid4())
        for n in range(20)
    ]  # fmt: skip
    consents = [
        Consent(study=study, subject=subject, version="1", signed_at=at - dt.timedelta(days=40 * n), language="nb",
                informed_by=crc, copy_given=True)
        for subject in subjects for n in range(3)
    ]  # fmt: skip
    with change_set(study=study, by=None, action="test", reason="mange"):
        Subject.objects.bulk_create(subjects)
        Consent.objects.bulk_create(consents)
    assert counts(KEPT) == counts(ANEW)
    assert sum(row[-1] for row in counts(KEPT)) == 10 + 20


def test_what_is_taken_back_is_not_counted(bodo, crc, counts):
    with pytest.raises(RuntimeError), transaction.atomic():
        services.log_screening(
            site=bodo, screened_in=dt.date(2026, 9, 1), age_band="70-79", sex="F", key=uuid.uuid4(), by=crc
        )
        raise RuntimeError
    assert counts(KEPT) == counts(ANEW) == set()
