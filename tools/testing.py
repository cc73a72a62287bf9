"""`./run test`: throw-away PostgreSQL and Valkey, then pytest, then nothing is left."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO

from tools import messages, processes, system, venv
from tools.database import Plan, prepare_with_venv
from tools.postgres import NOT_DURABLE, SUPERUSER, Postgres
from tools.steps import ROOT, Problem, say, step
from tools.valkey import Valkey

REPORT = "report.xml"
INTERRUPTED, NOTHING_COLLECTED = 2, 5  # pytest's exit codes
ORDINARY = ["-m", "not browser and not faults", "-n", "2"]
# Side by side, as faults wait a lot; a process each, as Django minds that Playwright's event loop outlives its tests.
FAULTS, BROWSER = ["-m", "faults", "-n", "0"], ["-m", "browser", "-n", "0"]


def run(arguments: list[str], long: bool) -> int:
    """The exit code: 0 only when everything asked for ran and passed."""
    strict = os.environ.get("CI") == "true"
    venv.ensure()
    need_libraries(strict)
    messages.compile_all()
    os.environ |= {"PALLSOFT_TEST_LONG": "1"} if long else {}
    with temporary_directory() as directory:
        return _phase(directory, arguments) if arguments else _all_phases(directory, strict)


def need_libraries(strict: bool) -> None:
    """Pango and a browser: installed where that is allowed, else said; in CI they must be there."""
    wanted = [
        ("Pango", system.has_pango, system.PANGO_PACKAGES, "PDF tests"),
        ("Chromium", lambda: system.chromium() is not None, ["chromium"], "browser tests"),
    ]
    for what, is_there, packages, tests in wanted:
        if is_there():
            continue
        if system.may_install():
            system.apt_install(what, packages)
        elif strict:
            raise Problem(f"{what} is missing and CI may skip nothing: apt-get install {' '.join(packages)}")
        else:
            say(f"  {what} is missing, {tests} are skipped: apt-get install {' '.join(packages)}")


@contextlib.contextmanager
def services(directory: Path, settings: dict[str, str] | None = None) -> Iterator[dict[str, str]]:
    """PostgreSQL and Valkey in `directory`; yields the environment for pallsoft/settings.py."""
    postgres = Postgres(directory / "postgres", settings=NOT_DURABLE if settings is None else settings)
    valkey = Valkey(directory / "valkey")
    try:
        with step("PostgreSQL and Valkey started"):
            valkey.start()
            postgres.start()
            plan = Plan(
                host="127.0.0.1", port=postgres.port, admin=SUPERUSER,
                admin_password=postgres.password, owner_password=secrets.token_urlsafe(),
                app_password=secrets.token_urlsafe(), tests=True,
            )  # fmt: skip
            prepare_with_venv(plan)
        yield _environment(directory, plan, valkey)
    finally:
        postgres.stop()
        valkey.stop()


def _environment(directory: Path, plan: Plan, valkey: Valkey) -> dict[str, str]:
    (directory / "static").mkdir()
    return (
        os.environ
        | plan.environment()
        | {
            "PALLSOFT_MODE": "test",
            "PALLSOFT_TEST_SUPERUSER_PASSWORD": plan.admin_password,
            "PALLSOFT_STATIC_ROOT": str(directory / "static"),
            "SECRET_KEY": secrets.token_urlsafe(40),
            "PALLSOFT_CONTACT_KEYS": secrets.token_urlsafe(40),
            "REDIS_URL": valkey.url,
            "CHROMIUM": system.chromium() or "",
            "TMPDIR": str(directory),  # what a killed test leaves goes with it
        }
    )


def _all_phases(directory: Path, strict: bool) -> int:
    """The ordinary tests; then the browser's, with the faults beside them, whose words follow at the end."""
    places = [directory / name for name in ("ordinary", "browser", "faults")]
    for place in places:
        place.mkdir()
        place.chmod(0o711)  # PostgreSQL's other user passes through
    codes = [_phase(places[0], ORDINARY)]
    if codes[0] != INTERRUPTED:
        codes += _side_by_side(*places[1:])
    total = add_up([place / REPORT for place in places])
    say("\n" + ", ".join(f"{total[key]} {key}" for key in ("tests", "failures", "errors", "skipped")))
    if strict and total["skipped"]:
        say("CI may skip nothing: the reasons stand above.")
        return 1
    return next((code for code in codes if code not in (0, NOTHING_COLLECTED)), 0)


def _side_by_side(browser: Path, faults: Path) -> list[int]:
    with (faults / "words").open("w+", encoding="utf-8") as words, services(faults) as environment:
        beside = _pytest(FAULTS, faults, environment, words)
        codes = [_phase(browser, BROWSER), _waited(beside)]
        words.seek(0)
        say(words.read())
    return codes


def _phase(directory: Path, arguments: list[str]) -> int:
    with services(directory) as environment:
        return _waited(_pytest(arguments, directory, environment))


def _waited(tests: subprocess.Popen[bytes]) -> int:
    """Its exit code. Ctrl-C meanwhile reaches pytest too, which then tells what it had; before and after it ends us."""
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        return tests.wait()
    finally:
        signal.signal(signal.SIGINT, before)


def add_up(reports: list[Path]) -> dict[str, int]:
    total = dict.fromkeys(("tests", "failures", "errors", "skipped"), 0)
    for report in filter(Path.exists, reports):
        for suite in ElementTree.parse(report).iter("testsuite"):
            for key in total:
                total[key] += int(suite.get(key, "0"))
    return total


def _pytest(
    arguments: list[str], directory: Path, environment: dict[str, str], words: TextIO | None = None
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [venv.PYTHON, "-m", "pytest", *arguments, f"--junit-xml={directory / REPORT}"],
        env=environment, cwd=ROOT, stdout=words, stderr=words,
        preexec_fn=processes.dies_with_parent(os.getpid(), signal.SIGTERM),
    )  # fmt: skip


@contextlib.contextmanager
def temporary_directory() -> Iterator[Path]:
    """Named after our process, so that a later run can sweep away what a killed one left."""
    base = tempfile.gettempdir()
    if not processes.can_enter(processes.other_user(), Path(base)):
        base = "/var/tmp"
    for old in Path(base).glob("pallsoft-test-*-*"):
        pid = old.name.split("-")[2]
        if pid.isdecimal() and not processes.lives(int(pid)):
            shutil.rmtree(old, ignore_errors=True)
    directory = Path(tempfile.mkdtemp(prefix=f"pallsoft-test-{os.getpid()}-", dir=base))
    directory.chmod(0o711)  # PostgreSQL's other user passes through
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def wait_for(condition: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise Problem(f"{what} did not come within {seconds:.0f} s.")
        time.sleep(0.05)
