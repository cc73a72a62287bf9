"""PALLSOFT refuses to serve on ground that could lose or falsify data: each condition is broken for real."""

import subprocess

import psycopg2
import pytest
import time_machine
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from pallsoft import selfcheck
from tests import services
from tools import processes
from tools.postgres import program

pytestmark = [pytest.mark.faults, pytest.mark.req("OPS-01")]


@pytest.fixture(scope="module")
def here():
    with services.installation() as installation:
        yield installation


@pytest.fixture
def on_own_cluster(here, django_db_blocker):
    """Queries of this test go to the cluster that it breaks, as the app."""
    connection.close()
    before = dict(connection.settings_dict)
    target = services.login(here.postgres, here.environment, "app")
    names = {"HOST": "host", "PORT": "port", "NAME": "dbname", "USER": "user", "PASSWORD": "password"}
    connection.settings_dict.update({ours: target[theirs] for ours, theirs in names.items()})
    with django_db_blocker.unblock():
        yield
        connection.close()
    connection.settings_dict.update(before)


@pytest.fixture
def superuser(here):
    login = here.connect("superuser")
    login.autocommit = True
    with login.cursor() as cursor:
        yield cursor
    login.close()


def problems():
    connection.close()
    with pytest.raises(ImproperlyConfigured) as refused:
        selfcheck.require_fit_to_serve()
    return str(refused.value).splitlines()[1:]


def test_a_sound_installation_serves(on_own_cluster):
    selfcheck.require_fit_to_serve()


BREAKS = [
    ("ALTER ROLE pallsoft_app SUPERUSER", "ALTER ROLE pallsoft_app NOSUPERUSER", "NOSUPER"),
    ("ALTER ROLE pallsoft_app CREATEROLE", "ALTER ROLE pallsoft_app NOCREATEROLE", "NOCREATEROLE"),
    ("ALTER ROLE pallsoft_app CREATEDB", "ALTER ROLE pallsoft_app NOCREATEDB", "NOCREATEDB"),
    ("ALTER ROLE pallsoft_app BYPASSRLS", "ALTER ROLE pallsoft_app NOBYPASSRLS", "NOBYPASSRLS"),
    ("GRANT pallsoft_owner TO pallsoft_app", "REVOKE pallsoft_owner FROM pallsoft_app", "stand alone"),
    ("ALTER TABLE django_session OWNER TO pallsoft_app",
     "ALTER TABLE django_session OWNER TO pallsoft_owner", "owns django_session"),
    ("GRANT INSERT ON audit.change_set TO pallsoft_app", "REVOKE INSERT ON audit.change_set FROM pallsoft_app",
     "may write to audit.change_set"),
    ("GRANT UPDATE (old) ON audit.item_change TO pallsoft_app",
     "REVOKE UPDATE (old) ON audit.item_change FROM pallsoft_app", "may write to audit.item_change"),
]  # fmt: skip


@pytest.mark.parametrize(("break_it", "mend_it", "sentence"), BREAKS, ids=[b[2] for b in BREAKS])
def test_a_login_that_is_too_strong_is_refused(on_own_cluster, superuser, break_it, mend_it, sentence):
    superuser.execute(break_it)
    try:
        assert any(sentence in problem for problem in problems())
    finally:
        superuser.execute(mend_it)


@pytest.mark.parametrize("setting", ["fsync", "full_page_writes", "synchronous_commit"])
def test_a_server_that_may_lose_what_was_saved_is_refused(on_own_cluster, superuser, here, setting):
    superuser.execute(f"ALTER SYSTEM SET {setting} = off")
    here.reload_settings()
    try:
        assert [problem for problem in problems() if f"Set {setting} to on" in problem]
    finally:
        superuser.execute(f"ALTER SYSTEM RESET {setting}")
        here.reload_settings()


def test_a_missing_migration_is_refused(on_own_cluster, superuser):
    superuser.execute("SELECT id, app, name, applied FROM django_migrations ORDER BY id DESC LIMIT 1")
    row = superuser.fetchone()
    superuser.execute("DELETE FROM django_migrations WHERE id = %s", row[:1])
    try:
        assert [problem for problem in problems() if "1 migrations are not applied" in problem]
    finally:
        superuser.execute("INSERT INTO django_migrations OVERRIDING SYSTEM VALUE VALUES (%s, %s, %s, %s)", row)


@pytest.mark.parametrize("seconds", [-1.5, 1.5, 86_400])
def test_a_clock_that_is_off_is_refused(on_own_cluster, seconds):
    now = selfcheck.time.time()
    with time_machine.travel(now + seconds, tick=True):
        assert "away from the database's" in selfcheck.clocks_agree()


def test_a_clock_within_a_second_is_accepted(on_own_cluster):
    with time_machine.travel(selfcheck.time.time() + 0.5, tick=True):
        assert selfcheck.clocks_agree() == ""


def test_debug_is_refused_outside_the_demo(settings):
    settings.DEBUG, settings.MODE = True, "production"
    assert "DEBUG is on" in selfcheck.debug_is_off()
    settings.MODE = "demo"
    assert selfcheck.debug_is_off() == ""


def test_pages_without_checksums_are_refused_and_the_web_server_does_not_start():
    with services.installation() as here:
        here.postgres.stop()
        user = processes.other_user()
        subprocess.run(
            [program("pg_checksums", user), "--disable", "-D", here.postgres.data],
            check=True, capture_output=True, **processes.as_user(user),
        )  # fmt: skip
        here.postgres.start()
        here.environment["PALLSOFT_DB_PORT"] = str(here.postgres.port)
        web = here.run_web()
        assert web.process.wait(60) != 0
        assert "run pg_checksums --enable" in web.log.read_text()


def test_a_lost_database_is_seen_and_its_return_too():
    with services.installation() as here:
        address = here.start_web()
        here.postgres.kill()
        services.wait_for_status(f"{address}/readyz", 503)
        assert services.fetch(f"{address}/healthz") == 200
        here.postgres.start()
        services.wait_for_status(f"{address}/readyz", 200)
        with pytest.raises(psycopg2.OperationalError, match="password"):
            psycopg2.connect(**services.login(here.postgres, here.environment, "app") | {"password": "guess"})


@pytest.mark.req("OPS-05")
def test_without_the_broker_pages_are_served_and_nothing_is_lost():
    with services.installation() as here:
        address = here.start_web()
        here.valkey.kill()
        assert services.fetch(f"{address}/readyz") == 200
        assert services.fetch(f"{address}/accounts/login/") == 200
        here.valkey.start()
        assert list(here.valkey.directory.glob("*.rdb")) == []
