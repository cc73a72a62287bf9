import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("crf", "0007_personal_links")]

    operations = [
        migrations.AddField(
            "exportjob",
            "form_data",
            models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="crf.formdata"),
        ),
        migrations.AlterField(
            "exportjob",
            "kind",
            models.CharField(choices=[("dataset", "Dataset"), ("trail", "Audit trail"), ("casebook", "Casebook"), ("blank_crf", "Blank CRF"), ("annotated_crf", "Annotated CRF"), ("schedule", "Visit schedule"), ("serious_event", "Serious event")], default="dataset", max_length=14),
        ),
    ]
