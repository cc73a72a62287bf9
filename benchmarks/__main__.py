"""Runs every benchmark and writes docs/benchmarks.md."""

import os
import platform
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pallsoft.settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.db import connection  # noqa: E402

from benchmarks import allocation, database, page, paper  # noqa: E402
from benchmarks.measure import Ratio  # noqa: E402
from benchmarks.trial import make_trial  # noqa: E402

HEADER = ["What", "Ours", "Floor", "Ratio", "Bound", "Held"]
INTRODUCTION = """# Benchmarks

`./run bench` measures each part and its floor in turn, in one run, on a PostgreSQL with fsync on, and writes this page.
What counts is the ratio: absolute times are those of one machine on one day. Medians.
"""

NOTES = """## What is measured
* **Page**: a saved form of over 30 questions, open for entry, through all middleware; the floor reads session and
  person. The page adds some twenty statements, one of them the line in the access log, flushed to disk before the
  page is shown, and draws the questions; one with answers to choose from is drawn once for each answer and language.
* **Autosave**: one field of an open form, from the browser's message to the committed draft; the floor as above. Small
  statements find person, place and right; one row is written and flushed.
* **First save**: change set, one document of over 30 values checked against the definition, trail with digest, lock
  path, seal of the chain, commit. Both sides make four round trips and one commit, with the same client library.
* **Save again**: the form is read and three of its answers change: change set, value check, three rows of trail with
  digest, lock path, seal, commit; the floor commits one row of two columns.
* **Load**: one row by its key through psycopg2. *As sent* is what the product does: the statement is parsed and planned
  each time. *Both prepared* shows what the storage itself costs.
* **Allocate**: medians of three rounds of each, in turn; the study's one chain and the row of the stratum put the
  clients in a queue, which pgbench's ten branches do only in part.
* **Subject page**: one subject with all forms of all visits saved; the number of statements does not grow with them.
* **Casebook**: a subject with 16 filled forms: reading, rules, history of every value, HTML, a tagged PDF/UA with its
  contents; the floor is plain paragraphs from a string, untagged, without a table.
* Tables are analysed first, and sessions warmed up: a session that keeps plans made for empty tables is slower.

## Where the time goes in what is missed, or nearly
* **Page**: with 34 items and nine statements the ratio was 10. Drafts, queries, verifications, signatures and
  participation added ten statements, most of whose time is Django's making of SQL and objects, not PostgreSQL; and the
  form has 50 items now. `tests/integration/crf/test_queries.py` holds the number of statements.
* **Subject page**: of its time some 40 % go to twenty statements, 30 % to templates (a chip for each form), 20 % to the
  rules that say which forms are shown. The number of statements does not grow with the forms.
* **First save**, 1.2 ms on a quiet disk against 0.7 ms: opening the change set 0.2 ms; the insert 0.45 ms, of which the
  value check 0.17, the trail with its digest 0.12, the lock path 0.04 and the row itself 0.07; the commit with deferred
  keys, seal and flush 0.35 ms. The value check is one index look-up and one expression for each value, inlined by the
  planner. What remains above the bound are the properties of the trail; the slower the disk, the nearer to one.
* **Load**: 0.045 ms of planning, which prepared statements save, and some 0.02 ms to hand over a document of 700
  bytes. Either is a small part of the page around it.
* **Allocate** varies between 0.27 and 0.32 with what else the machine does: eight Python clients share its processors
  with the server, while pgbench's clients cost next to nothing.
"""


def ratios(subjects: int) -> list[Ratio]:
    trial = make_trial()
    return [
        page.form_page(trial, rounds=200),
        page.subject_page(trial, rounds=100),
        page.autosave(trial, rounds=200),
        database.first_save(trial, rounds=400),
        database.save_again(trial, rounds=400),
        *database.load_form(trial, rounds=2000),
        allocation.throughput(trial),
        database.csv_export(trial, subjects),
        paper.casebook(trial),
    ]


def report(found: list[Ratio]) -> str:
    rows = [HEADER, ["---"] * len(HEADER), *[ratio.row() for ratio in found]]
    table = "\n".join("| " + " | ".join(row) + " |" for row in rows)
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        server = cursor.fetchone()[0]
    load = os.getloadavg()[0]
    machine = (
        f"Python {platform.python_version()}, PostgreSQL {server}, {os.cpu_count()} cores, load {load:.1f} at the end"
    )
    return f"{INTRODUCTION}\n{table}\n\n{machine}.\n\n{NOTES}"


def main() -> int:
    large = "--large" in sys.argv[1:]
    found = ratios(100_000 if large else 10_000)
    text = report(found)
    print(text)
    name = "benchmarks_large.md" if large else "benchmarks.md"
    (settings.BASE_DIR / "docs" / name).write_text(text, encoding="utf-8")
    return 0 if all(ratio.held for ratio in found) else 1


if __name__ == "__main__":
    sys.exit(main())
