"""What a running demo leaves for others to see: a lock, and the environment of its programs."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path

from tools.steps import ROOT, Problem

DEMO = Path(os.environ.get("PALLSOFT_DEMO_DIR", ROOT / ".demo"))
LOCK = DEMO / "lock"
ENVIRONMENT = DEMO / "environment.json"


@contextlib.contextmanager
def demo_lock() -> Iterator[None]:
    """Held while a demo runs; the kernel lets go of it however the demo ends."""
    with LOCK.open("a") as handle:
        if not _take(handle.fileno()):
            address = environment().get("PALLSOFT_BASE_URL", "another terminal")
            raise Problem(f"A demo is already running from this folder ({address}). End it there with Ctrl-C.")
        yield


def is_running() -> bool:
    if not LOCK.exists():
        return False
    with LOCK.open("a") as handle:
        return not _take(handle.fileno())


def _take(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def environment() -> dict[str, str]:
    """Of the running demo; empty when none runs or none is ready yet."""
    try:
        return json.loads(ENVIRONMENT.read_text()) if is_running() else {}
    except FileNotFoundError:
        return {}


def remember_environment(variables: dict[str, str]) -> None:
    """It holds passwords: readable by its owner only, also while it is being written."""
    forget_environment()
    handle = os.open(ENVIRONMENT, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "w") as file:
        json.dump(variables, file)


def forget_environment() -> None:
    ENVIRONMENT.unlink(missing_ok=True)
