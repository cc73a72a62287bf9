"""The recruitment page counts inclusions, by site and month, for those who may see them."""

import datetime as dt
import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from pallsoft.recruitment import Recruitment, months_between, recruitment_of
from sites.models import ScreeningOutcome
from sites.services import log_screening


def test_months_have_no_hole_across_a_year_end():
    months = months_between(dt.date(2025, 11, 1), dt.date(2026, 2, 14))
    assert months == [dt.date(2025, 11, 1), dt.date(2025, 12, 1), dt.date(2026, 1, 1), dt.date(2026, 2, 1)]


def recruitment(**by_site):
    months = months_between(dt.date(2026, 1, 1), dt.date(2026, 5, 1))
    return Recruitment(200, months, by_site, [0] * 5, 0, {})


def test_counts_add_up_over_sites_and_months():
    found = recruitment(bodo=[1, 0, 2, 1, 0], oslo=[0, 1, 3, 0, 1])
    assert found.per_month == [1, 1, 5, 1, 1]
    assert found.cumulative == [1, 2, 7, 8, 9]
    assert (found.total, found.this_month) == (9, 1)


def test_the_recent_mean_leaves_the_month_out_that_is_not_over():
    assert recruitment(bodo=[9, 1, 2, 3, 50]).recent_mean == 2


def test_a_person_without_sites_sees_zero_everywhere():
    found = recruitment()
    assert (found.total, found.this_month, found.recent_mean, found.cumulative) == (0, 0, 0.0, [0] * 5)


@pytest.fixture
def page(sign_in, study):
    def get(user):
        return sign_in(user).get(reverse("recruitment", kwargs={"study_oid": study.oid}))

    return get


def test_pc013_every_screening_entry_is_counted_under_its_outcome(study, bodo, crc, definition):
    log_screening(site=bodo, screened_in=dt.date(2026, 9, 1), age_band="70-79", sex="F", key=uuid.uuid4(), by=crc)
    found = recruitment_of(study, definition.study, [bodo], dt.date(2026, 11, 25))
    assert (found.screened, found.outcomes[ScreeningOutcome.PENDING]) == (1, 1)


def test_a_consent_counts_in_the_month_in_which_it_was_signed(study, bodo, subject, definition):
    found = recruitment_of(study, definition.study, [bodo], dt.date(2026, 11, 25))
    assert (found.months[0], found.consented) == (dt.date(2026, 9, 1), [1, 0, 0])


def test_the_coordinator_sees_all_sites_and_a_nurse_the_own(page, bodo, tromso, crc, coordinator):
    assert {row["site"].city for row in page(coordinator).context["site_rows"]} == {"Bodø", "Tromsø"}
    assert {row["site"].city for row in page(crc).context["site_rows"]} == {"Bodø"}


def test_nothing_on_the_page_is_by_arm(page, coordinator, definition):
    text = page(coordinator).content.decode()
    assert not any(str(arm.label) in text for arm in definition.study.arms)


def queries_of(page, user):
    with CaptureQueriesContext(connection) as captured:
        page(user)
    return len(captured)


def test_the_number_of_queries_does_not_grow_with_the_sites(page, coordinator, make_site, bodo):
    page(coordinator)  # the definition is parsed once per process
    with_one = queries_of(page, coordinator)
    for code, city in (("TRO", "Tromsø"), ("OSL", "Oslo"), ("ALE", "Ålesund")):
        make_site(code, city)
    assert queries_of(page, coordinator) == with_one
