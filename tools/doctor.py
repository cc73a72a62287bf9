"""`./run doctor`: what is there and what is missing, one line each."""

from __future__ import annotations

import platform
import shutil
from dataclasses import dataclass

from tools import postgres, state, system, valkey, venv
from tools.steps import ROOT, say

LATER = "comes with the first ./run demo or ./run test"


@dataclass(frozen=True)
class Finding:
    """`needed`: without it nothing runs, and the doctor's exit code is 1."""

    what: str
    there: bool
    detail: str
    needed: bool = True

    def __str__(self) -> str:
        word = "ok" if self.there else "MISSING" if self.needed else "no"
        return f"  {word:<8} {self.what:<12} {self.detail}"


def run() -> int:
    found = findings()
    for finding in found:
        say(str(finding))
    return int(any(finding.needed and not finding.there for finding in found))


def findings() -> list[Finding]:
    browser, address = system.chromium(), state.environment().get("PALLSOFT_BASE_URL")
    free, made = shutil.disk_usage(ROOT).free // 1_000_000, venv.is_current()
    return [
        Finding("Python", True, platform.python_version()),
        Finding("uv", shutil.which("uv") is not None, "on PATH; else the one of the lock is used", needed=False),
        Finding(".venv", made, "as in the lock" if made else LATER, needed=False),
        _server("PostgreSQL", postgres.binaries(), made),
        _server("Valkey", valkey.find(), made),
        Finding("Pango", system.has_pango(), f"for PDF: {system.PANGO_HINT}", needed=False),
        Finding("Chromium", browser is not None, f"for browser tests: {browser or system.CHROMIUM_HINT}", needed=False),
        Finding("disk", free > system.DEMO_MEGABYTES, f"{free} MB free, {system.DEMO_MEGABYTES} needed"),
        Finding("demo", state.is_running(), address or "not running", needed=False),
    ]


def _server(name: str, found: object, made: bool) -> Finding:
    """The wheels of the lock bring both, so only after installing can one be missing."""
    return Finding(name, found is not None or not made, str(found) if made else LATER)
