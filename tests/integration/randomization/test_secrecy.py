"""What is to come is known to nobody: not to the application's login, not from pages, mails, logs, trails or errors."""

import inspect
import os
import re
import uuid
from contextlib import contextmanager
from functools import partial

import psycopg2
import pytest
from django.core import mail
from django.db import DatabaseError, connection
from django.urls import get_resolver

from pallsoft.audit.models import ItemChange
from pallsoft.outbox.models import Message
from pallsoft.outbox.services import send_due
from pallsoft.pdf import can_make_pdf
from randomization import services
from randomization.list_file import read_list
from randomization.models import Allocation
from tests import flush
from tests.fixtures.randomizing import randomized

pytestmark = pytest.mark.django_db
commits = pytest.mark.django_db(transaction=True)


@pytest.mark.req("RND-06")
@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM sealed.slot",
        "SELECT count(*) FROM sealed.slot",
        "SELECT header FROM sealed.list",
        "SELECT arm FROM randomization_allocation",
        "SELECT seq FROM randomization_allocation",
        "SELECT txid FROM randomization_allocation",
        "SELECT * FROM randomization_allocation",
        "SELECT to_jsonb(a) FROM randomization_allocation a",
        "SELECT sealed.next_slot(NULL, 'central', 'GI|PAIN')",
        "SELECT sealed.take('central', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)",
        "COPY sealed.slot TO STDOUT",
        "EXPLAIN SELECT * FROM sealed.slot",
    ],
)
def test_the_applications_login_reads_nothing_of_the_list(ready, crc, query):
    randomized(ready, crc)
    with connection.cursor() as cursor, pytest.raises(DatabaseError, match="permission denied"):
        cursor.execute(query)


@pytest.mark.req("RND-06")
def test_the_grants_are_these_and_no_others(ready):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT has_schema_privilege('sealed', 'USAGE'), has_schema_privilege('sealed', 'CREATE'),"
            " has_table_privilege('randomization_allocation', 'INSERT'),"
            " has_any_column_privilege('randomization_allocation', 'UPDATE')"
        )
        assert cursor.fetchone() == (False, False, False, False)
        cursor.execute(
            "SELECT p.proname FROM pg_proc p WHERE p.proname LIKE 'randomization%%'"
            " AND has_function_privilege(p.oid, 'EXECUTE') ORDER BY 1"
        )
        assert [name for (name,) in cursor.fetchall()] == FUNCTIONS


FUNCTIONS = [
    "randomization_allocate",
    "randomization_allocate_late",
    "randomization_arms",
    "randomization_hold",
    "randomization_import",
    "randomization_problems",
    "randomization_runs_low",
]
COUNTING = {  # of triggers, which the application may not call
    "randomization_count",
    "randomization_count_consented",
    "randomization_count_failed",
    "randomization_count_included",
    "randomization_count_screened",
}


@commits
@pytest.mark.req("RND-08")
def test_no_function_of_the_database_undoes_repeats_or_changes(owner):
    with owner.cursor() as cursor:
        cursor.execute(
            "SELECT p.proname, p.prosrc FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
            " WHERE n.nspname = 'sealed' OR p.proname LIKE 'randomization%%'"
        )
        sources = dict(cursor.fetchall())
    assert set(sources) == {*FUNCTIONS, *COUNTING, "take", "lock_stratum", "next_slot", "refuse", "arrive", "sha256_of"}
    changing = re.compile(r"\b(UPDATE\s+(sealed|public)|DELETE\s+FROM|TRUNCATE|EXECUTE)\b", re.I)
    assert [name for name, source in sources.items() if changing.search(source)] == []


@pytest.mark.req("RND-08")
def test_no_service_and_no_address_undoes_repeats_or_changes():
    assert set(services.__all__) == {
        "AlreadyRandomized",
        "arm_for",
        "confirm_late",
        "confirm_list",
        "decide_correction",
        "import_list",
        "make_live",
        "randomize",
        "report_late",
        "request_correction",
    }
    names = {name for name in get_resolver().reverse_dict if isinstance(name, str) and "random" in name}
    assert names == {
        "randomize",
        "randomization-receipt",
        "report-late-randomization",
        "randomization-lists",
        "confirm-late-randomization",
        "stop-randomization",
        "resume-randomization",
    }
    choosable = {"arm", "seq", "at", "slot", "stratum"}
    assert not choosable & set(inspect.signature(services.randomize).parameters)


@commits
@pytest.mark.req("AUD-11")
def test_the_trail_holds_neither_arm_nor_place_on_the_list(ready, crc, owner):
    allocation = randomized(ready, crc)
    with owner.cursor() as cursor:
        cursor.execute("SELECT doc FROM audit.baseline WHERE row_id = %s", [str(allocation.pk)])
        kept = cursor.fetchone()[0]
        cursor.execute("SELECT count(*) FROM audit.baseline WHERE tbl LIKE '%%slot%%' OR tbl LIKE '%%sealed%%'")
        assert cursor.fetchone() == (0,)
    assert "subject_id" in kept and not {"arm", "seq", "txid"} & set(kept)
    assert not ItemChange.objects.filter(item__in=["arm", "seq", "txid"]).exists()


