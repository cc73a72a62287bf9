"""The ground under every test: create and migrate as the owner, run as the app, no outside network."""

import os
import socket

import psycopg2
import pytest
from django.db import connection
from django.db.backends.postgresql.operations import DatabaseOperations
from hypothesis import HealthCheck, settings

from tests import flush, proofs
from tests.fixtures import *  # noqa: F403 - fixtures must stand in a conftest to be found
from tools import system

pytest_runtest_logreport, pytest_sessionfinish = proofs.pytest_runtest_logreport, proofs.pytest_sessionfinish
OWNER, APP = "pallsoft_owner", "pallsoft_app"
# A machine that others use too is slow now and then, and no example is wrong for it.
settings.register_profile("unhurried", settings(deadline=None, suppress_health_check=[HealthCheck.too_slow]))
settings.load_profile("unhurried")
LOOPBACK = ("127.", "::1", "localhost")


def login_as(role):
    """Later queries run as this login; the open connection, if any, is closed."""
    connection.close()
    connection.settings_dict["USER"] = role
    connection.settings_dict["PASSWORD"] = os.environ[f"PALLSOFT_DB_PASSWORD_{role.removeprefix('pallsoft_').upper()}"]


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix):
    login_as(OWNER)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """Extends pytest-django's own: its part before the yield migrates, its part after it drops."""
    with django_db_blocker.unblock():
        flush.remember_seed_rows(connection)
        login_as(APP)
    yield
    with django_db_blocker.unblock():
        login_as(OWNER)


@pytest.fixture(scope="session", autouse=True)
def flush_as_owner():
    """The app may not TRUNCATE, and must not: between transactional tests the owner empties the tables."""
    patch = pytest.MonkeyPatch()
    patch.setattr(DatabaseOperations, "execute_sql_flush", lambda self, sql_list: flush.empty_tables(connection))
    yield
    patch.undo()


@pytest.fixture
def superuser(transactional_db):
    """A second connection that no trigger or grant can stop: what an attacker with the server has."""
    login = psycopg2.connect(**flush.login(connection, "postgres", os.environ["PALLSOFT_TEST_SUPERUSER_PASSWORD"]))
    login.autocommit = True
    yield login
    login.close()


@pytest.fixture
def owner(transactional_db):
    """A second connection as the login that migrates."""
    login = psycopg2.connect(**flush.owner_login(connection))
    login.autocommit = True
    yield login
    login.close()


@pytest.fixture(scope="session", autouse=True)
def no_outside_network():
    """A test that reaches beyond this machine fails at once instead of being slow or flaky."""
    patch = pytest.MonkeyPatch()
    connect = socket.socket.connect

    def connect_inside(self, address):
        if self.family != socket.AF_UNIX and not str(address[0]).startswith(LOOPBACK):
            raise PermissionError(f"Tests stay on this machine, {address} does not")
        return connect(self, address)

    patch.setattr(socket.socket, "connect", connect_inside)
    yield
    patch.undo()


def pytest_collection_modifyitems(config, items):
    """`long` only when asked for; what this machine cannot run is skipped with the reason."""
    proofs.note_requirements(items)
    missing = {
        "browser": None if os.environ.get("CHROMIUM") else f"no Chromium: {system.CHROMIUM_HINT}",
        "pdf": None if system.has_pango() else f"no Pango: {system.PANGO_HINT}",
    }
    for marker, reason in missing.items():
        for item in filter(lambda item: reason and item.get_closest_marker(marker), items):
            item.add_marker(pytest.mark.skip(reason=reason))
    if not os.environ.get("PALLSOFT_TEST_LONG"):
        late = [item for item in items if item.get_closest_marker("long")]
        config.hook.pytest_deselected(items=late)
        items[:] = [item for item in items if item not in late]
