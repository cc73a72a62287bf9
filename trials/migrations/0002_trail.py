from django.db import migrations

from pallsoft.audit.operations import Grant, Regulated, sql_file


class Migration(migrations.Migration):
    dependencies = [("trials", "0001_initial")]

    operations = [
        Regulated("trials_study", reason_free=["status"]),
        Grant("trials_study", "SELECT, INSERT, UPDATE"),
        Regulated("trials_studyversion", insert_only=True),
        Grant("trials_studyversion", "SELECT, INSERT"),
        Grant("trials_itemcolumn", "SELECT, INSERT"),
        sql_file("item_columns.sql", "DROP FUNCTION audit.refuse_late_columns() CASCADE"),
    ]
