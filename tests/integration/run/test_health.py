"""/healthz and /readyz: ok or fail, and nothing more, for anybody who asks."""

import logging

import pytest


def test_the_process_says_that_it_lives_without_asking_the_database(client):
    answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok\n")


@pytest.mark.django_db
@pytest.mark.req("OPS-10")
def test_a_ready_installation_says_ok_and_no_more(client):
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "database": "ok", "migrations": "ok"}
    assert "no-store" in answer["Cache-Control"]


@pytest.fixture
def a_migration_short(owner):
    """As after an update of the code without `migrate`."""
    with owner.cursor() as cursor:
        newest = "WHERE app = 'crf' AND name = (SELECT max(name) FROM django_migrations WHERE app = 'crf')"
        cursor.execute(f"DELETE FROM django_migrations {newest} RETURNING id, app, name, applied")
        row = cursor.fetchone()
        yield
        cursor.execute("INSERT INTO django_migrations OVERRIDING SYSTEM VALUE VALUES (%s, %s, %s, %s)", row)


@pytest.mark.req("OPS-10")
def test_a_missing_migration_is_told_to_the_log_and_not_to_strangers(a_migration_short, client, caplog):
    with caplog.at_level(logging.ERROR):
        answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"status": "fail", "database": "ok", "migrations": "fail"}
    assert "run manage.py migrate" in caplog.text


@pytest.mark.parametrize("address", ["/healthz", "/readyz"])
def test_health_is_for_reading_only(client, address):
    assert client.post(address).status_code == 405
