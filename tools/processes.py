"""Child processes that end with us, and as themselves: no Ctrl-C by accident, no orphan."""

from __future__ import annotations

import contextlib
import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tools import system
from tools.steps import Problem

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def start(
    command: list[str], *, log: Path, ends_with: signal.Signals = signal.SIGTERM, **options: Any
) -> subprocess.Popen[bytes]:
    """Starts `command` in a process group of its own, its output appended to `log`.

    When this process dies, even by kill -9, the kernel sends `ends_with` to the child. The kernel
    ties that to the *thread* that forks: call this from the main thread.
    """
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            process_group=0,
            preexec_fn=dies_with_parent(os.getpid(), ends_with),
            **options,
        )


def dies_with_parent(parent: int, signum: signal.Signals) -> Callable[[], None] | None:
    """For Popen's `preexec_fn`; only Linux can do it."""
    if LIBC is None:
        return None

    def in_child() -> None:
        LIBC.prctl(PR_SET_PDEATHSIG, int(signum))
        if os.getppid() != parent:  # died between fork and prctl
            os._exit(1)

    return in_child


def stop(process: subprocess.Popen[bytes], signum: signal.Signals, seconds: float = 10) -> None:
    """Asks, waits, and only then kills the whole process group."""
    if process.poll() is not None:
        return
    process.send_signal(signum)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        kill_group(process)


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """kill -9 of the process, its group, and children with a group of their own (PostgreSQL's)."""
    if process.poll() is not None:
        return
    family = children(process.pid)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for child in family:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    while any(lives(child) for child in family):
        time.sleep(0.01)


def lives(pid: int) -> bool:
    """A zombie counts as gone: it holds nothing any more."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return _stat(pid)[:1] != ["Z"]


def children(pid: int) -> list[int]:
    numbers = (int(entry.name) for entry in Path("/proc").glob("[0-9]*"))
    return [number for number in numbers if _stat(number)[1:2] == [str(pid)]]


def _stat(pid: int) -> list[str]:
    """State, parent … of /proc/PID/stat; empty where there is none (proc(5))."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def command_line(pid: int) -> str:
    """Empty when the process is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        ps = shutil.which("ps")
        asked = ps and subprocess.run([ps, "-o", "args=", "-p", str(pid)], capture_output=True, text=True)
        return asked.stdout.strip() if asked else ""


def other_user() -> str | None:
    """PostgreSQL refuses to run as root; it then runs as this user. None for an ordinary user."""
    if not system.is_root():
        return None
    for name in ("nobody", "postgres", "daemon"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    raise Problem("PostgreSQL does not run as root and there is no user `nobody`: useradd nobody")


def as_user(name: str | None) -> dict[str, Any]:
    """The options of Popen that run a command as `name`."""
    if name is None:
        return {}
    group = pwd.getpwnam(name).pw_gid
    return {"user": name, "group": group, "extra_groups": [], "cwd": "/"}


def can_enter(name: str | None, folder: Path) -> bool:
    """May `name` walk down into `folder`?"""
    if name is None:
        return True
    done: subprocess.CompletedProcess[bytes] = subprocess.run(["test", "-x", folder], **as_user(name))
    return done.returncode == 0


def can_run(name: str | None, program: Path) -> bool:
    """Does `program --version` work as `name`? It may lie in a folder that is closed to others."""
    try:
        done: subprocess.CompletedProcess[bytes] = subprocess.run(
            [program, "--version"], capture_output=True, **as_user(name)
        )
    except OSError:
        return False
    return done.returncode == 0


def need_own(path: Path) -> None:
    """In a folder that is open to all, somebody else may have come first with a trap."""
    if path.lstat().st_uid != os.geteuid():
        raise Problem(f"{path} belongs to somebody else: remove it, then start again.")


def give_to(name: str | None, path: Path) -> None:
    if name is not None:
        account = pwd.getpwnam(name)
        os.chown(path, account.pw_uid, account.pw_gid)
