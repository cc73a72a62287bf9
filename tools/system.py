"""What the machine has, and what `./run` may add to it (only with apt-get, only as root)."""

from __future__ import annotations

import ctypes
import ctypes.util
import importlib.util
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

from tools.steps import Problem, step, tail

DEMO_MEGABYTES = 500
PANGO = ("pango-1.0", "pangoft2-1.0", "harfbuzz-subset")
PANGO_PACKAGES = ["libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0"]
PANGO_HINT = "apt-get install " + " ".join(PANGO_PACKAGES)
CHROMIUM_HINT = "apt-get install chromium"


def is_root() -> bool:
    return os.geteuid() == 0


def may_install() -> bool:
    return is_root() and shutil.which("apt-get") is not None


def apt_install(what: str, packages: list[str]) -> None:
    """Debian and its kin; waits for another apt-get; raises Problem with apt's own last words."""
    apt = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=120"]
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    with step(f"{what} installed with apt-get"):
        subprocess.run([*apt, "update"], env=environment, capture_output=True)
        install = [*apt, "install", "-y", "--no-install-recommends", *packages]
        done = subprocess.run(install, env=environment, capture_output=True, text=True)
        if done.returncode:
            raise Problem(f"{tail(done.stderr)}\napt-get could not install {' '.join(packages)}.")


def need_ensurepip() -> None:
    """Debian ships `venv` without pip in it until python3-venv is installed."""
    if importlib.util.find_spec("ensurepip"):
        return
    package = f"python3.{sys.version_info.minor}-venv"
    if not may_install():
        raise Problem(f"This Python cannot make a virtual environment: apt-get install {package}")
    apt_install("venv", [package])


def has_pango() -> bool:
    """WeasyPrint (PDF pages) loads these three by name."""
    return all(_loads(name) for name in PANGO)


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(f"lib{library}.so.0")
    except OSError:
        return ctypes.util.find_library(library) is not None
    return True


def chromium() -> str | None:
    """The browser for the tests: PALLSOFT_CHROMIUM, else the first one on PATH."""
    named = os.environ.get("PALLSOFT_CHROMIUM")
    if named:
        return named
    found = (shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))
    return next((path for path in found if path), None)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def need_disk(where: Path, megabytes: int) -> None:
    free = shutil.disk_usage(where).free // 1_000_000
    if free < megabytes:
        raise Problem(f"Only {free} MB are free in {where}; {megabytes} MB are needed. Make room.")
