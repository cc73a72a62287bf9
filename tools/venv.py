"""The virtual environment: made once, filled again only when the lock has changed."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tools import system
from tools.steps import ROOT, Problem, step, tail

VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCK = ROOT / "requirements-dev.lock"
REQUIREMENTS = ("--require-hashes", "-r", str(LOCK))
STAMP = VENV / "installed.sha256"


def ensure() -> None:
    """Makes and fills `.venv`; several commands may ask at the same time, one does the work."""
    with _one_at_a_time():
        if not PYTHON.exists():
            with step("Virtual environment made"):
                _make()
        if not is_current():
            with step("Packages installed from the lock"):
                _install()
            mark_current()


def is_current() -> bool:
    return STAMP.exists() and STAMP.read_text() == _fingerprint()


def mark_current() -> None:
    STAMP.write_text(_fingerprint())


def _fingerprint() -> str:
    return hashlib.sha256(LOCK.read_bytes()).hexdigest()


def _make() -> None:
    uv = shutil.which("uv")
    if uv:
        _call([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(VENV)])
        return
    system.need_ensurepip()
    _call([sys.executable, "-m", "venv", "--clear", str(VENV)])


def _install() -> None:
    """With uv, which takes a fifth of pip's time; pip where uv cannot, as with an index only pip knows."""
    try:
        _call([_uv(), "pip", "install", "--quiet", "--python", str(PYTHON), *REQUIREMENTS])
    except Problem:
        _pip(*REQUIREMENTS)


def _uv() -> str:
    """The one on PATH, else the one of the lock."""
    own = PYTHON.parent / "uv"
    if not shutil.which("uv") and not own.exists():
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as only_uv:
            only_uv.write(lines_of("uv"))
            only_uv.flush()
            _pip("--require-hashes", "-r", only_uv.name)
    return shutil.which("uv") or str(own)


def lines_of(package: str) -> str:
    """The pin of one package with its hashes, as it stands in the lock."""
    found = re.search(rf"^{package}==.*?(?=^\S)", LOCK.read_text(), re.M | re.S)
    if found is None:
        raise Problem(f"{LOCK.name} does not name {package}.")
    return found.group()


def _pip(*arguments: str) -> None:
    if subprocess.run([PYTHON, "-m", "pip", "--version"], capture_output=True).returncode:
        system.need_ensurepip()  # uv makes environments without pip
        _call([str(PYTHON), "-m", "ensurepip", "--default-pip"])
    _call([str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments])


def _call(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise Problem(
            f"{tail(done.stdout + done.stderr)}\n"
            f"Installing failed (above). Check the network and the disk (`df -h {ROOT}`), "
            "then run the command again; it goes on where it stopped."
        )


@contextlib.contextmanager
def _one_at_a_time() -> Iterator[None]:
    with Path(ROOT / ".venv.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
