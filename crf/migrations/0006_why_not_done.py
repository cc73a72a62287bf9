from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("crf", "0005_closed_visits")]

    operations = [
        migrations.AddField("studyevent", "not_done_code", models.CharField(blank=True, default="", max_length=32), False),
        migrations.AddConstraint(
            "studyevent",
            models.CheckConstraint(
                condition=models.Q(happened_on=None) | models.Q(not_done_reason=""), name="study_event_done_or_not"
            ),
        ),
        migrations.AddConstraint(
            "studyevent",
            models.CheckConstraint(
                condition=models.Q(not_done_code="", closed_for="") | ~models.Q(not_done_reason=""),
                name="study_event_not_done_with_reason",
            ),
        ),
    ]
