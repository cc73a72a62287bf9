from django.db import migrations

from pallsoft.audit.operations import Grant, Regulated

CHANGING = "SELECT, INSERT, UPDATE"


class Migration(migrations.Migration):
    dependencies = [("sites", "0001_initial")]

    operations = [
        Regulated("sites_site", reason_free=["status", "status_since"]),
        Grant("sites_site", CHANGING),
        Regulated("sites_siteversion"),
        Grant("sites_siteversion", CHANGING),
        Regulated("sites_assignment"),
        Grant("sites_assignment", CHANGING),
        Regulated("sites_delegation"),
        Grant("sites_delegation", CHANGING),
        Regulated("sites_subject", write_once=["number"], reason_free=["status"]),
        Grant("sites_subject", CHANGING),
        Regulated("sites_screeningentry", reason_free=["outcome"]),
        Grant("sites_screeningentry", CHANGING),
        Regulated("sites_consent", write_once=["subject_id"]),
        Grant("sites_consent", CHANGING),
        Regulated("sites_consentoption", write_once=["subject_id", "consent_id"]),
        Grant("sites_consentoption", CHANGING),
    ]
