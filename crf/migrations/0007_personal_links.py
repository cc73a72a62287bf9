import uuid

import django.db.models.deletion
from django.db import migrations, models

import pallsoft.audit.models
from pallsoft.audit.operations import Grant, Regulated


class Migration(migrations.Migration):
    dependencies = [("crf", "0006_why_not_done"), ("sites", "0005_participation_trail"), ("trials", "0002_trail")]

    operations = [
        migrations.CreateModel(
            name="PersonalLink",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("channel", models.CharField(choices=[("card", "Printed card"), ("mail", "E-mail"), ("sms", "SMS")], max_length=4)),
                ("token_sha256", models.CharField(max_length=64, unique=True)),
                ("expires_at", models.DateTimeField()),
                ("answered_by", models.CharField(choices=[("alone", "The patient"), ("helped", "The patient with help"), ("proxy", "Somebody else for the patient")], max_length=6, null=True)),
                ("device", models.CharField(choices=[("phone", "Phone"), ("tablet", "Tablet"), ("computer", "Computer")], max_length=8, null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                ("asks_call", models.BooleanField(null=True)),
                ("stop_wish", models.CharField(choices=[("today", "Only today"), ("for_good", "No more questionnaires")], max_length=8, null=True)),
                ("revoked_in", models.UUIDField(null=True)),
                ("created_in", models.ForeignKey(db_column="created_in", db_constraint=False, db_default=pallsoft.audit.models.CurrentChangeSet(), db_index=False, editable=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name="+", to="audit.changeset")),
                ("event", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="links", to="crf.studyevent")),
                ("study", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="trials.study")),
                ("subject", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="links", to="sites.subject")),
            ],
        ),
        # Who answers and on what may be told again, on another device.
        Regulated(
            "crf_personallink",
            write_once=["subject_id", "event_id", "channel", "token_sha256", "expires_at", "finished_at", "revoked_in"],
            reason_free=["answered_by", "device"],
        ),
        Grant("crf_personallink", "SELECT, INSERT, UPDATE"),
    ]
