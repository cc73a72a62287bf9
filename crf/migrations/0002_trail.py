from django.db import migrations

from pallsoft.audit.operations import Grant, Regulated, sql_file

CHANGING = "SELECT, INSERT, UPDATE"


class Migration(migrations.Migration):
    dependencies = [("crf", "0001_initial")]

    operations = [
        # Where a row stands never changes: moved, it would leave its locks and its signatures behind.
        Regulated(
            "crf_studyevent",
            write_once=["subject_id", "event_oid", "ordinal"],
            reason_free=["target_on", "window_from", "window_to"],
        ),
        Grant("crf_studyevent", CHANGING),
        Regulated(
            "crf_formdata",
            items=["data", "marks"],
            write_once=["subject_id", "event_id", "form_oid", "repeat_key", "removed_in"],
            exclude=["version"],  # counts the saves; one changed item is one row (AUD-03)
            reason_free=["status"],
            ends=["removed_in"],
            own_keys=["by_rule", "check", "checks", "set_aside", "set_aside_missing"],
        ),
        Grant("crf_formdata", CHANGING),
        Regulated("crf_deviation", reason_free=["status", "check_version", "message"]),
        Grant("crf_deviation", CHANGING),
        Regulated("crf_signature", insert_only=True, write_once=["voided_in"], exclude=["salt"]),
        Grant("crf_signature", "SELECT, INSERT, UPDATE (voided_in)"),
        Regulated(
            "crf_lock",
            insert_only=True,
            write_once=["lift_requested_in", "lifted_in"],
            taken_back=["lift_requested_in"],
            ends=["lift_requested_in", "lifted_in"],
        ),
        Grant("crf_lock", "SELECT, INSERT, UPDATE (lifted_in)"),
        Regulated("crf_exportjob", reason_free=["state"]),
        Grant("crf_exportjob", CHANGING),
        Grant("crf_request", "SELECT, INSERT"),
        sql_file(
            "belongs.sql",
            """
            ALTER TABLE crf_formdata DROP CONSTRAINT form_of_event;
            ALTER TABLE crf_studyevent DROP CONSTRAINT event_of_subject, DROP CONSTRAINT event_and_subject;
            ALTER TABLE sites_subject DROP CONSTRAINT subject_and_study;
            """,
        ),
        sql_file(
            "value_check.sql",
            """
            DROP FUNCTION audit.check_values() CASCADE;
            DROP FUNCTION audit.broken_mark_rule(jsonb, boolean, trials_itemcolumn);
            DROP FUNCTION audit.broken_rule(text, trials_itemcolumn);
            DROP FUNCTION audit.is_date(text);
            """,
        ),
        sql_file(
            "lock_path.sql",
            """
            DROP INDEX lock_standing;
            DROP FUNCTION audit.refuse_locked_event() CASCADE;
            DROP FUNCTION audit.refuse_locked_form() CASCADE;
            DROP FUNCTION audit.close_path() CASCADE;
            DROP FUNCTION audit.lock_key(uuid);
            """,
        ),
        sql_file(
            "void_signature.sql",
            """
            DROP FUNCTION audit.check_signature() CASCADE;
            DROP FUNCTION audit.void_casebook_signatures() CASCADE;
            DROP FUNCTION audit.void_signatures_of_event() CASCADE;
            DROP FUNCTION audit.void_signatures_of_form() CASCADE;
            DROP FUNCTION audit.void_signatures() CASCADE;
            """,
        ),
        sql_file("as_of.sql", "DROP FUNCTION audit.form_data_as_of(uuid, bigint)"),
    ]
