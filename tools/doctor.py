"""`./run doctor`: what is there and what is missing, one line each."""

from __future__ import annotations

import platform
import shutil
from dataclasses import dataclass

from tools import postgres, state, system, valkey, venv
from tools.steps import ROOT, say


@dataclass(frozen=True)
class Finding:
    """`needed`: without it nothing runs, and the doctor's exit code is 1."""

    what: str
    there: bool
    detail: str
    needed: bool = True

    def __str__(self) -> str:
        word = "ok" if self.there else "MISSING" if self.needed else "missing"
        return f"  {word:<8} {self.what:<12} {self.detail}"


def run() -> int:
    found = findings()
    for finding in found:
        say(str(finding))
    return int(any(finding.needed and not finding.there for finding in found))


def findings() -> list[Finding]:
    servers, broker, browser = postgres.binaries(), valkey.find(), system.chromium()
    free = shutil.disk_usage(ROOT).free // 1_000_000
    made = "made by the first ./run demo or ./run test"
    return [
        Finding("Python", True, platform.python_version()),
        Finding("uv", shutil.which("uv") is not None, "makes .venv quicker; pip does it too", needed=False),
        Finding(".venv", venv.is_current(), "as in the lock" if venv.is_current() else made, needed=False),
        Finding("PostgreSQL", servers is not None or not venv.is_current(), str(servers or made)),
        Finding("Valkey", broker is not None or not venv.is_current(), str(broker or made)),
        Finding("Pango", system.has_pango(), f"PDF pages; {system.PANGO_HINT}", needed=False),
        Finding("Chromium", browser is not None, browser or f"browser tests; {system.CHROMIUM_HINT}", needed=False),
        Finding("disk", free > system.DEMO_MEGABYTES, f"{free} MB free, {system.DEMO_MEGABYTES} needed"),
        Finding("demo", state.is_running(), state.environment().get("PALLSOFT_BASE_URL", "not running"), needed=False),
    ]
