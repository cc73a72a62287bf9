"""The product's own Celery application for tests with real processes: it looks every second, and no hour is closed.

    celery -A tests.quick_celery worker

Neither the hour nor the day of the week at which the tests run may decide what they find.
"""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pallsoft.settings")
django.setup()

from crf.reminders import holding  # noqa: E402 - needs Django set up
from pallsoft.celery import app  # noqa: E402

holding.next_opening = lambda plan, now: now
for entry in app.conf.beat_schedule.values():
    if isinstance(entry["schedule"], float):
        entry["schedule"] = 1.0
