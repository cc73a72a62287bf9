"""Many at once, and killed in the middle: one subject one slot, in the order of the list, whatever happens."""

import os
import random
import threading
import uuid
from collections import Counter
from functools import partial

import psycopg2
import pytest
from django.db import DatabaseError, InterfaceError, connection
from django.test import Client

from pallsoft.errors import Conflict, NotAllowedNow
from pallsoft.outbox.models import Message
from randomization.facts import arm_codes
from randomization.models import Allocation
from randomization.selectors import findings
from randomization.services import AlreadyRandomized
from sites import services as places
from sites.models import Subject
from tests import flush
from tests.fixtures.randomizing import (  # noqa: F401
    definition,
    fill,
    list_file,
    make_ready,
    open_list,
    randomized,
    ready,
    sealed_list,
)
from trials.models import Study

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults, pytest.mark.timeout(300)]
LOST = (DatabaseError, InterfaceError)


def at_once(jobs):
    """Run each job in a thread of its own with a database connection of its own; all start together."""
    together, results = threading.Barrier(len(jobs)), [None] * len(jobs)

    def work(place, job):
        together.wait()
        try:
            results[place] = job()
        except Exception as error:  # judged by the test
            results[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=pair) for pair in enumerate(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.fixture
def kill():
    """kill(): the server ends the session of the thread that asks, as if its process had been killed."""
    password = os.environ["PALLSOFT_TEST_SUPERUSER_PASSWORD"]
    server = psycopg2.connect(**flush.login(connection, "postgres", password))
    server.autocommit = True
    one_at_a_time = threading.Lock()

    def end_session():
        pid = connection.connection.info.backend_pid
        with one_at_a_time, server.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])

    yield end_session
    server.close()


def killed_after(statement, kill):
    """A wrapper for `connection.execute_wrapper`: the session dies once `statement` has run, before the commit."""

    def wrapper(execute, sql, params, many, context):
        result = execute(sql, params, many, context)
        if statement in sql:
            kill()
        return result

    return wrapper


class Chance:
    """A client that keeps asking with its key until it has an answer; 15 of 100 tries are killed before the commit.

    `doomed`: the first try for certain.
    """

    def __init__(self, seed, subject, key, by, kill, doomed=False):
        self.doomed = doomed
        self.random, self.subject, self.key, self.by, self.kill = random.Random(seed), subject, key, by, kill
        self.killed = 0

    def __call__(self):
        while True:
            try:
                return self.ask()
            except LOST:
                self.killed += 1
                connection.close()

    def ask(self):
        doomed, self.doomed = self.doomed, False
        if not doomed and self.random.random() >= 0.15:
            return randomized(self.subject, self.by, self.key)
        with connection.execute_wrapper(killed_after("randomization_allocate", self.kill)):
            return randomized(self.subject, self.by, self.key)


SEEDS = [*range(3), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(3, 20))]


@pytest.mark.req("RND-02", "RND-03")
@pytest.mark.parametrize("seed", SEEDS)
def test_fifty_clients_at_once_and_some_killed_before_the_commit(seed, make_ready, sealed_list, crc, kill, study):  # noqa: F811
    """F-10: 21 subjects, 50 clients: some subjects are sent twice with one key, some by two people with two keys."""
    groups = ("GI", "GI", "GI", "URO")
    subjects = [make_ready(BASE_GROUP=groups[n % 4]) for n in range(21)]
    keys = [uuid.uuid4() for _ in subjects]
    clients = [Chance(f"{seed} {n}", subjects[n % 20], keys[n % 20], crc, kill) for n in range(40)]
    clients += [Chance(f"{seed} {n}", subjects[n % 20], uuid.uuid4(), crc, kill) for n in range(40, 49)]
    clients.append(Chance(f"{seed} 49", subjects[20], keys[20], crc, kill, doomed=True))
    results = at_once(clients)

    stored = {a.subject_id: a for a in Allocation.objects.select_related("stratum")}
    assert len(stored) == 21  # every client asked until it was answered
    for client, result in zip(clients, results, strict=True):
        told = result.allocation if isinstance(result, AlreadyRandomized) else result
        assert told == stored[client.subject.pk], result  # each answer is what is stored
    arms, taken = arm_codes(stored), {}
    for allocation in sorted(stored.values(), key=lambda a: a.at):
        taken.setdefault(allocation.stratum.code, []).append(arms[allocation.subject_id])
    assert taken == {code: sealed_list.sequences[code][: len(got)] for code, got in taken.items()}
    assert [findings(scheme) for scheme in study.schemes.all()] == [[]]  # no gap, and committed in the list's order
    assert sum(client.killed for client in clients) > 0


