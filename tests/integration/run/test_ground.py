"""The ground that every other test stands on (tests/conftest.py)."""

import socket

import pytest
from django.db import connection


@pytest.mark.django_db
def test_queries_run_as_the_app_login():
    with connection.cursor() as cursor:
        cursor.execute("SELECT session_user")
        assert cursor.fetchone() == ("pallsoft_app",)


@pytest.mark.django_db
def test_the_app_owns_no_table():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_class WHERE relowner = 'pallsoft_app'::regrole")
        assert cursor.fetchone() == (0,)


def test_a_test_cannot_reach_another_machine():
    with socket.socket() as outside, pytest.raises(PermissionError):
        outside.connect(("192.0.2.1", 80))
