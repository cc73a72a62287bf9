"""What the database refuses, whoever asks: no author, no reason, changed keys, removal, forged trails."""

import uuid

import psycopg2
import pytest
from django.db import DatabaseError, connection, transaction

from crf.models import FormData, Lock, Signature
from pallsoft.accounts.models import User
from pallsoft.audit.context import change_set
from pallsoft.errors import InvalidInput, NotAllowedNow
from sites.models import Site, Subject
from tests.integration.audit.small_trial import changes, make_form, make_trial, rows
from trials.models import StudyVersion

pytestmark = pytest.mark.django_db


def refused(statement, given=None):
    """The SQLSTATE with which the database refuses; fails when it does not."""
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        rows(statement, given)
    return caught.value.__cause__.pgcode


NOT_OWNER_OR_NO_RIGHT = "42501"


class TestAuthor:
    @pytest.mark.req("AUD-01")
    def test_a_change_without_a_change_set_is_refused(self, form):
        assert refused("UPDATE crf_formdata SET data = '{}'") == "PS001"

    @pytest.mark.req("AUD-01")
    def test_a_new_row_without_a_change_set_is_refused(self, trial):
        columns = "id, study_id, code, name, city, timezone, status"
        new = [uuid.uuid4(), trial.study.pk, "1002", "Ø", "Ø", "Europe/Oslo", "open"]
        assert refused(f"INSERT INTO sites_site ({columns}) VALUES (%s, %s, %s, %s, %s, %s, %s)", new) == "PS001"

    def test_not_even_the_number_of_saves_changes_without_one(self, form):
        assert refused("UPDATE crf_formdata SET version = 99") == "PS001"

    def test_the_author_does_not_outlive_the_change_set(self, form, writing):
        """Both stand in one transaction: a transaction-local setting alone would still name the first author."""
        with writing("corrected"):
            FormData.objects.update(data={"NRS_PAIN": "1"})
        assert refused("UPDATE crf_formdata SET data = '{}'") == "PS001"

    @pytest.mark.django_db(transaction=True)
    def test_a_change_set_of_an_earlier_transaction_counts_for_nothing(self, form):
        [(earlier,)] = rows("SELECT created_in FROM crf_formdata")
        with pytest.raises(DatabaseError) as caught, transaction.atomic():
            rows("SELECT set_config('audit.change_set', %s, true)", [str(earlier)])
            rows("UPDATE crf_formdata SET data = '{}'")
        assert caught.value.__cause__.pgcode == "PS001"

    def test_a_change_set_names_who_and_what(self):
        begin = "SELECT audit.begin(NULL, NULL, %s, '', NULL, %s, '', '', '')"
        assert refused(begin, [" ", "test.change"]) == "PS001"
        assert refused(begin, ["Åse", ""]) == "PS001"

    def test_a_row_may_not_claim_another_change_set(self, trial, writing):
        with pytest.raises(NotAllowedNow), writing():
            Site.objects.create(study=trial.study, code="1002", name="Ø", city="Ø", created_in_id=uuid.uuid4())

    def test_a_row_may_not_stand_under_the_change_set_of_another_study(self, trial, form):
        other = make_trial("OTHER")
        with pytest.raises(NotAllowedNow), change_set(study=other.study, by=other.user, action="x", reason="y"):
            FormData.objects.update(data={})
        with pytest.raises(NotAllowedNow), change_set(study=other.study, by=other.user, action="x"):
            Site.objects.create(study=trial.study, code="1002", name="Ø", city="Ø")


