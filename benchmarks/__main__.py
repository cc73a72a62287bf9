"""Runs every benchmark and writes docs/benchmarks.md."""

import os
import platform
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pallsoft.settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.db import connection  # noqa: E402

from benchmarks import allocation, dashboard, database, page, paper, reminders  # noqa: E402
from benchmarks.measure import Ratio  # noqa: E402
from benchmarks.trial import make_trial  # noqa: E402

HEADER = ["What", "Ours", "Floor", "Ratio", "Bound", "Held"]
INTRODUCTION = """# Benchmarks

`./run bench` measures each part and its floor in turn, in one run, on a PostgreSQL with fsync on, and writes this page.
What counts is the ratio: absolute times are those of one machine on one day. Medians.
"""

NOTES = """## What is measured
* **Page**: a saved form of over 30 questions, open for entry, through all middleware; the floor reads session and
  person. The page adds thirteen statements, one of them the line in the access log, flushed to disk before the page is
  shown. Each look of a question is drawn once for all subjects, with marks where each page's texts go: what is kept
  holds nothing that anybody typed.
* **Subject page**: one subject with all forms of all visits saved; the number of statements does not grow with them.
* **Autosave**: one field of an open form, from the browser's message to the committed draft; the floor as above. Small
  statements find person, place and right; one row is written and flushed.
* **Questionnaire page**: one question to a participant who has opened the link; the floor as above.
* **First save**: change set, one document of over 30 values checked against the definition, trail with digest, lock
  path, seal of the chain, commit. Both sides make four round trips and one commit, with the same client library.
* **Save again**: the form is read and three of its answers change: change set, value check, three rows of trail with
  digest, lock path, seal, commit; the floor commits one row of two columns.
* **Load**: one row by its key through psycopg2. *As sent* is what the product does: the statement is parsed and planned
  each time. *Both prepared* shows what the storage itself costs.
* **Allocate**: medians of three rounds of each, in turn; the study's one chain and the row of the stratum put the
  clients in a queue, which pgbench's ten branches do only in part.
* **Casebook**: a subject with 16 filled forms: reading, rules, history of every value, HTML, a tagged PDF/UA with its
  contents; the floor is plain paragraphs from a string, untagged, without a table.
* **Recruitment page**: forecast with bands, figure, months and the table of eleven sites, as the coordinator sees it,
  of inclusions over 700 days; what it is made from is counted as it happens. The floor has 200 of them at as many
  sites, or is the empty view. With `--large` it is a hundred thousand.
* **Plan**: one statement finds what is due of all visits, each by the rules of the study and the state of its subject,
  and puts it into the outbox, whose unique key lets a second run add nothing (checked in the run). Twelve visits a
  subject are spread over two years. The floor copies the very same rows, joined to their visits and subjects by key.
* Tables are analysed first, and sessions warmed up: a session that keeps plans made for empty tables is slower.

## Where the time goes
The disk decides much: where it is busy, every flush takes milliseconds on both sides, so the ratios of the saves come
near to one, and that of the autosave, whose floor has no flush, grows.

* **Page**: between 7 on a busy machine and 10 on a quiet one, where the floor gains most. Of its processor time 37 %
  are templates (a third of that the questions, the rest the frame around them), 12 % go to sending statements and
  making objects of what comes back, 10 % are the floor, 8 % the rules; the rest binds the answers to the questions
  and makes addresses. Most statements are SQL of our own, since Django needs longer to make one than PostgreSQL to
  answer it. What a subject has little of (queries, verifications, signatures, drafts) is asked for in one statement,
  and read only where there is some. `tests/integration/crf/test_queries.py` holds their number.
* **Subject page**: a third are templates (a chip for each form, of which each kind is drawn once), an eighth the rows
  of 75 forms, a fifth the rules and states of the cells.
* **First save**, each part measured in the server without its neighbours: opening the change set 0.10 ms, a fifth of
  it random numbers; the insert 0.39 ms, of which the row with its indexes 0.15, the value check 0.10, the trail with
  its digest 0.10, the lock path 0.02; foreign keys and seal 0.2 ms; then the flush. The floor makes its 60 rows in
  0.1 ms, and flushes. On a quiet disk, where a flush takes 0.3 ms, what the trail, its digests and its seal cost is
  about as much as the whole floor: 1.3 cannot be had there without giving up one of these properties.
* **Save again**: opening the change set 0.10 ms; the update 0.57 ms, of which the row with its indexes 0.14, the
  trail 0.22 (both documents compared, three rows with salt and digest), the value check 0.11, what is written once
  0.03, the lock path 0.03, signatures and verifications 0.02; reading the form 0.1 ms; seal 0.15 ms; two round trips
  more than the floor. Trail and seal keep one plan for each session: planned at every save they took 0.5 ms more.
* **Load**: half of what is above the floor is planning, which prepared statements save and psycopg2 has not; the rest
  finds one row by four conditions and hands over a document of 700 bytes. On a quiet machine, where a bare `SELECT 1`
  takes 0.04 ms, either weighs as much as the floor. Both are a small part of the page around them.
* **Allocate** varies with what else the machine does: eight Python clients share its processors with the server,
  while pgbench's clients cost next to nothing.
"""


def ratios(subjects: int, planned: int) -> list[Ratio]:
    trial = make_trial()
    return [
        page.form_page(trial, rounds=200),
        page.subject_page(trial, rounds=100),
        page.autosave(trial, rounds=200),
        page.questionnaire_page(trial, rounds=200),
        database.first_save(trial, rounds=400),
        database.save_again(trial, rounds=400),
        *database.load_form(trial, rounds=2000),
        allocation.throughput(trial),
        database.csv_export(trial, subjects),
        paper.casebook(trial),
        *dashboard.recruitment_page(trial, subjects),
        reminders.planner(trial, planned),
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
    found = ratios(100_000, 1_000_000) if large else ratios(10_000, 20_000)
    text = report(found)
    print(text)
    name = "benchmarks_large.md" if large else "benchmarks.md"
    (settings.BASE_DIR / "docs" / name).write_text(text, encoding="utf-8")
    return 0 if all(ratio.held for ratio in found) else 1


if __name__ == "__main__":
    sys.exit(main())
