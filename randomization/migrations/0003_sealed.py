from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql"
UNDO = {
    "sealed.sql": "ALTER TABLE randomization_allocation DROP COLUMN seq CASCADE, DROP COLUMN arm, DROP COLUMN txid;"
    "DROP SCHEMA sealed CASCADE",
    "allocate.sql": "DROP FUNCTION randomization_hold(uuid), randomization_arms(uuid[]), randomization_runs_low(uuid),"
    "randomization_allocate(uuid, text, uuid, uuid, jsonb, text, text),"
    "randomization_allocate_late(uuid, text, uuid, uuid, jsonb, text, text, timestamptz, integer)",
    "lists.sql": "DROP FUNCTION randomization_import(uuid, text), randomization_problems(uuid);"
    "DROP TRIGGER arrive ON randomization_scheme",
}


class Migration(migrations.Migration):
    dependencies = [("randomization", "0002_trail")]

    operations = [
        migrations.RunSQL((SQL / name).read_text(encoding="utf-8"), undo) for name, undo in UNDO.items()
    ]
