from django.db import migrations

from pallsoft.audit.operations import sql_file


class Migration(migrations.Migration):
    dependencies = [("trials", "0003_ctcae")]

    operations = [sql_file("live_stays.sql", "DROP FUNCTION audit.keep_live() CASCADE")]
