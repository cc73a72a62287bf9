"""Real servers of one's own, for tests that kill and restart them (tests/faults).

    with installation() as here:
        here.start_web()
        here.postgres.kill(); here.postgres.start()

Durability is on, as in real use. Everything is ended and removed on leaving.
"""

import contextlib
import os
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass, field

import psycopg2

from tools import system, testing
from tools.database import Plan, prepare
from tools.demo import manage
from tools.postgres import SUPERUSER, Postgres
from tools.steps import ROOT
from tools.supervisor import Program
from tools.valkey import Valkey


@dataclass
class Installation:
    """PostgreSQL, Valkey, a migrated database, and on request web, worker and beat."""

    postgres: Postgres
    valkey: Valkey
    environment: dict[str, str]
    programs: list[Program] = field(default_factory=list)

    def manage(self, *command: str, role: str = "app") -> None:
        """manage.py in this installation; raises Problem with its last lines when it fails."""
        manage(list(command), self.environment | {"PALLSOFT_DB_ROLE": role})

    def connect(self, role: str = "app"):
        """A psycopg2 connection as app, owner or superuser."""
        return psycopg2.connect(**login(self.postgres, self.environment, role))

    def start_web(self, workers: int = 1) -> str:
        """Returns the address once /readyz answers 200."""
        port = system.free_port()
        self.run_web(port, workers)
        wait_for_status(f"http://127.0.0.1:{port}/readyz", 200)
        return f"http://127.0.0.1:{port}"

    def run_web(self, port: int = 0, workers: int = 1) -> Program:
        """Without waiting, for a server that is expected to refuse."""
        bind = f"127.0.0.1:{port}"
        return self._start(
            "gunicorn", "pallsoft.wsgi", "--bind", bind, "--workers", str(workers), "--no-control-socket"
        )

    def start_worker(self) -> Program:
        return self._start("celery", "-A", "pallsoft", "worker", "--concurrency", "1", "--loglevel", "WARNING")

    def start_beat(self) -> Program:
        schedule = str(self.valkey.directory / "beat")
        return self._start("celery", "-A", "pallsoft", "beat", "--pidfile=", "--schedule", schedule)

    def reload_settings(self) -> None:
        """After ALTER SYSTEM; waits until the server has read them."""
        with contextlib.closing(self.connect("superuser")) as login, login.cursor() as cursor:
            before = self._loaded_at()
            cursor.execute("SELECT pg_reload_conf()")
            testing.wait_for(lambda: self._loaded_at() > before, 60, "The reload of PostgreSQL's settings")

    def _loaded_at(self) -> tuple:
        with contextlib.closing(self.connect("superuser")) as login, login.cursor() as cursor:
            cursor.execute("SELECT pg_conf_load_time()")
            return cursor.fetchone()

    def _start(self, module: str, *arguments: str) -> Program:
        log = self.valkey.directory / f"{module}-{len(self.programs)}.log"
        program = Program(module, [sys.executable, "-m", module, *arguments], self.environment, log)
        self.programs.append(program)
        program.start()
        return program


@contextlib.contextmanager
def installation(settings: dict[str, str] | None = None):
    """`settings`: PostgreSQL's, on top of its own defaults."""
    with testing.temporary_directory() as directory, contextlib.ExitStack() as started:
        postgres = Postgres(directory / "postgres", settings=settings or {})
        valkey = Valkey(directory / "valkey")
        for server in (valkey, postgres):
            started.callback(server.stop)
            server.start()
        here = Installation(postgres, valkey, _environment(postgres, valkey))
        started.callback(lambda: [program.stop() for program in reversed(here.programs)])
        here.manage("migrate", "--no-input", role="owner")
        yield here


def login(postgres: Postgres, environment: dict[str, str], role: str) -> dict[str, object]:
    """The arguments of psycopg2.connect for app, owner or superuser."""
    is_superuser = role == "superuser"
    return {
        "host": "127.0.0.1",
        "port": postgres.port,
        "dbname": environment["PALLSOFT_DB_NAME"],
        "user": SUPERUSER if is_superuser else f"pallsoft_{role}",
        "password": postgres.password if is_superuser else environment[f"PALLSOFT_DB_PASSWORD_{role.upper()}"],
    }


def prepare_again(here: Installation) -> None:
    prepare(_plan(here.postgres))


def _plan(postgres: Postgres) -> Plan:
    return Plan(
        host="127.0.0.1",
        port=postgres.port,
        admin=SUPERUSER,
        admin_password=postgres.password,
        owner_password="owner of a test",
        app_password="app of a test",
    )


def _environment(postgres: Postgres, valkey: Valkey) -> dict[str, str]:
    plan = _plan(postgres)
    prepare(plan)
    return os.environ | plan.environment() | {"REDIS_URL": valkey.url, "PALLSOFT_DB_ROLE": "app"}


def fetch(address: str) -> int:
    """The status of a GET; 0 when nobody answers."""
    try:
        with urllib.request.urlopen(address, timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as refused:
        refused.close()
        return refused.code
    except OSError:
        return 0


def wait_for_status(address: str, status: int, seconds: float = 60) -> None:
    testing.wait_for(lambda: fetch(address) == status, seconds, f"Status {status} of {address}")


def run_command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`./run …`, with nothing of the tests' own servers in its environment."""
    return subprocess.run(
        [sys.executable, ROOT / "run", *arguments],
        env=outside_environment() | environment,
        capture_output=True,
        text=True,
    )


def outside_environment() -> dict[str, str]:
    ours = ("PALLSOFT_", "REDIS_URL", "SECRET_KEY", "DATABASE_URL", "DJANGO_")
    return {key: value for key, value in os.environ.items() if not key.startswith(ours)}
