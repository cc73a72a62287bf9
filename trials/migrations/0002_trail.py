from django.db import migrations

from pallsoft.audit.operations import Grant, Regulated


class Migration(migrations.Migration):
    dependencies = [("trials", "0001_initial")]

    operations = [
        Regulated("trials_study", reason_free=["status"]),
        Grant("trials_study", "SELECT, INSERT, UPDATE"),
        # The documents themselves stand behind sha256, which is trailed.
        Regulated("trials_studyversion", insert_only=True, exclude=["definition", "source_files"]),
        Grant("trials_studyversion", "SELECT, INSERT"),
        Grant("trials_itemcolumn", "SELECT, INSERT"),
    ]
