"""What the database part of a save, a load and an export costs."""

import io
import json
import os
import uuid
from collections.abc import Sequence
from itertools import cycle

import psycopg2
from django.db import connection
from psycopg2.extras import register_default_jsonb

from benchmarks.measure import Ratio, in_turn
from benchmarks.trial import ITEMS, Trial, add_subjects, answers
from crf.exports import archive
from crf.exports.dataset import Scope, query

LOAD = """SELECT id, version, status, data, marks FROM crf_formdata
    WHERE event_id = {} AND form_oid = {} AND repeat_key = '1' AND removed_in IS NULL"""
BEGIN = "SELECT audit.begin(%s, %s, 'Åse Måler', 'study_nurse', %s, 'crf.save_form', %s, '', '')"
WARM_UP = 50  # rounds until the triggers' plans are the kept ones
INSERT = """INSERT INTO crf_formdata (id, study_id, subject_id, event_id, form_oid, repeat_key, definition_version_id,
    status, version, data, marks) VALUES (%s, %s, %s, %s, %s, '1', %s, 'complete', 1, %s, '{}')"""


def login(role: str = "app") -> "psycopg2.extensions.connection":
    """A bare connection, so that neither side pays for the ORM."""
    chosen = connection.settings_dict
    return psycopg2.connect(
        host=chosen["HOST"], port=chosen["PORT"], dbname=chosen["NAME"], user=f"pallsoft_{role}",
        password=os.environ[f"PALLSOFT_DB_PASSWORD_{role.upper()}"],
    )  # fmt: skip


def analyze() -> None:
    """What autovacuum does within minutes in real use: sessions that keep plans made for empty tables are slow."""
    owner = login("owner")
    owner.autocommit = True
    owner.cursor().execute("ANALYZE")
    owner.close()


def first_save(trial: Trial, rounds: int) -> Ratio:
    """First save of a form, with trail, seal and value check, against a bare 30 + 30 rows."""
    add_subjects(trial, 1_000)
    document, events = json.dumps(answers(trial)), iter(add_subjects(trial, rounds + WARM_UP, answered=False))
    _make_bare_tables()
    analyze()
    ours, floor = login(), login()

    def save() -> None:
        event = next(events)
        keys = (str(uuid.uuid4()), str(trial.study.id), str(event.subject_id), str(event.id), trial.form.oid)
        with ours, ours.cursor() as cursor:
            cursor.execute(BEGIN, [str(trial.study.id), str(trial.nurse.id), str(trial.site.id), ""])
            cursor.execute(INSERT, [*keys, str(trial.version.id), document])

    def rows() -> None:
        form = str(uuid.uuid4())
        items = [(form, f"ITEM_{n}", "3") for n in range(ITEMS)]
        with floor, floor.cursor() as cursor:
            _insert(cursor, "item_row", items)
            _insert(cursor, "event_row", [(form, item, None, value, form) for form, item, value in items])

    return Ratio(
        "first save, sealed / 30 + 30 bare rows", *in_turn(save, rows, rounds=rounds, warm_up=WARM_UP), "ms", 1.3
    )


def save_again(trial: Trial, rounds: int) -> Ratio:
    """Load a form, store it with 3 other answers, with value check, trail and seal; against a commit of one row."""
    events = iter(add_subjects(trial, rounds + WARM_UP))
    analyze()
    with login("owner") as owner, owner.cursor() as cursor:
        cursor.execute("CREATE TABLE one_row (id uuid, at timestamptz DEFAULT now())")
        cursor.execute("GRANT INSERT ON one_row TO pallsoft_app")
    ours, floor = login(), login()
    register_default_jsonb(ours, loads=json.loads)
    changed = _three_others(trial)

    def save() -> None:
        event = next(events)
        with ours, ours.cursor() as cursor:
            cursor.execute(LOAD.format("%s", "%s"), [str(event.id), trial.form.oid])
            row, version, _status, data, _marks = cursor.fetchone()
            cursor.execute(BEGIN, [str(trial.study.id), str(trial.nurse.id), str(trial.site.id), "Hørt feil"])
            cursor.execute(
                "UPDATE crf_formdata SET data = %s, version = version + 1 WHERE id = %s AND version = %s",
                [json.dumps(data | changed), row, version],
            )
            assert cursor.rowcount == 1

    def one_row() -> None:
        with floor, floor.cursor() as cursor:
            cursor.execute("INSERT INTO one_row (id) VALUES (%s)", [str(uuid.uuid4())])

    times = in_turn(save, one_row, rounds=rounds, warm_up=WARM_UP)
    return Ratio("load and save again with 3 changes / 1-row commit", *times, "ms", 3)