class TestReason:
    @pytest.mark.req("AUD-04")
    @pytest.mark.parametrize("data", [{"NRS_PAIN": "8", "WEIGHT": "71.5"}, {"NRS_PAIN": "7"}])
    def test_changing_or_removing_a_stored_value_without_a_reason_is_refused(self, form, writing, data):
        with pytest.raises(InvalidInput) as caught, writing(" "):
            FormData.objects.update(data=data)
        assert "reason" in caught.value.errors
        assert changes(form) == []

    @pytest.mark.req("AUD-04")
    def test_filling_an_empty_item_needs_none(self, form, writing):
        with writing():
            FormData.objects.update(data=form.data | {"FEVER": "N"}, marks={"FEVER": {"check": "C1@1"}})
        assert changes(form)[0] == ("data", "FEVER", None, "N")

    @pytest.mark.req("AUD-04", "DAT-05")
    def test_a_missing_code_is_an_answer_and_changes_with_a_reason_only(self, trial, writing):
        form = make_form(trial, {}, {"NRS_PAIN": {"missing": "UNK"}})
        for answer in ({"marks": {}, "data": {"NRS_PAIN": "3"}}, {"marks": {"NRS_PAIN": {"missing": "REF"}}}):
            with pytest.raises(InvalidInput), writing():
                FormData.objects.filter(pk=form.pk).update(**answer)

    def test_what_the_system_adds_to_a_mark_needs_no_reason(self, trial, writing):
        form = make_form(trial, {}, {"NRS_PAIN": {"missing": "UNK", "set_aside": "3"}, "WEIGHT": {"set_aside": "70"}})
        with writing():
            FormData.objects.update(marks={"NRS_PAIN": {"missing": "UNK", "check": "C1@1"}}, data={"WEIGHT": "70"})
        assert len(changes(form)) == 3

    @pytest.mark.req("AUD-04")
    def test_columns_need_a_reason_too_but_for_states(self, trial, writing):
        with writing():
            Subject.objects.update(status="randomized")
        with pytest.raises(InvalidInput), writing():
            Subject.objects.update(birth_year=1949)

    @pytest.mark.req("DAT-14")
    def test_removing_a_form_needs_a_reason_and_leaves_every_value(self, form, writing):
        with pytest.raises(InvalidInput), writing() as current:
            FormData.objects.update(removed_in=current)
        with writing("entered twice") as current:
            FormData.objects.update(removed_in=current)
        assert rows("SELECT data ->> 'NRS_PAIN', removed_in FROM crf_formdata") == [("7", current)]


class TestRemoval:
    @pytest.mark.req("DAT-14", "AUD-05")
    def test_delete_and_truncate_are_refused(self, form, writing):
        for attempt in (form.delete, FormData.objects.all().delete):
            with pytest.raises(DatabaseError), transaction.atomic():
                attempt()
        assert refused("TRUNCATE crf_formdata CASCADE") == NOT_OWNER_OR_NO_RIGHT
        assert refused("DELETE FROM crf_formdata") == NOT_OWNER_OR_NO_RIGHT

    @pytest.mark.django_db(transaction=True)
    @pytest.mark.parametrize("statement", ["DELETE FROM sites_subject", "TRUNCATE sites_subject CASCADE"])
    def test_even_the_owner_meets_the_trigger(self, trial, owner, statement):
        with pytest.raises(psycopg2.Error) as caught:
            owner.cursor().execute(statement)
        assert caught.value.pgcode == "PS004"

    @pytest.mark.req("SIG-06")
    def test_an_account_is_never_deleted_and_its_name_never_given_again(self, trial):
        with pytest.raises(DatabaseError), transaction.atomic():
            User.objects.filter(pk=trial.user.pk).delete()
        with pytest.raises(DatabaseError), change_set(study=None, by=None, action="test.add_user"):
            User.objects.create(username=trial.user.username.upper(), full_name="Ola", email="ola@example.org")

    def test_a_changed_key_is_refused(self, form, writing):
        with pytest.raises(NotAllowedNow), writing("x"):
            rows("UPDATE crf_formdata SET id = gen_random_uuid()")


