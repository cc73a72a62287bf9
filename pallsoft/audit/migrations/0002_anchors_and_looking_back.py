from django.db import migrations

from pallsoft.audit.operations import sql_file


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]

    operations = [
        sql_file(
            "anchor.sql",
            "DROP FUNCTION audit.note_anchor(bigint, bytea); DROP FUNCTION audit.chain_at(uuid, bigint[]);"
            " DROP TABLE audit.anchor",
        ),
        sql_file(
            "look_back.sql",
            "DROP FUNCTION audit.rows_as_of(text, uuid[], bigint); DROP FUNCTION audit.look_back(uuid, bigint);"
            " DROP FUNCTION audit.touching(uuid)",
        ),
    ]
