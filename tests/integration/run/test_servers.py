"""PostgreSQL and Valkey of our own: start, stop, kill, and what is left behind (nothing)."""

import contextlib
import os
import socket
import subprocess
import sys

import psycopg2
import pytest

from tests import services
from tools import processes, testing
from tools.postgres import SUPERUSER, Postgres
from tools.steps import ROOT, Problem
from tools.valkey import Valkey

pytestmark = pytest.mark.faults


@pytest.fixture
def place():
    with testing.temporary_directory() as directory:
        yield directory


@pytest.fixture
def postgres(place):
    server = Postgres(place / "postgres")
    server.start()
    yield server
    server.stop()


def ask(postgres, query, password=None):
    login = {"host": "127.0.0.1", "port": postgres.port, "dbname": "postgres", "user": SUPERUSER}
    with contextlib.closing(psycopg2.connect(**login, password=password or postgres.password)) as connection:
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute(query)
        return cursor.fetchone()[0] if cursor.description else None


def test_a_new_cluster_is_durable_checked_and_closed(postgres):
    for setting in ("fsync", "full_page_writes", "synchronous_commit", "data_checksums"):
        assert ask(postgres, f"SHOW {setting}") == "on"
    assert ask(postgres, "SHOW listen_addresses") == "127.0.0.1"
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        ask(postgres, "SELECT 1", password="guess")


def test_the_server_never_runs_as_root(postgres):
    owner = os.stat(f"/proc/{postgres.process.pid}").st_uid
    assert owner != 0


def test_a_stopped_server_leaves_no_process_and_no_pid_file(postgres):
    family = [postgres.process.pid, *processes.children(postgres.process.pid)]
    assert len(family) > 3
    postgres.stop()
    assert [pid for pid in family if processes.lives(pid)] == []
    assert not (postgres.data / "postmaster.pid").exists()


def test_what_was_committed_survives_kill_9(postgres):
    ask(postgres, "CREATE TABLE kept AS SELECT 1 AS n")
    family = [postgres.process.pid, *processes.children(postgres.process.pid)]
    postgres.kill()
    assert [pid for pid in family if processes.lives(pid)] == []
    postgres.start()
    assert ask(postgres, "SELECT n FROM kept") == 1


def test_a_stale_pid_file_with_a_strangers_number_does_not_block(postgres):
    postgres.stop()
    (postgres.data / "postmaster.pid").write_text(f"{os.getpid()}\n{postgres.data}\n")
    postgres.start()
    assert ask(postgres, "SELECT 1") == 1


def test_a_server_left_by_a_killed_run_is_ended_first(postgres):
    successor = Postgres(postgres.directory)
    successor.start()
    assert postgres.process.wait(60) == 0
    assert ask(successor, "SELECT 1") == 1
    successor.stop()


def test_a_taken_port_is_one_sentence(postgres, place):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        other = Postgres(place / "other", port=taken.getsockname()[1])
        with pytest.raises(Problem, match="did not start; its log"):
            other.start()
    assert other.process.poll() is not None


def test_two_clusters_live_side_by_side(postgres, place):
    other = Postgres(place / "other")
    other.start()
    try:
        assert other.port != postgres.port
        assert ask(other, "SELECT system_identifier FROM pg_control_system()") != ask(
            postgres, "SELECT system_identifier FROM pg_control_system()"
        )
    finally:
        other.stop()


def test_valkey_starts_again_on_its_port_after_kill_9(place):
    valkey = Valkey(place / "valkey")
    valkey.start()
    url = valkey.url
    valkey.kill()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", valkey.port))
    valkey.start()
    valkey.stop()
    assert valkey.url == url
    assert list(place.glob("valkey/*.rdb")) == []


HOLD = """
import sys, time
from pathlib import Path
from tools.postgres import Postgres
from tools.valkey import Valkey
servers = Postgres(Path(sys.argv[1]) / "p"), Valkey(Path(sys.argv[1]) / "v")
for server in servers:
    server.start()
print(*(server.process.pid for server in servers), flush=True)
time.sleep(60)
"""


def test_kill_9_of_the_parent_leaves_no_orphan(place):
    parent = subprocess.Popen([sys.executable, "-c", HOLD, place], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    children = [int(pid) for pid in parent.stdout.readline().split()]
    parent.kill()
    parent.communicate()
    testing.wait_for(lambda: not any(processes.lives(pid) for pid in children), 60, "The end of both servers")


def test_the_logins_are_made_once_and_get_their_passwords_again():
    with services.installation() as here:
        ask(here.postgres, "ALTER ROLE pallsoft_app PASSWORD 'forgotten'")
        with pytest.raises(psycopg2.OperationalError):
            here.connect()
        services.prepare_again(here)
        here.connect().close()
        assert ask(here.postgres, "SELECT rolcreatedb FROM pg_roles WHERE rolname = 'pallsoft_owner'") is False