@pytest.mark.req("RND-14")
def test_after_the_commit_of_the_stop_no_further_slot_is_used(make_ready, sealed_list, crc, study, owner):  # noqa: F811
    subjects = [make_ready() for _ in range(40)]
    halfway = threading.Event()

    def client(own):
        for subject in own:
            randomized(subject, crc)
            halfway.set()

    def sponsor():
        halfway.wait(60)
        return places.stop_randomization(study=Study.objects.get(pk=study.pk), by=None, reason="alvorlig hendelse")

    results = at_once([*(lambda own=subjects[n::20]: client(own) for n in range(20)), sponsor])
    assert isinstance(results[-1], Study)
    assert {type(result) for result in results[:-1]} <= {NotAllowedNow, type(None)}
    with owner.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), count(*) FILTER (WHERE s.n > (SELECT x.n FROM audit.seal x JOIN audit.change_set c"
            " ON c.id = x.change_set WHERE c.action = 'sites.stop_randomization' ORDER BY x.n DESC LIMIT 1))"
            " FROM randomization_allocation a JOIN audit.seal s ON s.change_set = a.created_in"
        )
        total, after_the_stop = cursor.fetchone()
    assert after_the_stop == 0
    assert 0 < total < 40
    assert sum(isinstance(result, NotAllowedNow) for result in results) > 0


@pytest.mark.req("RND-03")
def test_killed_before_any_statement_the_subject_has_no_slot_or_one(ready, crc, kill, sealed_list, sign_in):  # noqa: F811
    """F-11: for every statement of the service in turn the session dies just before it; a reload tells the truth."""
    key, page = uuid.uuid4(), f"/s/TOARM/subjects/{ready.number}/randomize/"
    survived = 0
    while not _survives(survived, ready, crc, key, kill):
        assert not Allocation.objects.exists()
        assert Subject.objects.get(pk=ready.pk).status == "screening"
        assert not Message.objects.filter(kind="randomization.confirmed").exists()
        survived += 1
    assert survived > 20  # statements, each of them once the last
    assert b"typed_number" not in sign_in(crc).get(page).content
    assert arm_codes([ready.pk]) == {ready.pk: sealed_list.sequences["GI|PAIN"][0]}
    assert randomized(ready, crc, key) == Allocation.objects.get()


def _survives(statements, subject, by, key, kill):
    """Randomise with the session killed before statement number `statements`; False when it was."""
    left = iter(range(statements))

    def wrapper(execute, sql, params, many, context):
        if next(left, None) is None and not done:
            done.append(sql)
            kill()
        return execute(sql, params, many, context)

    done = []
    try:
        with connection.execute_wrapper(wrapper):
            randomized(subject, by, key)
    except LOST:
        connection.close()
        return False
    return not done


@pytest.mark.req("RND-03")
def test_killed_at_the_commit_nothing_was_given(ready, crc, kill, monkeypatch):  # noqa: F811
    commit = connection._commit

    def die():
        kill()
        commit()

    with monkeypatch.context() as patch:
        patch.setattr(connection, "_commit", die)
        with pytest.raises(LOST):
            randomized(ready, crc)
    connection.close()
    assert not Allocation.objects.exists()


@pytest.mark.req("RND-04")
def test_twenty_parallel_posts_with_one_key_are_one_randomisation(ready, crc, sign_in, sealed_list):  # noqa: F811
    """F-12, S02: a double click, a retry, a back button, all at once; then a colleague and a replay."""
    signed_in, page = sign_in(crc), f"/s/TOARM/subjects/{ready.number}/randomize/"
    key = str(uuid.uuid4())

    def post(sent_key):
        client = Client()
        client.cookies = signed_in.cookies
        return client.post(page, {"key": sent_key, "typed_number": ready.number})

    another_window = [partial(post, str(uuid.uuid4())) for _ in range(4)]
    answers = at_once([partial(post, key)] * 20 + another_window)
    assert {(answer.status_code, answer["Location"]) for answer in answers} == {(302, page)}
    assert Allocation.objects.count() == 1
    told = Counter(Message.objects.filter(kind="randomization.confirmed").values_list("recipient_id", flat=True))
    assert told and set(told.values()) == {1}
    replay = signed_in.post(page, {"key": key, "typed_number": ready.number}, follow=True)
    assert b"BOD-001" in replay.content and Allocation.objects.count() == 1


@pytest.mark.req("RND-04")
def test_one_key_for_two_subjects_at_once_is_given_to_one(make_ready, sealed_list, crc):  # noqa: F811
    key = uuid.uuid4()
    one, other = make_ready(), make_ready(BASE_GROUP="URO")  # two strata: no lock in common
    results = at_once([lambda: randomized(one, crc, key), lambda: randomized(other, crc, key)])
    assert {type(result) for result in results} == {Allocation, Conflict}
    assert Allocation.objects.count() == 1
