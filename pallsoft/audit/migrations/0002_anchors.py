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
    ]