class TestWrittenOnce:
    def test_the_application_has_no_right_to_change_a_published_version(self, trial):
        assert refused("UPDATE trials_studyversion SET definition = '{}'") == NOT_OWNER_OR_NO_RIGHT

    @pytest.mark.django_db(transaction=True)
    def test_a_published_version_never_changes_even_for_the_owner(self, trial, owner):
        with pytest.raises(psycopg2.Error) as caught:
            owner.cursor().execute("UPDATE trials_studyversion SET definition = '{\"a\": 1}'")
        assert caught.value.pgcode == "PS004"
        assert StudyVersion.objects.get().definition == {}

    def test_a_lock_is_lifted_once_with_a_reason_and_by_the_present_change_set(self, trial, writing):
        with writing():
            lock = Lock.objects.create(study=trial.study, kind="freeze", subject=trial.subject)
        with pytest.raises(InvalidInput), writing() as current:
            Lock.objects.update(lifted_in=current)
        with pytest.raises(NotAllowedNow), writing("x"):
            Lock.objects.update(lifted_in=uuid.uuid4())
        with writing("query answered") as current:
            Lock.objects.update(lifted_in=current)
        with pytest.raises(NotAllowedNow), writing("x") as current:
            Lock.objects.update(lifted_in=current)
        with pytest.raises(NotAllowedNow), writing("x"):
            Lock.objects.update(lifted_in=None)
        assert len(changes(lock)) == 1

    def test_other_columns_of_a_signature_cannot_be_touched(self, trial):
        assert refused("UPDATE crf_signature SET printed_name = 'Ola'") == NOT_OWNER_OR_NO_RIGHT
        assert Signature.objects.count() == 0


TRAIL = ["change_set", "baseline", "item_change", "seal", "head", "access", "regulated"]


class TestTrailItself:
    @pytest.mark.req("AUD-06")
    @pytest.mark.parametrize("table", TRAIL)
    def test_the_application_may_only_read_the_trail(self, trial, table):
        rows(f"SELECT count(*) FROM audit.{table}")
        [(column,)] = rows(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum = 2", [f"audit.{table}"]
        )
        for statement in (
            f"INSERT INTO audit.{table} OVERRIDING SYSTEM VALUE SELECT * FROM audit.{table}",
            f"UPDATE audit.{table} SET {column} = {column}",
            f"DELETE FROM audit.{table}",
            f"TRUNCATE audit.{table}",
            f"ALTER TABLE audit.{table} DISABLE TRIGGER ALL",
            f"DROP TABLE audit.{table}",
        ):
            assert refused(statement) == NOT_OWNER_OR_NO_RIGHT

    @pytest.mark.req("AUD-05", "AUD-06")
    @pytest.mark.parametrize(
        "statement",
        [
            "SET session_replication_role = replica",
            "ALTER TABLE crf_formdata DISABLE TRIGGER USER",
            "DROP TRIGGER trail_update ON crf_formdata",
            "CREATE TABLE audit.other (id int)",
            "CREATE TABLE public.other (id int)",
            "CREATE OR REPLACE FUNCTION audit.refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
            "SET ROLE pallsoft_owner",
            "SELECT audit.insert_change_set(NULL)",
        ],
    )
    def test_the_application_cannot_switch_the_trail_off(self, trial, statement):
        assert refused(statement) == NOT_OWNER_OR_NO_RIGHT

    @pytest.mark.req("AUD-05")
    def test_a_table_of_ones_own_cannot_forge_a_trail(self, trial):
        """Whoever may execute a trigger function may hang it on a temporary table with the name of a real one."""
        functions = rows(
            "SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = 'audit'::regnamespace"
            " AND prorettype = 'trigger'::regtype"
        )
        assert len(functions) > 5
        rows("CREATE TEMP TABLE crf_formdata (LIKE public.crf_formdata)")
        for (function,) in functions:
            trigger = f"""CREATE TRIGGER t AFTER INSERT ON pg_temp.crf_formdata REFERENCING NEW TABLE AS new_rows
                FOR EACH STATEMENT EXECUTE FUNCTION {function}"""
            assert refused(trigger) == NOT_OWNER_OR_NO_RIGHT
        connection.cursor().execute("DROP TABLE pg_temp.crf_formdata")

    @pytest.mark.req("AUD-05")
    def test_a_table_in_front_of_ours_is_not_used_by_the_triggers(self, trial, form, writing):
        rows("CREATE TEMP TABLE trials_itemcolumn AS SELECT * FROM public.trials_itemcolumn WHERE false")
        rows("CREATE TEMP TABLE change_set AS SELECT * FROM audit.change_set WHERE false")
        with writing("corrected"):
            FormData.objects.update(data={"NRS_PAIN": "1"})
        assert ("data", "NRS_PAIN", "7", "1") in changes(form)
