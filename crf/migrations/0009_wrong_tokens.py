from django.db import migrations, models

from pallsoft.audit.operations import Grant


class Migration(migrations.Migration):
    dependencies = [("crf", "0008_serious_event_paper")]

    operations = [
        migrations.CreateModel(
            name="WrongToken",
            fields=[
                ("network", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("since", models.DateTimeField()),
                ("tries", models.PositiveIntegerField()),
            ],
        ),
        Grant("crf_wrongtoken", "SELECT, INSERT, UPDATE, DELETE"),
    ]
