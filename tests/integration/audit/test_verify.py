"""AUD-07: whoever can switch triggers off can change rows, and is found out, with the row named."""

import uuid
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from crf.models import FormData
from pallsoft.audit.context import change_set
from pallsoft.audit.verification import findings
from tests.integration.audit.small_trial import make_form, make_trial, rows

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("AUD-07")]


@pytest.fixture
def tampered(superuser):
    """Runs statements with every trigger of the cluster switched off."""

    def run(statement, *given):
        cursor = superuser.cursor()
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(statement, given)
        assert cursor.rowcount > 0

    return run


@pytest.fixture
def history(trial, form, writing):
    """A form, changed three times under three reasons; the ids of its three changes of NRS_PAIN."""
    for value in ("6", "5", "4"):
        with writing(f"corrected to {value}"):
            FormData.objects.update(data=form.data | {"NRS_PAIN": value})
    assert list(findings()) == []
    return [i for (i,) in rows("SELECT id FROM audit.item_change WHERE item = 'NRS_PAIN' ORDER BY id")]


def found():
    return " | ".join(str(finding) for finding in findings())


def test_an_untouched_trail_holds(history):
    out = StringIO()
    call_command("verify_audit", stdout=out)
    assert "holds" in out.getvalue()


def test_the_command_fails_and_names_the_first_bad_row(history, tampered):
    tampered("UPDATE audit.item_change SET new = '\"9\"' WHERE id = %s", history[1])
    err = StringIO()
    with pytest.raises(CommandError, match="does not hold"):
        call_command("verify_audit", stderr=err)
    assert f"change {history[1]} of crf_formdata" in err.getvalue()


def test_a_value_edited_in_the_table_is_named(form, history, tampered):
    tampered('UPDATE crf_formdata SET data = data || \'{"NRS_PAIN": "0"}\'')
    assert found() == f"crf_formdata {form.pk} data.NRS_PAIN is not what the trail says"


def test_a_column_edited_in_the_table_is_named(trial, history, tampered):
    tampered("UPDATE sites_subject SET birth_year = 1900")
    assert found() == f"sites_subject {trial.subject.pk} birth_year is not what the trail says"


def test_a_row_deleted_from_the_table_is_named(trial, history, tampered):
    tampered("DELETE FROM sites_subject")
    assert found() == f"sites_subject {trial.subject.pk}: the row is gone"


def test_a_row_slipped_into_the_table_is_named(trial, history, tampered):
    new = str(uuid.uuid4())
    tampered("INSERT INTO crf_studyevent SELECT (jsonb_populate_record(e, %s)).* FROM crf_studyevent e",
             f'{{"id": "{new}", "ordinal": 2}}')  # fmt: skip
    assert found() == f"crf_studyevent {new}: the row was never trailed"


@pytest.mark.parametrize(
    ("table", "change", "named"),
    [
        ("change_set", "reason = 'other'", "change set "),
        ("change_set", "actor_name = 'Ola'", "change set "),
        ("change_set", "at = at - interval '1 microsecond'", "change set "),
        ("baseline", 'doc = doc || \'{"number": "1"}\'', "first values of "),
        ("item_change", "old = '\"9\"'", "change "),
        ("item_change", "salt = gen_random_uuid()", "change "),
        ("item_change", "salt = NULL", "change "),
        ("item_change", "item = 'WEIGHT'", "change "),
        ("seal", "at = at - interval '1 day'", "were added, removed, reordered or altered"),
    ],
)
def test_an_edited_row_of_the_trail_is_named(history, tampered, table, change, named):
    tampered(f"UPDATE audit.{table} SET {change}")
    assert named in found()


def test_a_row_edited_together_with_its_digest_breaks_the_link(history, tampered):
    tampered(
        """UPDATE audit.item_change i SET new = '"9"', digest =
        audit.digest_of(i.salt, i.change_set, i.tbl, i.row_id, i.part, i.item, i.old, '"9"') WHERE id = %s""",
        history[1],
    )
    assert "seal 4: trail rows of change set" in found()


def test_a_removed_row_in_the_middle_is_found(history, tampered):
    tampered("DELETE FROM audit.item_change WHERE id = %s", history[1])
    assert "seal 4: trail rows of change set" in found()


def test_two_rows_that_changed_places_are_found(history, tampered):
    tampered(
        """UPDATE audit.item_change i SET change_set = o.change_set FROM audit.item_change o
        WHERE i.id = ANY (%s) AND o.id = ANY (%s) AND o.id <> i.id""",
        history[:2], history[:2],
    )  # fmt: skip
    assert "seal 3: trail rows" in found()
    assert "seal 4: trail rows" in found()


def test_two_rows_of_one_change_set_that_changed_places_are_found(trial, form, writing, tampered):
    with writing("corrected"):
        FormData.objects.update(data={"NRS_PAIN": "1", "WEIGHT": "70"})
    tampered(
        """WITH gone AS (DELETE FROM audit.item_change RETURNING *)
        INSERT INTO audit.item_change OVERRIDING SYSTEM VALUE
        SELECT (jsonb_populate_record(
            NULL::audit.item_change, to_jsonb(g) || jsonb_build_object('id', (SELECT sum(id) FROM gone) - g.id)
        )).* FROM gone g"""
    )
    assert "seal 3: trail rows" in found()


