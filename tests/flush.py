"""Emptying every table between transactional tests, as the owner, with the refusing triggers off.

The refusals themselves stay as they are in production: there is no test mode inside them.
"""

import os

import psycopg2
from psycopg2 import sql

# What migrations write and the app only reads: never emptied, so never to be written again.
KEPT = ("django_migrations", "django_content_type", "auth_permission")
TABLES = """
    SELECT n.nspname, c.relname, exists(SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'seed_rows')
      AND NOT c.relname = ANY(%s)
    ORDER BY 1, 2
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


def remember_seed_rows(connection):
    """Copies the rows that migrations made (chain heads and the like) aside; called as the owner."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA IF NOT EXISTS seed_rows")
        for table in _tables(cursor):
            cursor.execute(f"SELECT exists(SELECT FROM {table})")
            if cursor.fetchone()[0]:
                copy = table.replace('"."', ".").replace('"', "")
                cursor.execute(f'CREATE TABLE IF NOT EXISTS seed_rows."{copy}" AS TABLE {table}')


def empty_tables(connection):
    """One transaction of the owner: triggers off, TRUNCATE, triggers on, seed rows back."""
    owner = psycopg2.connect(**owner_login(connection))
    with owner, owner.cursor() as cursor:
        cursor.execute("SET lock_timeout = '10s'")  # a test left a transaction open: say so, do not hang
        tables = _tables(cursor)
        guarded = [table for table, has_trigger in tables.items() if has_trigger]
        _each(cursor, "ALTER TABLE {} DISABLE TRIGGER USER", guarded)
        cursor.execute(f"TRUNCATE {', '.join(tables)} RESTART IDENTITY")
        _put_seed_rows_back(cursor, tables)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        _each(cursor, "ALTER TABLE {} ENABLE TRIGGER USER", guarded)
    owner.close()


def _tables(cursor):
    """{'"schema"."table"': has triggers of ours}"""
    cursor.execute(TABLES, [list(KEPT)])
    return {f'"{schema}"."{name}"': has_trigger for schema, name, has_trigger in cursor.fetchall()}


def _put_seed_rows_back(cursor, tables):
    cursor.execute("SELECT relname FROM pg_class WHERE relnamespace = 'seed_rows'::regnamespace AND relkind = 'r'")
    copies = {name for (name,) in cursor.fetchall()}
    for table in tables:
        copy = table.replace('"."', ".").replace('"', "")
        if copy in copies:
            statement = "INSERT INTO {} OVERRIDING SYSTEM VALUE SELECT * FROM seed_rows.{}"
            cursor.execute(sql.SQL(statement).format(sql.SQL(table), sql.Identifier(copy)))


def _each(cursor, statement, tables):
    for table in tables:
        cursor.execute(statement.format(table))
