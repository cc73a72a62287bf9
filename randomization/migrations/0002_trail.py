from django.db import migrations

from pallsoft.audit.operations import Grant, Regulated

# The arm stands in no trail and in no grant: the trail is readable, and the last arm betrays the next.
SECRET = ["arm", "seq", "txid"]
SHOWN = (
    "id, created_in, study_id, site_id, subject_id, stratum_id, key, allocated_by_id, at, happened_at, inputs, "
    "inputs_sha256, software_version"
)


class Migration(migrations.Migration):
    dependencies = [("randomization", "0001_initial")]

    operations = [
        Regulated("randomization_scheme", insert_only=True, write_once=["confirmed_by_id", "confirmed_at"]),
        Grant("randomization_scheme", "SELECT, INSERT, UPDATE (confirmed_by_id, confirmed_at)"),
        Regulated("randomization_stratum", insert_only=True),
        Grant("randomization_stratum", "SELECT, INSERT"),
        Regulated("randomization_allocation", insert_only=True, exclude=SECRET),
        Grant("randomization_allocation", f"SELECT ({SHOWN})"),
        Regulated(
            "randomization_correction", insert_only=True, write_once=["decided_by_id", "decided_at", "confirmed"]
        ),
        Grant("randomization_correction", "SELECT, INSERT, UPDATE (decided_by_id, decided_at, confirmed)"),
        Regulated("randomization_lateentry", insert_only=True, write_once=["confirmed_by_id", "confirmed_at"]),
        Grant("randomization_lateentry", "SELECT, INSERT, UPDATE (confirmed_by_id, confirmed_at)"),
    ]
