"""`./run bench`: the benchmarks on a cluster of their own, with durability on as in real use."""

from __future__ import annotations

import subprocess

from tools import postgres, testing, venv
from tools.demo import manage
from tools.steps import ROOT, step


def run(arguments: list[str]) -> int:
    venv.ensure()
    with testing.temporary_directory() as directory, testing.services(directory, settings={}) as environment:
        environment["PALLSOFT_PG_BIN"] = str(postgres.binaries())  # pgbench, the yardstick
        with step("Database migrated"):
            manage(["migrate", "--no-input"], environment | {"PALLSOFT_DB_ROLE": "owner"})
        return subprocess.call([venv.PYTHON, "-m", "benchmarks", *arguments], env=environment, cwd=ROOT)
