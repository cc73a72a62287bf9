"""Runs every benchmark and writes docs/benchmarks.md."""

import os
import platform
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pallsoft.settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.db import connection  # noqa: E402

from benchmarks import allocation, database, page  # noqa: E402
from benchmarks.measure import Ratio  # noqa: E402
from benchmarks.trial import make_trial  # noqa: E402

HEADER = ["What", "Ours", "Floor", "Ratio", "Bound", "Held"]
INTRODUCTION = """# Benchmarks

`./run bench` measures each part and its floor in turn, in one run, on a PostgreSQL with fsync on, and writes this page.
What counts is the ratio: absolute times are those of one machine on one day. Medians.
"""


def ratios(subjects: int) -> list[Ratio]:
    trial = make_trial()
    return [
        page.form_page(trial, rounds=200),
        database.first_save(trial, rounds=400),
        *database.load_form(trial, rounds=2000),
        allocation.throughput(trial),
        database.csv_export(trial, subjects),
    ]


def report(found: list[Ratio]) -> str:
    rows = [HEADER, ["---"] * len(HEADER), *[ratio.row() for ratio in found]]
    table = "\n".join("| " + " | ".join(row) + " |" for row in rows)
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        server = cursor.fetchone()[0]
    machine = f"Python {platform.python_version()}, PostgreSQL {server}, {os.cpu_count()} cores"
    return f"{INTRODUCTION}\n{table}\n\n{machine}.\n"


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
