"""Print each requirement with the tests that name it and how they ended (docs/requirements.csv)."""

import csv
import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

RESULTS = settings.BASE_DIR / ".demo" / "requirements.json"  # written by the test run (tests/proofs.py)


def stated() -> list[dict[str, str]]:
    """Rows of docs/requirements.csv: id, statement, source, stage."""
    with (settings.BASE_DIR / "docs" / "requirements.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def outcomes(path: Path) -> dict[str, dict[str, str]]:
    """{requirement id: {test: "passed" | "failed"}} of the test runs so far; empty when there was none."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def verdict(tests: dict[str, str]) -> str:
    if not tests:
        return "open"
    return "proved" if set(tests.values()) == {"passed"} else "FAILED"


class Command(BaseCommand):
    help = "Which requirements are proved by a passing test of the last ./run test"

    def handle(self, *args: Any, **options: Any) -> None:
        results = outcomes(RESULTS)
        for row in stated():
            tests = results.get(row["id"], {})
            self.stdout.write(f"{row['id']}  {verdict(tests):7}  {len(tests):3} tests  {row['statement'][:90]}")
        proved = sum(verdict(results.get(row["id"], {})) == "proved" for row in stated())
        self.stdout.write(f"{proved} of {len(stated())} requirements proved")
