"""Child processes that end with us, and as themselves: no Ctrl-C by accident, no orphan."""

from __future__ import annotations

import ctypes
import os
import pwd
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tools import system
from tools.steps import Problem

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def start(
    command: list[str], *, log: Path, ends_with: signal.Signals = signal.SIGTERM, **options
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
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


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


def as_user(name: str | None) -> dict[str, object]:
    """The options of Popen that run a command as `name`."""
    if name is None:
        return {}
    group = pwd.getpwnam(name).pw_gid
    return {"user": name, "group": group, "extra_groups": [], "cwd": "/"}


def can_reach(name: str | None, path: Path) -> bool:
    """May `name` walk down to `path` and read there?"""
    if name is None:
        return True
    test = subprocess.run(["test", "-r", str(path), "-a", "-x", str(path)], **as_user(name))
    return test.returncode == 0


def give_to(name: str | None, path: Path) -> None:
    if name is not None:
        account = pwd.getpwnam(name)
        os.chown(path, account.pw_uid, account.pw_gid)
