from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models

from pallsoft.audit.operations import Grant

SQL = Path(__file__).resolve().parent.parent / "sql"
UNDO = """
    DROP VIEW randomization_recounted;
    DROP TRIGGER tally ON randomization_allocation;
    DROP TRIGGER tally_insert ON sites_screeningentry;
    DROP TRIGGER tally_update ON sites_screeningentry;
    DROP TRIGGER tally_insert ON sites_subject;
    DROP TRIGGER tally_update ON sites_subject;
    DROP TRIGGER tally ON sites_consent;
    DROP FUNCTION randomization_count_included(), randomization_count_screened(), randomization_count_failed(),
        randomization_count_consented(), randomization_count(uuid, text, date, text, integer);
"""


class Migration(migrations.Migration):
    dependencies = [("randomization", "0003_sealed"), ("sites", "0008_alive_in_record")]

    operations = [
        migrations.CreateModel(
            name="Tally",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=10)),
                ("day", models.DateField(null=True)),
                ("code", models.CharField(blank=True, max_length=64)),
                ("n", models.IntegerField()),
                ("site", models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="sites.site")),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("site", "kind", "day", "code"), name="tally_once", nulls_distinct=False)],
            },
        ),
        migrations.RunSQL((SQL / "tally.sql").read_text(encoding="utf-8"), UNDO),
        Grant("randomization_tally", "SELECT"),
    ]
