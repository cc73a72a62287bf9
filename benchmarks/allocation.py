"""Allocations a second from eight clients at once, against pgbench's TPC-B with eight clients on the same cluster."""

import datetime as dt
import json
import os
import re
import secrets
import statistics
import subprocess
import time
import uuid
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from django.db import connection

from benchmarks.database import analyze, login
from benchmarks.measure import Ratio
from benchmarks.trial import Trial, add_subjects
from pallsoft.accounts.models import User
from pallsoft.audit.context import change_set
from randomization.generator import SEED_BYTES, Plan
from randomization.list_file import commitment, write_list
from randomization.services.lists import confirm_list, import_list
from randomization.strata import arms_of, strata_of
from sites.models import Assignment, Role

CLIENTS, EACH, SECONDS, ROUNDS = 8, 100, 4, 3
BLOCKS = (4, 6)  # of the benchmark's own throw-away list


def throughput(trial: Trial) -> Ratio:
    """Medians of ROUNDS rounds, in turn."""
    strata = _open_list(trial)
    events = add_subjects(trial, ROUNDS * CLIENTS * EACH, answered=False)
    subjects = [str(event.subject_id) for event in events]
    analyze()
    connection.close()  # children must not share it
    _make_tpc_b()
    rates = [(_allocations(trial, strata, subjects[n::ROUNDS]), _tpc_b()) for n in range(ROUNDS)]
    ours, floor = (statistics.median(rate) for rate in zip(*rates, strict=True))
    return Ratio("allocate, 8 clients / TPC-B, 8 clients", ours, floor, "/s", 0.3, at_most=False)


def _allocations(trial: Trial, strata: list[str], subjects: list[str]) -> float:
    """Allocations a second."""
    work = [(subjects[n::CLIENTS], strata, str(trial.study.id), str(trial.nurse.id)) for n in range(CLIENTS)]
    with ProcessPoolExecutor(CLIENTS, mp_context=get_context("fork")) as clients:
        list(clients.map(_nothing, range(CLIENTS)))
        start = time.perf_counter()
        done = sum(clients.map(_allocate, work))
        return done / (time.perf_counter() - start)


def _nothing(_n: int) -> None:
    """Lets the processes start before the clock does."""


def _allocate(work: tuple[list[str], list[str], str, str]) -> int:
    subjects, strata, study, nurse = work
    client = login()
    for n, subject in enumerate(subjects):
        with client, client.cursor() as cursor:
            cursor.execute(
                "SELECT audit.begin(%s, %s, 'Åse Måler', 'study_nurse', NULL, 'randomization.randomize', '', '', '')",
                [study, nurse],
            )
            stratum = strata[n % len(strata)]
            inputs = [subject, stratum, str(uuid.uuid4()), nurse, json.dumps({}), "0" * 64, "benchmark"]
            cursor.execute("SELECT randomization_allocate(%s, %s, %s, %s, %s, %s, %s)", inputs)
    client.close()
    return len(subjects)


def _open_list(trial: Trial) -> list[str]:
    strata = strata_of(trial.definition)
    slots = ROUNDS * CLIENTS * EACH
    plan = Plan(trial.study.oid, trial.study.mode, "central", arms_of(trial.definition), tuple(strata), BLOCKS, slots)
    content = write_list(plan, secrets.token_bytes(SEED_BYTES))
    holder, second = _holder(trial, "lista"), _holder(trial, "listb")
    scheme = import_list(study=trial.study, content=content, sha256=commitment(content), by=holder)
    confirm_list(scheme=scheme, sha256=commitment(content), by=second)
    with change_set(study=trial.study, by=None, action="benchmark", reason="benchmark"):
        trial.study.randomization_open = True
        trial.study.save()
    return list(strata)


def _holder(trial: Trial, name: str) -> User:
    with change_set(study=trial.study, by=None, action="benchmark", reason="benchmark"):
        user = User(username=name, full_name=name, email=f"{name}@example.org")
        user.set_unusable_password()
        user.save()
        Assignment.objects.create(
            study=trial.study, user=user, role=Role.UNBLINDED_STATISTICIAN, valid_from=dt.date.today()
        )
    return user


def _make_tpc_b() -> None:
    _pgbench("-i", "-q", "-s", "10")


def _tpc_b() -> float:
    """Transactions a second of pgbench's default script."""
    output = _pgbench("-c", str(CLIENTS), "-j", "2", "-T", str(SECONDS), "-n")
    (tps,) = re.findall(r"tps = ([\d.]+)", output)
    return float(tps)


def _pgbench(*options: str) -> str:
    chosen = connection.settings_dict
    program = os.path.join(os.environ["PALLSOFT_PG_BIN"], "pgbench")
    server = ["-h", chosen["HOST"], "-p", str(chosen["PORT"]), "-U", "postgres"]
    environment = os.environ | {"PGPASSWORD": os.environ["PALLSOFT_TEST_SUPERUSER_PASSWORD"]}
    command = [program, *server, *options, "postgres"]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
