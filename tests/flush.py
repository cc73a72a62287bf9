"""Emptying every table between transactional tests, with the refusing triggers off.

The refusals themselves stay as they are in production: there is no test mode inside them.
"""

import os
from contextlib import contextmanager

import psycopg2
from psycopg2 import sql

# What migrations write and the app only reads: never emptied, so never to be written again.
KEPT = ("django_migrations", "django_content_type", "auth_permission")
TABLES = """
    SELECT n.nspname, c.relname
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'seed_rows')
      AND NOT c.relname = ANY(%s)
    ORDER BY 1, 2
"""
MUCH = 40_000_000  # bytes; empty tables with their indexes have a tenth of it
RESTART = """
    SELECT setval(format('%I.%I', schemaname, sequencename), start_value, false) FROM pg_sequences
    WHERE last_value IS NOT NULL
"""


def login(connection, user, password):
    settings = connection.settings_dict
    return {
        "host": settings["HOST"],
        "port": settings["PORT"],
        "dbname": settings["NAME"],
        "user": user,
        "password": password,
    }


def owner_login(connection):
    return login(connection, "pallsoft_owner", os.environ["PALLSOFT_DB_PASSWORD_OWNER"])


@contextmanager
def superuser(connection):
    """A connection that no trigger or grant stops: one transaction, committed at the end."""
    server = psycopg2.connect(**login(connection, "postgres", os.environ["PALLSOFT_TEST_SUPERUSER_PASSWORD"]))
    try:
        with server:
            yield server
    finally:
        server.close()


def remember_seed_rows(connection):
    """Copies the rows that migrations made (chain heads and the like) aside; called as the owner."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA IF NOT EXISTS seed_rows")
        for table in tables(cursor):
            cursor.execute(f"SELECT exists(SELECT FROM {table})")
            if cursor.fetchone()[0]:
                copy = table.replace('"."', ".").replace('"', "")
                cursor.execute(f'CREATE TABLE IF NOT EXISTS seed_rows."{copy}" AS TABLE {table}')


def empty_tables(connection):
    """In one transaction. The lock waits for nobody: who left a transaction open is told so.

    A test leaves few rows in few tables, and new files for some 300 tables and indexes take several times as long as to
    delete them. But what was deleted lies there until it is vacuumed, so now and then the tables are truncated.
    """
    with superuser(connection) as server, server.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '10s'; SET LOCAL session_replication_role = replica")
        found = ", ".join(tables(cursor))
        cursor.execute(f"LOCK TABLE {found} IN ACCESS EXCLUSIVE MODE")
        cursor.execute("SELECT sum(pg_total_relation_size(t::regclass)) FROM unnest(%s) t", [tables(cursor)])
        if cursor.fetchone()[0] > MUCH:
            cursor.execute(f"TRUNCATE {found}")
        delete_rows(cursor)


def delete_rows(cursor):
    """As a superuser for whom no trigger runs; then the seed rows are back. Waits for nobody who only reads."""
    found = tables(cursor)
    cursor.execute("SET LOCAL session_replication_role = replica")
    cursor.execute("; ".join(f"DELETE FROM {table}" for table in found))
    cursor.execute(RESTART)
    _put_seed_rows_back(cursor, found)


def tables(cursor):
    """['"schema"."table"']"""
    cursor.execute(TABLES, [list(KEPT)])
    return [f'"{schema}"."{name}"' for schema, name in cursor.fetchall()]


def _put_seed_rows_back(cursor, found):
    cursor.execute("SELECT relname FROM pg_class WHERE relnamespace = 'seed_rows'::regnamespace AND relkind = 'r'")
    copies = {name for (name,) in cursor.fetchall()}
    for table in found:
        copy = table.replace('"."', ".").replace('"', "")
        if copy in copies:
            statement = "INSERT INTO {} OVERRIDING SYSTEM VALUE SELECT * FROM seed_rows.{}"
            cursor.execute(sql.SQL(statement).format(sql.SQL(table), sql.Identifier(copy)))
