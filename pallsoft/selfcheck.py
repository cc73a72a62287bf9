"""Refuses to serve on ground that could lose or falsify data (OPS-01).

Each check asks one thing and returns one sentence that says what to do, or "" when all is well.
"""

import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

MAX_CLOCK_DIFFERENCE = 1.0  # seconds


def require_fit_to_serve() -> None:
    """Raises ImproperlyConfigured with every sentence; called before the first request is served."""
    problems = [sentence for check in CHECKS if (sentence := check())]
    connection.close()  # the web server forks or threads after this
    if problems:
        raise ImproperlyConfigured("PALLSOFT does not start:\n" + "\n".join(f"* {text}" for text in problems))


def database_answers() -> str:
    return "" if _ask("SELECT true") else "The database does not answer."


def changes_survive_a_crash() -> str:
    """PostgreSQL manual, "Reliability and the Write-Ahead Log"."""
    off = [name for name in ("fsync", "full_page_writes", "synchronous_commit") if _setting(name) == "off"]
    return f"Set {' and '.join(off)} to on in postgresql.conf: a crash could lose what was saved." if off else ""


def pages_have_checksums() -> str:
    if _setting("data_checksums") == "on":
        return ""
    return "Data checksums are off: stop PostgreSQL and run pg_checksums --enable on its data directory."


def clocks_agree() -> str:
    """Our clock against the database's, which stamps every change; the round trip is allowed for."""
    before = time.time()
    theirs = _ask("SELECT extract(epoch FROM clock_timestamp())::float8")
    difference = max(before - theirs, theirs - time.time(), 0.0)
    if difference <= MAX_CLOCK_DIFFERENCE:
        return ""
    return f"The clock is {difference:.1f} s away from the database's: set both by NTP (chrony)."


def migrations_are_applied() -> str:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if not missing:
        return ""
    return f"{len(missing)} migrations are not applied: run manage.py migrate with PALLSOFT_DB_ROLE=owner."


def debug_is_off() -> str:
    return "DEBUG is on: only a demonstration may show its inside." if settings.DEBUG and not _is_demo() else ""


def role_has_no_power() -> str:
    """The app's login may neither lift its own limits nor make or inherit a stronger login."""
    rights = "rolsuper, rolcreaterole, rolcreatedb, rolbypassrls, rolreplication"
    row = _row(f"SELECT {rights} FROM pg_roles WHERE rolname = session_user")
    held = [name[3:].upper() for name, has in zip(rights.split(", "), row, strict=True) if has]
    if not held:
        return ""
    return f"The app's database login is too strong: ALTER ROLE {_login()} {' '.join('NO' + name for name in held)}."


def role_is_member_of_nobody() -> str:
    groups = _ask("SELECT string_agg(rolname, ', ') FROM pg_roles "
                  "WHERE rolname <> session_user AND pg_has_role(session_user, oid, 'MEMBER')")  # fmt: skip
    return f"Take {groups} away from {_login()} (REVOKE): it must stand alone." if groups else ""


def role_owns_nothing() -> str:
    owned = _ask("""
        SELECT string_agg(oid::regclass::text, ', ' ORDER BY 1) FROM pg_class
        WHERE relowner = session_user::text::regrole AND relkind IN ('r', 'p', 'v', 'm')
    """)
    return f"{_login()} owns {owned} and could switch its triggers off: ALTER TABLE … OWNER TO." if owned else ""


def role_cannot_write_the_trail() -> str:
    writable = _ask("""
        SELECT string_agg(c.oid::regclass::text, ', ' ORDER BY 1) FROM pg_class c
        WHERE c.relnamespace = to_regnamespace('audit') AND c.relkind IN ('r', 'p')
          AND (has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER')
               OR has_any_column_privilege(c.oid, 'INSERT, UPDATE'))
    """)
    return f"{_login()} may write to {writable}: REVOKE it, only the triggers write there." if writable else ""


CHECKS: list[Callable[[], str]] = [
    database_answers,
    changes_survive_a_crash,
    pages_have_checksums,
    clocks_agree,
    migrations_are_applied,
    debug_is_off,
    role_has_no_power,
    role_is_member_of_nobody,
    role_owns_nothing,
    role_cannot_write_the_trail,
]


def _row(query: str) -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        row: tuple[Any, ...] = cursor.fetchone()
    return row


def _ask(query: str) -> Any:
    return _row(query)[0]


def _setting(name: str) -> Any:
    return _ask(f"SELECT current_setting('{name}')")


def _login() -> Any:
    return _ask("SELECT session_user")


def _is_demo() -> bool:
    return bool(settings.MODE == "demo")
