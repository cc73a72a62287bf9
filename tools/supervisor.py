"""Keeps the programs of the demo alive, and ends exactly those."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from tools import processes
from tools.steps import ROOT, Problem, say

LONGEST_WAIT = 30.0
STEADY_AFTER = 60.0  # a part that lived this long starts again with the shortest wait


class Part(Protocol):
    """PostgreSQL, Valkey or a Program."""

    name: str
    process: subprocess.Popen[bytes] | None

    @property
    def log(self) -> Path: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...


@dataclass
class Program:
    """A command that runs until it is asked to stop with SIGTERM."""

    name: str
    command: list[str]
    environment: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = processes.start(self.command, log=self.log, env=self.environment, cwd=ROOT)

    def stop(self) -> None:
        if self.process:
            processes.stop(self.process, signal.SIGTERM)


@dataclass
class Watch:
    """When a part was last started, and how long to wait before the next time."""

    part: Part
    started: float = field(default_factory=time.monotonic)
    wait: float = 1.0
    due: float | None = None

    def look(self) -> None:
        """One glance: notices an end, and starts the part again once its wait is over."""
        process = self.part.process
        if process is not None and process.poll() is None:
            return
        now = time.monotonic()
        if self.due is None:
            self._plan(now, process)
        elif now >= self.due:
            self._start_again()

    def _plan(self, now: float, process: subprocess.Popen[bytes] | None) -> None:
        self.wait = 1.0 if now - self.started > STEADY_AFTER else min(self.wait * 2, LONGEST_WAIT)
        self.due = now + self.wait
        code = process.returncode if process else "none"
        say(f"{self.part.name} ended (code {code}); started again in {self.wait:.0f} s. Log: {self.part.log}")

    def _start_again(self) -> None:
        self.started = time.monotonic()
        self.due = None
        try:
            self.part.start()
        except Problem as problem:
            say(str(problem))


def watch_until(stop: threading.Event, parts: Sequence[Part], every: float = 0.5) -> None:
    """Returns when `stop` is set; until then what ends is started again, with growing pauses."""
    watches = [Watch(part) for part in parts]
    while not stop.wait(every):
        for watch in watches:
            watch.look()
