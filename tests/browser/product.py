"""The whole product for the browser: its own database, gunicorn, a Celery worker, invented subjects."""

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tools.steps import ROOT
from tools.supervisor import Program
from tools.system import free_port
from tools.testing import services, temporary_directory

SUBJECTS = "14"


@dataclass(frozen=True)
class Product:
    """A running PALLSOFT. `accounts`: as `.demo/accounts.json`."""

    address: str
    accounts: list[dict[str, str]]
    environment: dict[str, str]
    programs: list[Program] = field(default_factory=list)

    @property
    def web(self) -> Program:
        return self.programs[0]

    def account(self, role: str, site: str = "") -> dict[str, str]:
        return next(a for a in self.accounts if a["role"] == role and site in (a["site"] or ""))

    def manage(self, *arguments: str, role: str = "app") -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            env=self.environment | {"PALLSOFT_DB_ROLE": role}, cwd=ROOT, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@contextmanager
def running(directory: Path) -> Iterator[Product]:
    """On a database of its own that keeps its promises: on the tests' own, which does not, the product stays shut."""
    port = free_port()
    with temporary_directory() as servers, services(servers, settings={}) as given:
        environment = given | {
            "PALLSOFT_BASE_URL": f"http://127.0.0.1:{port}",
            "PALLSOFT_DEMO_DIR": str(directory),
            "PALLSOFT_EXPORT_DIR": str(directory / "exports"),
            "PALLSOFT_ANCHOR_DIR": str(directory / "anchors"),
            "PALLSOFT_EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend",
            "PALLSOFT_EMAIL_DIR": str(directory / "mail"),
        }
        product = Product(environment["PALLSOFT_BASE_URL"], [], environment)
        product.manage("migrate", "--no-input", role="owner")
        product.manage("load_study", "trials/definitions/pallsoft")
        product.manage("seed_demo", "--subjects", SUBJECTS)
        product.accounts.extend(json.loads((directory / "accounts.json").read_text(encoding="utf-8")))
        for name, command in _commands(port):
            product.programs.append(Program(name, command, environment, directory / f"{name}.log"))
        try:
            for program in product.programs:
                program.start()
            _wait_until_ready(product.address, product.web.log)
            yield product
        finally:
            for program in reversed(product.programs):
                program.stop()


def _commands(port: int) -> list[tuple[str, list[str]]]:
    gunicorn = ["-m", "gunicorn", "pallsoft.wsgi", "--bind", f"127.0.0.1:{port}", "--workers", "2"]
    worker = ["-m", "celery", "-A", "pallsoft", "worker", "--concurrency", "1", "--loglevel", "WARNING"]
    return [
        ("web", [sys.executable, *gunicorn, "--no-control-socket"]),
        ("worker", [sys.executable, *worker, "--without-mingle", "--without-gossip"]),
    ]


def _wait_until_ready(address: str, log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{address}/readyz", timeout=5) as response:
                if response.status == 200:
                    return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(log.read_text(errors="replace")[-3000:])
