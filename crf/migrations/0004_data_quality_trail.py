from django.db import migrations

from pallsoft.audit.operations import Grant, Regulated, sql_file

CHANGING = "SELECT, INSERT, UPDATE"


class Migration(migrations.Migration):
    dependencies = [("crf", "0003_data_quality")]

    operations = [
        # What a query asks about never changes; each step of it is a message that says why.
        Regulated(
            "crf_query",
            write_once=["subject_id", "event_id", "form_oid", "repeat_key", "item_oid", "check_oid", "form_data_id"],
            reason_free=["status", "assigned_role", "check_version"],
        ),
        Grant("crf_query", CHANGING),
        Regulated("crf_querymessage", insert_only=True),
        Grant("crf_querymessage", "SELECT, INSERT"),
        Regulated("crf_monitoringvisit", write_once=["site_id", "monitor_id", "request_key"]),
        Grant("crf_monitoringvisit", CHANGING),
        Regulated(
            "crf_verification", insert_only=True, write_once=["dropped_in"], exclude=["salt"], ends=["dropped_in"]
        ),
        Grant("crf_verification", "SELECT, INSERT, UPDATE (dropped_in)"),
        Grant("crf_lock", "UPDATE (lift_requested_in)"),
        Grant("crf_draft", "SELECT, INSERT, UPDATE, DELETE"),
        sql_file("drop_verification.sql", "DROP FUNCTION audit.drop_verifications() CASCADE"),
        sql_file(
            "verified_value.sql",
            """
            DROP FUNCTION audit.verify_value() CASCADE;
            DROP FUNCTION audit.drop_consent_verifications() CASCADE;
            DROP FUNCTION audit.consent_digest(uuid);
            DROP FUNCTION audit.item_digest(uuid, text, jsonb, jsonb);
            DROP FUNCTION audit.salted_digest(uuid, text);
            DROP FUNCTION audit.value_digest(uuid, text, text, text);
            """,
        ),
        sql_file(
            "lock_reach.sql",
            """
            DROP FUNCTION audit.refuse_locked_finding() CASCADE;
            DROP FUNCTION audit.refuse_locked_subject() CASCADE;
            DROP FUNCTION audit.check_lock_place() CASCADE;
            DROP FUNCTION audit.check_lift() CASCADE;
            DROP FUNCTION audit.check_taken_back() CASCADE;
            DROP FUNCTION audit.refuse_closed(uuid, uuid, uuid, uuid, text, text[]);
            DROP FUNCTION audit.is_closed(uuid, uuid, uuid, uuid, text, text[]);
            """,
        ),
        Regulated(
            "crf_maskrequest",
            insert_only=True,
            write_once=["confirmed_in", "refused_in"],
            ends=["confirmed_in", "refused_in"],
        ),
        Grant("crf_maskrequest", "SELECT, INSERT, UPDATE (confirmed_in, refused_in)"),
        sql_file(
            "mask.sql",
            """
            DROP FUNCTION audit.mask(uuid);
            DROP FUNCTION audit.mask_trail(text, uuid, text, text[]);
            DROP FUNCTION audit.says(jsonb, text[]);
            DROP FUNCTION audit.texts_of(jsonb);
            """,
        ),
    ]
