import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.functions.text
from django.db import migrations, models

from pallsoft.audit.operations import Grant


class Migration(migrations.Migration):
    dependencies = [("trials", "0002_trail")]

    operations = [
        migrations.CreateModel(
            name="CtcaeTable",
            fields=[
                ("version", models.CharField(max_length=8, primary_key=True, serialize=False)),
                ("sha256", models.CharField(max_length=64)),
                ("loaded_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
        ),
        migrations.CreateModel(
            name="CtcaeTerm",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.CharField(max_length=16)),
                ("soc", models.TextField()),
                ("term", models.TextField()),
                (
                    "grades",
                    django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), size=5),
                ),
                ("definition", models.TextField()),
                ("note", models.TextField()),
                (
                    "table",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="terms",
                        to="trials.ctcaetable",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("table", "code"), name="ctcae_code_once"),
                    models.UniqueConstraint(
                        models.F("table"), django.db.models.functions.text.Lower("term"), name="ctcae_term_once"
                    ),
                ]
            },
        ),
        Grant("trials_ctcaetable", "SELECT, INSERT"),
        Grant("trials_ctcaeterm", "SELECT, INSERT"),
    ]