@pytest.mark.req("RND-06")
def test_ids_do_not_count(make_ready, sealed_list, crc):
    ids = [randomized(make_ready(), crc).pk for _ in range(2)]
    assert {one.version for one in ids} == {4}
    assert {scheme.version for scheme in Allocation.objects.values_list("stratum_id", flat=True)} == {4}


@commits
@pytest.mark.req("RND-07")
def test_two_lists_that_differ_only_in_the_future_say_the_same(make_ready, list_file, everything_said, two_worlds):
    """From the same database, with lists that begin alike in one stratum and differ in all that follows: pages,
    refusals, mails and log lines are the same bytes."""
    subjects = [make_ready(), make_ready()]
    one, other = lists_with_the_same_past(list_file)
    with two_worlds() as (first, second):
        with first():
            said = everything_said(one, subjects)
        with second():
            said_again = everything_said(other, subjects)
    assert len(said) > 20
    for part, again in zip(said, said_again, strict=True):
        assert part == again


def lists_with_the_same_past(list_file):
    """Other arms, other lengths, other blocks from the third slot on, and in all other strata from the first."""
    one = read_list(list_file(seed=1, slots=8))
    for seed in range(2, 500):
        content = list_file(seed=seed, slots=40)
        other = read_list(content).sequences["GI|PAIN"]
        if other[:2] == one.sequences["GI|PAIN"][:2] and other[2] != one.sequences["GI|PAIN"][2]:
            return list_file(seed=1, slots=8), content
    raise AssertionError("no such seed")


@pytest.fixture
def two_worlds(make_ready):
    """Two databases with the same content, one after the other under the test's own connection."""

    @contextmanager
    def split():
        name = connection.settings_dict["NAME"]
        copy = f"{name}_copy"
        connection.close()
        _administer(f'CREATE DATABASE "{copy}" TEMPLATE "{name}" OWNER pallsoft_owner')
        try:
            yield partial(_inside, name, name), partial(_inside, copy, name)
        finally:
            _administer(f'DROP DATABASE "{copy}" WITH (FORCE)')

    return split


@contextmanager
def _inside(name, back):
    connection.close()
    connection.settings_dict["NAME"] = name
    mail.outbox = []
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = back


def _administer(statement):
    password = os.environ["PALLSOFT_TEST_SUPERUSER_PASSWORD"]
    server = psycopg2.connect(**flush.login(connection, "postgres", password) | {"dbname": "postgres"})
    server.autocommit = True
    with server.cursor() as cursor:
        cursor.execute(statement)
    server.close()


@pytest.fixture
def everything_said(open_list, sign_in, crc, caplog, study):
    """everything_said(list, subjects): all bytes of pages, refusals, mails and log lines around randomisations."""

    def run(content, subjects):
        can_make_pdf()  # its library writes a line of log when it is first asked
        caplog.clear()
        caplog.set_level("INFO")
        open_list(content)
        client, said = sign_in(crc), []
        for subject in subjects:
            said += pages_around(client, f"/s/{study.oid}/subjects/{subject.number}/randomize/", subject.number)
        for path in ("recruitment/", "study/", "subjects/", "screening/", "subjects/BOD-001/corrections/"):
            said.append(client.get(f"/s/{study.oid}/{path}").content)
        send_due()
        said += [f"{m.to} {m.subject} {m.body}".encode() for m in mail.outbox]
        said += [f"{m.kind} {m.ordinal} {m.payload.keys()} {m.state}".encode() for m in Message.objects.order_by("pk")]
        said += [record.getMessage().encode() for record in caplog.records]
        return [without_chance(part) for part in said]

    return run


def pages_around(client, page, number):
    before = client.get(page).content
    key = re.search(rb'name="key" value="([^"]+)"', before)[1].decode()
    refused = client.post(page, {"key": key, "typed_number": "feil"})
    done = client.post(page, {"key": key, "typed_number": number}, follow=True)
    again = client.post(page, {"key": str(uuid.uuid4()), "typed_number": number}, follow=True)
    assert (refused.status_code, done.status_code) == (422, 200)
    return [before, refused.content, done.content, again.content, client.get(page).content]


def without_chance(said):
    """What differs between two runs with the very same list: tokens, keys, ids, hashes, clock times."""
    said = re.sub(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", b"", said)
    said = re.sub(rb"\b[0-9A-Za-z]{32,64}\b", b"", said)
    return re.sub(rb"\d\d[.:]\d\d(:\d\d)?", b"", said)
