"""`./run demo`: everything PALLSOFT needs, from an empty machine to an address that answers."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import webbrowser
from collections.abc import Iterable, Iterator
from pathlib import Path

from tools import messages, processes, supervisor, system, venv
from tools.database import Plan, prepare_with_venv
from tools.external import plan_from_url
from tools.postgres import SUPERUSER, Postgres, secret
from tools.state import DEMO, demo_lock, forget_environment, remember_environment
from tools.steps import ROOT, Problem, say, step, tail
from tools.supervisor import Part, Program
from tools.valkey import Valkey

ACCOUNTS = DEMO / "accounts.json"
STUDY = "trials/definitions/pallsoft"


def run(port: int, open_browser: bool, fresh: bool) -> int:
    DEMO.mkdir(exist_ok=True)
    DEMO.chmod(0o711)  # PostgreSQL's other user passes through
    with demo_lock():
        if not system.port_is_free(port):
            raise Problem(f"Port {port} is taken. Choose another one: ./run demo --port {port + 1}")
        if fresh:
            _remove_everything()
        system.need_disk(DEMO, system.DEMO_MEGABYTES)
        venv.ensure()
        _need_pango()
        with contextlib.ExitStack() as started:
            return _serve(port, open_browser, started)


def _serve(port: int, open_browser: bool, started: contextlib.ExitStack) -> int:
    """Starts the parts in order; leaving the stack stops them in reverse, the broker last."""
    address = f"http://127.0.0.1:{port}"
    parts, environment, done = _start_servers(started, address)
    started.callback(forget_environment)
    _prepare(environment, done)
    web, *behind = _programs(port, environment)
    with step("PALLSOFT answers"):
        _start(web, started)
        _wait_until_ready(address, [*parts, web])
    for program in behind:
        _start(program, started)
    parts += [web, *behind]
    _print_accounts()
    say(f"\nPALLSOFT: {address}   (Ctrl-C ends it)")
    if open_browser and _has_screen():
        webbrowser.open(address)
    supervisor.watch_until(_asked_to_stop(), parts)
    say("Stopping")
    return 0


def _start(part: Part, started: contextlib.ExitStack) -> None:
    started.callback(part.stop)  # first, so that a start cut short is cleaned up too
    part.start()


def _start_servers(started: contextlib.ExitStack, address: str) -> tuple[list[Part], dict[str, str], Path | None]:
    """Our own servers, or those that DATABASE_URL and REDIS_URL name.

    Returns the parts to watch, the environment of every program, and where finished steps are
    noted (beside the data, so that both go together; None: not our database, note nothing).
    """
    parts: list[Part] = []
    redis_url, database_url = os.environ.get("REDIS_URL"), os.environ.get("DATABASE_URL")
    done = None
    if not redis_url:
        valkey = Valkey(DEMO / "valkey")
        with step("Valkey started"):
            _start(valkey, started)
        parts.append(valkey)
        redis_url = valkey.url
    if database_url:
        plan = plan_from_url(database_url, own_password("owner"), own_password("app"))
    else:
        postgres = Postgres(cluster_directory())
        with step("PostgreSQL started"):
            _start(postgres, started)
        parts.append(postgres)
        plan = _own_plan(postgres)
        done = postgres.directory / "done.json"
    with step("Logins and database ready"):
        prepare_with_venv(plan)
    environment = _environment(plan, redis_url, address)
    remember_environment(environment)
    return parts, os.environ | environment, done


def _own_plan(postgres: Postgres) -> Plan:
    return Plan(
        host="127.0.0.1",
        port=postgres.port,
        admin=SUPERUSER,
        admin_password=postgres.password,
        owner_password=own_password("owner"),
        app_password=own_password("app"),
    )


def own_password(role: str) -> str:
    return secret(DEMO / f"password_{role}")


def cluster_directory() -> Path:
    """`.demo/postgres`, or a place that PostgreSQL's own user can reach when we are root."""
    user = processes.other_user()
    if processes.can_enter(user, DEMO):
        return DEMO / "postgres"
    elsewhere = Path("/var/tmp") / f"pallsoft-demo-{hashlib.sha256(str(DEMO).encode()).hexdigest()[:12]}"
    say(f"  {user} cannot go into {ROOT}: the demo's database lies in {elsewhere}")
    elsewhere.mkdir(exist_ok=True)
    processes.need_own(elsewhere)
    return elsewhere


def _remove_everything() -> None:
    if os.environ.get("DATABASE_URL"):
        raise Problem("--fresh removes only the demo's own database: drop yours by hand, or unset DATABASE_URL.")
    with step("Old demo removed"):
        directory = cluster_directory()
        Postgres(directory).end_leftover()
        shutil.rmtree(directory, ignore_errors=True)
        for path in DEMO.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name != "lock":
                path.unlink()


def _need_pango() -> None:
    if system.has_pango():
        return
    if system.may_install():
        system.apt_install("Pango", system.PANGO_PACKAGES)
    else:
        say(f"  Pango is missing, pages offer print instead of PDF. To have PDF: {system.PANGO_HINT}")


