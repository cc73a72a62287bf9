from django.db import migrations

from pallsoft.audit.operations import Grant, Regulated, sql_file


class Migration(migrations.Migration):
    dependencies = [("sites", "0004_participation")]

    operations = [
        # What was said stays as it was said; only its end is written, once.
        Regulated("sites_stop", insert_only=True, write_once=["ended_in", "lifted_by_id"]),
        Grant("sites_stop", "SELECT, INSERT, UPDATE (ended_in, lifted_by_id)"),
        Regulated("sites_death", insert_only=True, write_once=["ended_in"], ends=["ended_in"]),
        Grant("sites_death", "SELECT, INSERT, UPDATE (ended_in)"),
        Regulated("sites_contactattempt", insert_only=True),
        Grant("sites_contactattempt", "SELECT, INSERT"),
        Regulated("sites_sampletask", write_once=["subject_id", "stop_id", "due_on", "done_on", "dropped_in"]),
        Grant("sites_sampletask", "SELECT, INSERT, UPDATE"),
        Regulated(
            "sites_erasure",
            write_once=[
                "subject_id",
                "wished_on",
                "first_confirmed_by_id",
                "first_confirmed_at",
                "erased_by_id",
                "erased_at",
                "declined_in",
            ],
            reason_free=["held_by"],
            ends=["declined_in"],
        ),
        # That it was erased, and by whom, is written by audit.erase_subject alone.
        Grant(
            "sites_erasure",
            "SELECT, INSERT, UPDATE (exceptions, held_by, first_confirmed_by_id, first_confirmed_at, declined_in)",
        ),
        sql_file(
            "erase.sql",
            """
            DROP FUNCTION audit.erase_subject(uuid);
            DROP FUNCTION audit.empty_reasons(uuid);
            DROP FUNCTION audit.empty_rows(audit.erasable, uuid[]);
            DROP TABLE audit.erasable;
            """,
        ),
    ]
