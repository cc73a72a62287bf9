"""The two logins and the database of PALLSOFT in a cluster (decision D4).

`./run` itself has no driver, so it calls this file with the environment's Python and hands the
plan over on standard input; tests import `prepare`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, dataclass

from tools.steps import ROOT, Problem, tail
from tools.venv import PYTHON

WEAK = "LOGIN NOSUPERUSER NOCREATEROLE NOBYPASSRLS NOREPLICATION"


@dataclass(frozen=True)
class Plan:
    """Who may make roles (`admin`, a superuser), and what to make."""

    host: str
    port: int
    admin: str
    admin_password: str
    owner_password: str
    app_password: str
    name: str = "pallsoft"
    admin_database: str = "postgres"
    tests: bool = False  # the owner then makes and drops test databases

    def environment(self) -> dict[str, str]:
        """What pallsoft/settings.py reads."""
        return {
            "PALLSOFT_DB_HOST": self.host,
            "PALLSOFT_DB_PORT": str(self.port),
            "PALLSOFT_DB_NAME": self.name,
            "PALLSOFT_DB_PASSWORD_OWNER": self.owner_password,
            "PALLSOFT_DB_PASSWORD_APP": self.app_password,
        }


def prepare_with_venv(plan: Plan) -> None:
    done = subprocess.run(
        [PYTHON, "-m", "tools.database"],
        input=json.dumps(asdict(plan)), text=True, capture_output=True, cwd=ROOT,
    )  # fmt: skip
    if done.returncode:
        raise Problem(
            f"{tail(done.stderr, 3)}\nThe logins and the database could not be made on "
            f"{plan.host}:{plan.port} as {plan.admin}: this login must be a superuser."
        )


def prepare(plan: Plan) -> None:
    """Makes what is missing and sets the passwords; running it again changes nothing."""
    import psycopg2
    from psycopg2 import sql

    connection = psycopg2.connect(
        host=plan.host, port=plan.port, user=plan.admin, password=plan.admin_password,
        dbname=plan.admin_database, connect_timeout=5,
    )  # fmt: skip
    connection.autocommit = True
    cursor = connection.cursor()

    def exists(query: str, name: str) -> bool:
        cursor.execute(query, [name])
        return cursor.fetchone() is not None

    def run(statement: str, password: str | None = None) -> None:
        name = sql.Identifier(plan.name)
        cursor.execute(sql.SQL(statement).format(database=name), password and [password])

    for role, password, right in (
        ("pallsoft_owner", plan.owner_password, "CREATEDB" if plan.tests else "NOCREATEDB"),
        ("pallsoft_app", plan.app_password, "NOCREATEDB"),
    ):
        if not exists("SELECT 1 FROM pg_roles WHERE rolname = %s", role):
            run(f"CREATE ROLE {role}")
        run(f"ALTER ROLE {role} {WEAK} {right} PASSWORD %s", password)
    if not exists("SELECT 1 FROM pg_database WHERE datname = %s", plan.name):
        run("CREATE DATABASE {database} OWNER pallsoft_owner")
    run("REVOKE CONNECT, TEMPORARY ON DATABASE {database} FROM PUBLIC")
    run("GRANT CONNECT ON DATABASE {database} TO pallsoft_app")
    connection.close()


if __name__ == "__main__":
    prepare(Plan(**json.load(sys.stdin)))