def _environment(plan: Plan, redis_url: str, address: str) -> dict[str, str]:
    mail = DEMO / "mail"
    mail.mkdir(exist_ok=True)
    return plan.environment() | {
        "PALLSOFT_MODE": "demo",
        "PALLSOFT_DEMO_DIR": str(DEMO),
        "PALLSOFT_BASE_URL": address,
        "PALLSOFT_STATIC_ROOT": str(DEMO / "static"),
        "PALLSOFT_EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend",
        "PALLSOFT_EMAIL_DIR": str(mail),
        "PALLSOFT_SMS_BACKEND": "pallsoft.outbox.sms.FileGateway",
        "PALLSOFT_SMS_DIR": str(DEMO / "sms"),
        "PALLSOFT_SENDS_REMINDERS": "true",
        "SECRET_KEY": secret(DEMO / "secret_key"),
        "PALLSOFT_CONTACT_KEYS": secret(DEMO / "contact_key"),
        "REDIS_URL": redis_url,
    }


def _prepare(environment: dict[str, str], done: Path | None) -> None:
    """Each step is skipped only when it was finished before from the very same files."""
    messages.compile_all()
    owner = environment | {"PALLSOFT_DB_ROLE": "owner"}
    steps = [
        ("Database migrated", ["migrate", "--no-input"], owner, _files("*/migrations/*.py", "**/sql/*.sql")),
        ("Static files collected", ["collectstatic", "--no-input"], environment, _files("static/**/*.*")),
        ("Study PALLSOFT loaded", ["load_study", STUDY], environment, _files(f"{STUDY}/**/*.yaml")),
        ("Demonstration data made", ["seed_demo"], environment, []),
    ]
    for name, command, variables, files in steps:
        fingerprint = _fingerprint(files)
        notes = json.loads(done.read_text()) if done and done.exists() else {}
        if notes.get(command[0]) == fingerprint:
            continue
        with step(name):
            manage(command, variables)
        if done:
            done.write_text(json.dumps(notes | {command[0]: fingerprint}))


def _files(*patterns: str) -> list[Path]:
    folders = [p for p in ROOT.iterdir() if p.is_dir() and not p.name.startswith(".")]
    found = {path for folder in folders for pattern in patterns for path in folder.glob(pattern)}
    return sorted(found | {path for pattern in patterns for path in ROOT.glob(pattern) if not _hidden(path)})


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(ROOT).parts)


def _fingerprint(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in files:
        digest.update(str(path).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def manage(command: list[str], environment: dict[str, str]) -> None:
    done = subprocess.run(
        [venv.PYTHON, "manage.py", *command], env=environment, cwd=ROOT, capture_output=True, text=True
    )
    if done.returncode:
        raise Problem(f"{tail(done.stdout + done.stderr)}\n`manage.py {' '.join(command)}` failed (above).")


def _programs(port: int, environment: dict[str, str]) -> Iterator[Program]:
    celery = [str(venv.PYTHON), "-m", "celery", "-A", "pallsoft"]
    commands = {
        "Web": [str(venv.PYTHON), "-m", "gunicorn", "pallsoft.wsgi", "--bind", f"127.0.0.1:{port}",
                "--workers", "2", "--no-control-socket", "--graceful-timeout", "5"],
        "Worker": [*celery, "worker", "--concurrency", "1", "--loglevel", "WARNING",
                   "--without-mingle", "--without-gossip"],
        "Beat": [*celery, "beat", "--pidfile=", "--schedule", str(DEMO / "beat"), "--loglevel", "WARNING"],
    }  # fmt: skip
    for name, command in commands.items():
        yield Program(name, command, environment, DEMO / f"{name.lower()}.log")


def _wait_until_ready(address: str, parts: list[Part]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for part in parts:
            if part.process is not None and part.process.poll() is not None:
                words = tail(part.log.read_text(errors="replace"))
                raise Problem(f"{words}\n{part.name} ended at once (its log above: {part.log}).")
        if answers(f"{address}/readyz"):
            return
        time.sleep(0.1)
    raise Problem(f"{address}/readyz did not answer 200 within 60 s; the logs lie in {DEMO}")


def answers(url: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=5) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def _print_accounts() -> None:
    if not ACCOUNTS.exists():
        return
    accounts = json.loads(ACCOUNTS.read_text(encoding="utf-8"))
    columns = list(accounts[0]) if accounts else []
    rows = [columns, *[[str(account[key] or "") for key in columns] for account in accounts]]
    widths = [max(len(row[n]) for row in rows) for n in range(len(columns))]
    say("")
    for row in rows:
        say("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _has_screen() -> bool:
    return sys.platform == "darwin" or any(os.environ.get(key) for key in ("DISPLAY", "WAYLAND_DISPLAY"))


def _asked_to_stop() -> threading.Event:
    """Set by Ctrl-C, by TERM, and when the terminal goes away."""
    stop = threading.Event()
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, lambda *_: stop.set())
    return stop
