import uuid

import django.db.models.deletion
from django.db import migrations, models

import pallsoft.audit.models
from pallsoft.audit.operations import Grant, Regulated


def common():
    """The columns that every table about a subject begins with; fields are made anew for each table."""
    return [
        ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
        ("created_in", models.ForeignKey(db_column="created_in", db_constraint=False, db_default=pallsoft.audit.models.CurrentChangeSet(), db_index=False, editable=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name="+", to="audit.changeset")),
        ("study", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="trials.study")),
        ("subject", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="sites.subject")),
    ]


class Migration(migrations.Migration):
    dependencies = [("crf", "0009_wrong_tokens"), ("sites", "0008_alive_in_record"), ("trials", "0002_trail")]

    operations = [
        migrations.CreateModel(
            name="SafetyReport",
            fields=[
                *common(),
                ("form_data", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="safety_reports", to="crf.formdata")),
                ("number", models.PositiveSmallIntegerField()),
                ("form_version", models.PositiveIntegerField()),
                ("read_in", models.UUIDField(null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("form_data", "number"), name="safety_report_number_once"),
                    models.UniqueConstraint(fields=("form_data", "form_version"), name="safety_report_of_version_once"),
                ],
            },
        ),
        migrations.CreateModel(
            name="SafetyAssessment",
            fields=[
                *common(),
                ("form_data", models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name="safety_assessment", to="crf.formdata")),
                ("expected", models.BooleanField(null=True)),
                ("related", models.CharField(blank=True, max_length=32)),
                ("authority_on", models.DateField(null=True)),
            ],
        ),
        Regulated("crf_safetyreport", insert_only=True, write_once=["read_in"]),
        Grant("crf_safetyreport", "SELECT, INSERT, UPDATE (read_in)"),
        Regulated("crf_safetyassessment", write_once=["subject_id", "form_data_id"]),
        Grant("crf_safetyassessment", "SELECT, INSERT, UPDATE"),
        migrations.RunSQL(
            """
            -- Both are about a form of the subject that they name; a judgement is closed with its form.
            ALTER TABLE public.crf_formdata ADD CONSTRAINT form_and_subject UNIQUE (id, subject_id, study_id);
            ALTER TABLE public.crf_safetyreport ADD CONSTRAINT report_of_form
                FOREIGN KEY (form_data_id, subject_id, study_id) REFERENCES public.crf_formdata (id, subject_id, study_id);
            ALTER TABLE public.crf_safetyassessment ADD CONSTRAINT assessment_of_form
                FOREIGN KEY (form_data_id, subject_id, study_id) REFERENCES public.crf_formdata (id, subject_id, study_id);
            CREATE TRIGGER lock_reach BEFORE INSERT OR UPDATE ON public.crf_safetyassessment
            FOR EACH ROW EXECUTE FUNCTION audit.refuse_locked_finding();
            """,
            """
            ALTER TABLE public.crf_safetyassessment DROP CONSTRAINT assessment_of_form;
            ALTER TABLE public.crf_safetyreport DROP CONSTRAINT report_of_form;
            ALTER TABLE public.crf_formdata DROP CONSTRAINT form_and_subject;
            DROP TRIGGER lock_reach ON public.crf_safetyassessment;
            """,
        ),
    ]