def test_an_inserted_row_is_found(history, tampered):
    tampered(
        """INSERT INTO audit.item_change (change_set, tbl, row_id, part, item, old, new, salt, digest)
        SELECT change_set, tbl, row_id, part, 'WEIGHT', '"1"', '"71.5"', salt,
            audit.digest_of(salt, change_set, tbl, row_id, part, 'WEIGHT', '"1"', '"71.5"')
        FROM audit.item_change WHERE id = %s""",
        history[0],
    )
    assert "seal 3: trail rows of change set" in found()


def test_a_row_of_no_change_set_is_found(history, tampered):
    tampered("UPDATE audit.item_change SET change_set = gen_random_uuid() WHERE id = %s", history[0])
    assert f"change {history[0]} of crf_formdata belongs to no change set" in found()


def test_a_deleted_link_is_found(history, tampered):
    tampered("DELETE FROM audit.seal WHERE n = 4")
    assert "seal 5: the link before it is missing" in found()
    assert "is not sealed" in found()


def test_a_deleted_change_set_is_found(history, tampered):
    tampered("DELETE FROM audit.change_set WHERE reason = 'corrected to 5'")
    assert "seal 4: change set" in found()


def test_a_cut_tail_differs_from_the_head(history, tampered):
    tampered("DELETE FROM audit.seal WHERE n = 5")
    assert "the last link is not the one that the head names" in found()


def test_a_lost_head_and_a_link_in_another_chain_are_found(trial, history, tampered):
    tampered("DELETE FROM audit.head WHERE study_id = %s", str(trial.study.pk))
    tampered("UPDATE audit.seal SET study_id = gen_random_uuid() WHERE n = 4")
    assert "the chain has no head" in found()
    assert "the link stands in the chain of another study" in found()


def test_a_link_spliced_in_does_not_follow(history, tampered):
    tampered("UPDATE audit.seal SET prev = sha256('x') WHERE n = 4")
    assert "seal 4: the link does not follow the one before" in found()


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM audit.regulated WHERE tbl = 'crf_formdata'",
        "UPDATE audit.regulated SET excluded = '{version,data}' WHERE tbl = 'crf_formdata'",
        "UPDATE audit.regulated SET parts = '{}' WHERE tbl = 'crf_formdata'",
    ],
)
def test_a_table_or_column_taken_off_the_list_is_found(history, tampered, statement):
    tampered(statement)
    assert "crf_formdata is not listed as it is regulated" in found()


def test_a_trigger_that_is_off_is_found(history, owner):
    owner.cursor().execute("ALTER TABLE sites_site DISABLE TRIGGER trail_update")
    try:
        assert found() == "sites_site: a trigger of the trail is missing or off"
    finally:
        owner.cursor().execute("ALTER TABLE sites_site ENABLE TRIGGER trail_update")


@pytest.mark.req("AUD-14")
@pytest.mark.parametrize("act", ["audit.mask", "audit.erase"])
@pytest.mark.parametrize(
    ("table", "emptied"),
    [
        ("item_change", "old = NULL, new = NULL, salt = NULL"),
        ("item_change", "new = '\"\"', salt = gen_random_uuid()"),
        ("item_change", "part = part"),  # emptied in name alone
        ("baseline", "doc = NULL, salt = NULL"),
        ("baseline", "doc = doc || '{\"data\": {}}', salt = NULL"),
        ("baseline", 'doc = doc || \'{"data": {"NRS_PAIN": "0"}}\', salt = gen_random_uuid()'),
    ],
)
def test_a_row_dressed_up_as_emptied_by_a_sealed_act_is_found(trial, form, history, tampered, act, table, emptied):
    with change_set(study=trial.study, by=trial.user, action=act, reason="a name") as genuine:
        pass
    tampered(f"UPDATE audit.{table} SET {emptied}, masked_in = %s WHERE row_id = %s", str(genuine), str(form.pk))
    assert "was altered" in found()


def test_masking_without_a_sealed_change_set_is_tampering(history, tampered):
    tampered("UPDATE audit.item_change SET salt = NULL, masked_in = gen_random_uuid() WHERE id = %s", history[0])
    assert f"change {history[0]} of crf_formdata was masked by no sealed act of masking" in found()


def test_one_study_is_verified_apart_from_the_others(trial, history, tampered):
    other = make_trial("OTHER")
    make_form(other, {"NRS_PAIN": "1"})
    tampered("UPDATE crf_formdata SET data = '{}' WHERE study_id = %s", str(other.study.pk))
    tampered("UPDATE audit.change_set SET reason = 'x' WHERE study_id = %s", str(other.study.pk))
    call_command("verify_audit", study="PALLSOFT", stdout=StringIO())
    with pytest.raises(CommandError):
        call_command("verify_audit", study="OTHER", stderr=StringIO())
    with pytest.raises(CommandError, match="no study NONE"):
        call_command("verify_audit", study="NONE")


def test_a_column_added_later_is_no_difference_while_it_is_empty(history, owner):
    owner.cursor().execute("ALTER TABLE sites_site ADD COLUMN county text")
    owner.cursor().execute("GRANT SELECT ON sites_site TO pallsoft_app")
    try:
        assert found() == ""
    finally:
        owner.cursor().execute("ALTER TABLE sites_site DROP COLUMN county")
