"""What it costs to find and plan the reminders that are due, against a bare CREATE TABLE AS of the same rows."""

import os

import psycopg2
from django.db import connection, transaction

from benchmarks.database import analyze
from benchmarks.measure import Ratio, in_turn
from benchmarks.trial import Trial, add_subjects
from crf.reminders import owed

VISITS = 12
# Two years of visits, spread evenly; what was due more than a week ago is done.
SUBJECTS = """
    INSERT INTO sites_subject
    SELECT made.* FROM (SELECT s FROM sites_subject s LIMIT 1) AS of_one(one), generate_series(1, %s) n,
        LATERAL json_populate_record(one, json_build_object('id', gen_random_uuid(), 'request_key', gen_random_uuid(),
            'number', 'PLAN-' || lpad(n::text, 7, '0'))) made
"""
EVENTS = """
    INSERT INTO crf_studyevent
    SELECT made.* FROM (SELECT e FROM crf_studyevent e LIMIT 1) AS of_one(one),
        (SELECT id, row_number() OVER (ORDER BY number) AS n FROM sites_subject WHERE number LIKE 'PLAN-%%') s,
        generate_series(1, %(visits)s) visit,
        LATERAL (SELECT current_date - 365 + ((s.n * 61 + visit * 730 / %(visits)s) %% 730)::int AS day) on_day,
        LATERAL json_populate_record(one, json_build_object('id', gen_random_uuid(), 'subject_id', s.id,
            'ordinal', visit, 'event_oid', %(event)s, 'target_on', day, 'window_from', day - 3, 'window_to', day + 3,
            'happened_on', CASE WHEN day + 3 < current_date - 7 THEN day END)) made
"""
SAME_ROWS = """
    CREATE TABLE planned_again AS SELECT m.* FROM planned m
    JOIN crf_studyevent e ON e.id = m.event_id JOIN sites_subject s ON s.id = e.subject_id
"""


def planner(trial: Trial, subjects: int) -> Ratio:
    """All that a week brought, in one statement; run again, it adds nothing."""
    server = server_login()
    rows = _fill(trial, subjects, server)

    def ours() -> None:
        with transaction.atomic():
            assert owed.plan([trial.site]) == rows
            transaction.set_rollback(True)

    def floor() -> None:
        server.cursor().execute(SAME_ROWS)
        server.rollback()

    times = in_turn(ours, floor, rounds=5, warm_up=1)
    assert (owed.plan([trial.site]), owed.plan([trial.site])) == (rows, 0)
    server.close()
    return Ratio(f"plan {rows:,} reminders of {subjects * VISITS:,} visits / CREATE TABLE AS", *times, "ms", 10)


def _fill(trial: Trial, subjects: int, server: "psycopg2.extensions.connection") -> int:
    """How many reminders are due; they lie in the table `planned`. Triggers would trail each of the rows."""
    add_subjects(trial, 1, answered=False)  # the pattern
    with server, server.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE sites_siteversion SET active_from = current_date - 800")
        cursor.execute("UPDATE sites_assignment SET valid_from = current_date - 800")
        cursor.execute(SUBJECTS, [subjects])
        event = next(event.oid for event in trial.definition.events if event.day is not None)
        cursor.execute(EVENTS, {"event": event, "visits": VISITS})
    analyze()
    rows = owed.plan([trial.site])
    with server, server.cursor() as cursor:
        cursor.execute("CREATE TABLE planned AS SELECT * FROM outbox_message WHERE kind = %s", [owed.KIND])
        cursor.execute("DELETE FROM outbox_message WHERE kind = %s", [owed.KIND])
    analyze()
    return rows


def server_login() -> "psycopg2.extensions.connection":
    chosen = connection.settings_dict
    return psycopg2.connect(
        host=chosen["HOST"], port=chosen["PORT"], dbname=chosen["NAME"], user="postgres",
        password=os.environ["PALLSOFT_TEST_SUPERUSER_PASSWORD"],
    )  # fmt: skip