def _three_others(trial: Trial) -> dict[str, str]:
    """Other codes for three answers from a list."""
    others: dict[str, str] = {}
    for item in trial.form.items:
        listed = trial.definition.codes_of(item)
        codes = [one.code for one in listed.items] if listed else []
        other = next((code for code in codes if code != answers(trial).get(item.oid)), "")
        others |= {item.oid: other} if other and not item.derived else {}
    return dict(list(others.items())[:3])


def _make_bare_tables() -> None:
    with login("owner") as owner, owner.cursor() as cursor:
        cursor.execute("CREATE TABLE item_row (form uuid, item text, value text)")
        cursor.execute("CREATE TABLE event_row (form uuid, item text, old text, new text, actor uuid)")
        cursor.execute("GRANT INSERT ON item_row, event_row TO pallsoft_app")


def _insert(cursor: "psycopg2.extensions.cursor", table: str, rows: Sequence[tuple[object, ...]]) -> None:
    places = "(" + ", ".join(["%s"] * len(rows[0])) + ")"
    values = [value for row in rows for value in row]
    cursor.execute(f"INSERT INTO {table} VALUES " + ", ".join([places] * len(rows)), values)


def load_form(trial: Trial, rounds: int) -> list[Ratio]:
    """One form by its key: as the product sends it, which plans anew each time, and as a prepared statement."""
    events = cycle([str(event.id) for event in add_subjects(trial, 200)])
    analyze()
    ours = login()
    register_default_jsonb(ours, loads=str)  # as Django, which parses a document only when it is asked for

    def run(statement: str, *values: str) -> None:
        with ours.cursor() as cursor:
            cursor.execute(statement, values)
            cursor.fetchall()

    ours.cursor().execute("PREPARE one AS SELECT 1")
    ours.cursor().execute(f"PREPARE load (uuid, text) AS {LOAD.format('$1', '$2')}")
    sent = in_turn(
        lambda: run(LOAD.format("%s", "%s"), next(events), trial.form.oid), lambda: run("SELECT 1"), rounds=rounds
    )
    prepared = in_turn(
        lambda: run("EXECUTE load (%s, %s)", next(events), trial.form.oid), lambda: run("EXECUTE one"), rounds=rounds
    )
    ours.close()
    return [
        Ratio("load a form / select 1, as sent", *sent, "ms", 1.5),
        Ratio("load a form / select 1, both prepared", *prepared, "ms", 1.5),
    ]


def csv_export(trial: Trial, subjects: int) -> Ratio:
    """The CSV of one form against COPY of the same rows as they lie in the table."""
    add_subjects(trial, subjects)
    scope = Scope((trial.site.code,), with_arm=True)

    def ours() -> None:
        archive.copy_csv("form.csv", query(trial.study, trial.definition, trial.form, scope))

    def floor() -> None:
        with connection.cursor() as cursor:
            cursor.copy_expert("COPY (SELECT * FROM crf_formdata) TO STDOUT WITH (FORMAT csv)", io.BytesIO())

    rounds = 5 if subjects > 20_000 else 11
    return Ratio(f"CSV of one form, {subjects:,} subjects / COPY", *in_turn(ours, floor, rounds=rounds), "ms", 3.5)
