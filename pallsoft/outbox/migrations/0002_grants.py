from django.db import migrations

from pallsoft.audit.operations import Grant


class Migration(migrations.Migration):
    dependencies = [("outbox", "0001_initial")]

    operations = [Grant("outbox_message", "SELECT, INSERT, UPDATE")]
