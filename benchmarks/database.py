"""What the database part of a save, a load and an export costs."""

import io
import json
import os
import uuid
from itertools import cycle

import psycopg2
from django.db import connection

from benchmarks.measure import Ratio, in_turn
from benchmarks.trial import ITEMS, Trial, add_subjects, answers
from crf.exports import archive
from crf.exports.dataset import Scope, query

INSERT = """INSERT INTO crf_formdata (id, study_id, subject_id, event_id, form_oid, repeat_key, definition_version_id,
    status, version, data, marks) VALUES (%s, %s, %s, %s, %s, '1', %s, 'complete', 1, %s, '{}')"""


def login(role: str = "app") -> "psycopg2.extensions.connection":
    """A bare connection, so that neither side pays for the ORM."""
    chosen = connection.settings_dict
    return psycopg2.connect(
        host=chosen["HOST"], port=chosen["PORT"], dbname=chosen["NAME"], user=f"pallsoft_{role}",
        password=os.environ[f"PALLSOFT_DB_PASSWORD_{role.upper()}"],
    )  # fmt: skip


def first_save(trial: Trial, rounds: int) -> Ratio:
    """First save of a form, with trail, seal and value check, against a bare 30 + 30 rows."""
    document, events = json.dumps(answers(trial)), iter(add_subjects(trial, rounds + 20, answered=False))
    ours, floor = login(), login()
    _make_bare_tables()

    def save() -> None:
        event = next(events)
        keys = (str(uuid.uuid4()), str(trial.study.id), str(event.subject_id), str(event.id), trial.form.oid)
        with ours, ours.cursor() as cursor:
            cursor.execute(
                "SELECT audit.begin(%s, %s, 'Åse Måler', 'study_nurse', %s, 'crf.save_form', '', '', '')",
                [str(trial.study.id), str(trial.nurse.id), str(trial.site.id)],
            )
            cursor.execute(INSERT, [*keys, str(trial.version.id), document])

    def rows() -> None:
        form = str(uuid.uuid4())
        items = [(form, f"ITEM_{n}", "3") for n in range(ITEMS)]
        with floor, floor.cursor() as cursor:
            _insert(cursor, "item_row", items)
            _insert(cursor, "event_row", [(form, item, None, value, form) for form, item, value in items])

    return Ratio("first save, sealed / 30 + 30 bare rows", *in_turn(save, rows, rounds=rounds), "ms", 1.3)


def _make_bare_tables() -> None:
    with login("owner") as owner, owner.cursor() as cursor:
        cursor.execute("CREATE TABLE item_row (form uuid, item text, value text)")
        cursor.execute("CREATE TABLE event_row (form uuid, item text, old text, new text, actor uuid)")
        cursor.execute("GRANT INSERT ON item_row, event_row TO pallsoft_app")


def _insert(cursor: "psycopg2.extensions.cursor", table: str, rows: list[tuple[object, ...]]) -> None:
    places = "(" + ", ".join(["%s"] * len(rows[0])) + ")"
    values = [value for row in rows for value in row]
    cursor.execute(f"INSERT INTO {table} VALUES " + ", ".join([places] * len(rows)), values)


def load_form(trial: Trial, rounds: int) -> Ratio:
    ours = login()
    events = cycle([str(event.id) for event in add_subjects(trial, 200)])

    def run(statement: str, values: list[str]) -> None:
        with ours.cursor() as cursor:
            cursor.execute(statement, values)
            cursor.fetchall()

    load = "SELECT id, version, status, data, marks FROM crf_formdata WHERE event_id = %s AND form_oid = %s AND repeat_key = '1' AND removed_in IS NULL"  # noqa: E501
    times = in_turn(lambda: run(load, [next(events), trial.form.oid]), lambda: run("SELECT 1", []), rounds=rounds)
    ours.close()
    return Ratio("load a form / select 1", *times, "ms", 1.5)


def csv_export(trial: Trial, subjects: int) -> Ratio:
    """The CSV of one form against COPY of the same rows as they lie in the table."""
    add_subjects(trial, subjects)
    scope = Scope((trial.site.code,), with_arm=True)

    def ours() -> None:
        archive.copy_csv("form.csv", query(trial.study, trial.form, scope))

    def floor() -> None:
        with connection.cursor() as cursor:
            cursor.copy_expert("COPY (SELECT * FROM crf_formdata) TO STDOUT WITH (FORMAT csv)", io.BytesIO())

    rounds = 5 if subjects > 20_000 else 11
    return Ratio(f"CSV of one form, {subjects:,} subjects / COPY", *in_turn(ours, floor, rounds=rounds), "ms", 3.5)
