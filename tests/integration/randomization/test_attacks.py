"""What a stolen password of the application's login, or injected SQL, can do at the door of the list."""

import uuid
from contextlib import closing
from datetime import UTC, datetime

import psycopg2
import pytest
from django.db import connection

from pallsoft.audit.context import change_set
from randomization.models import Scheme
from randomization.services.allocate import ALLOCATE

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("RND-06")]

BEGIN = "SELECT audit.begin(%s, %s, 'x', '', NULL, 'x', 'x', '', '')"
LATE = "SELECT randomization_allocate_late(%s, %s, %s, %s, %s, %s, %s, %s, %s)"


@pytest.fixture
def said_by():
    """said_by(function, arguments, settings): what the server says to it in a transaction that is rolled back."""

    def ask(study, by, function, given, settings=()):
        login = psycopg2.connect(**connection.get_connection_params())
        with closing(login), login.cursor() as cursor:
            cursor.execute(BEGIN, [str(study.pk), str(by.pk)])
            for setting in settings:
                cursor.execute(f"SET {setting}")
            login.notices.clear()
            return _error(cursor, function, given) + "".join(login.notices)

    return ask


def _error(cursor, function, given):
    """ "" when there was none."""
    try:
        cursor.execute(function, list(given))
    except psycopg2.Error as error:
        return str(error)
    return ""


@pytest.fixture
def peep(ready, crc, said_by):
    """peep(p_inputs=None): randomise by SQL."""

    def run(*settings, **changes):
        given = {
            "p_subject": str(ready.pk), "p_stratum": "GI|PAIN", "p_key": str(uuid.uuid4()), "p_by": str(crc.pk),
            "p_inputs": "{}", "p_inputs_sha256": "0" * 64, "p_version": "1",
        } | changes  # fmt: skip
        return said_by(ready.study, crc, ALLOCATE, given.values(), settings)

    return run


@pytest.fixture
def enter_late(ready, crc, open_list, list_file, said_by):
    """enter_late(at, position): a late entry by SQL."""
    open_list(list_file(seed=7, purpose="fallback"))

    def enter(at, position, *settings):
        given = [str(ready.pk), "GI|PAIN", str(uuid.uuid4()), str(crc.pk), "{}", "0" * 64, "1", at, position]
        return said_by(ready.study, crc, LATE, given, settings)

    return enter


@pytest.mark.parametrize(
    "left_out", ["p_by", "p_inputs", "p_inputs_sha256", "p_key", "p_version", "p_subject", "p_stratum"]
)
def test_an_error_shows_no_row_that_was_about_to_be_stored(peep, left_out):
    said = peep(**{left_out: None})
    assert said and "row contains" not in said


SHOWING_PLANS = ("client_min_messages = log", "plan_cache_mode = force_custom_plan", "debug_print_plan = on")


def test_no_setting_makes_the_server_print_a_plan_with_the_arm_in_it(peep):
    said = peep(*SHOWING_PLANS)
    assert said.count("PLANNEDSTMT") == 1  # of the SELECT that this session sent, of nothing inside


@pytest.mark.parametrize(("at", "position"), [(None, 1), ("2026-09-01T12:00:00Z", None), ("2026-09-01T12:00:00Z", 2)])
def test_a_late_entry_without_its_time_or_place_takes_no_slot(enter_late, at, position):
    assert "not the next slot" in enter_late(at, position)


def test_a_late_entry_prints_no_plan_either(enter_late):
    assert enter_late("2026-09-01T12:00:00Z", 1, *SHOWING_PLANS).count("PLANNEDSTMT") == 1


def test_a_list_cannot_be_slipped_in_before_those_that_are_there(sealed_list, study, statistician, coordinator):
    """Sent with an early time and as confirmed, it arrives now and unconfirmed."""
    with change_set(study=study, by=statistician, action="test"):
        slipped = Scheme.objects.create(
            study=study, generator="x", list_sha256="0" * 64, imported_by=statistician,
            imported_at=datetime(2020, 1, 1, tzinfo=UTC), confirmed_by=coordinator, confirmed_at=datetime.now(UTC),
        )  # fmt: skip
    slipped.refresh_from_db()
    assert slipped.imported_at.year > 2020 and slipped.confirmed_at is None and slipped.confirmed_by is None
