"""The migration operations go both ways; tried as the owner, and taken back."""

import pytest

from pallsoft.audit.operations import Grant, Regulated

pytestmark = pytest.mark.django_db(transaction=True)


class Editor:
    """Runs what a migration would, on the owner's connection."""

    def __init__(self, owner):
        self.cursor = owner.cursor()

    def execute(self, statement, params=None):
        self.cursor.execute(statement)

    def rows(self, query):
        self.cursor.execute(query)
        return self.cursor.fetchall()


@pytest.fixture
def editor(owner):
    owner.autocommit = False
    yield Editor(owner)
    owner.rollback()


TRIGGERS = "SELECT tgname FROM pg_trigger WHERE tgrelid = 'crf_lock'::regclass AND tgname LIKE 'trail%' ORDER BY tgname"
LISTED = "SELECT tbl FROM audit.regulated WHERE tbl = 'crf_lock'"


def test_regulated_is_taken_off_and_put_back(editor):
    operation = Regulated("crf_lock", insert_only=True, write_once=["lifted_in"])
    before = editor.rows(TRIGGERS)
    operation.database_backwards("crf", editor, None, None)
    assert (editor.rows(TRIGGERS), editor.rows(LISTED)) == ([], [])
    operation.database_forwards("crf", editor, None, None)
    assert (editor.rows(TRIGGERS), editor.rows(LISTED)) == (before, [("crf_lock",)])
    assert len(before) == 5


def test_a_grant_is_given_and_taken(editor):
    may = "SELECT has_table_privilege('pallsoft_app', 'crf_lock', 'DELETE')"
    grant = Grant("crf_lock", "DELETE")
    editor.execute(grant.sql)
    assert editor.rows(may) == [(True,)]
    editor.execute(grant.reverse_sql)
    assert editor.rows(may) == [(False,)]


def test_operations_describe_themselves():
    assert Regulated("crf_lock").describe() == "Trail every change of crf_lock"
