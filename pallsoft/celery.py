"""The Celery application: it carries work, the database remembers it (decision D6)."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pallsoft.settings")
app = Celery("pallsoft")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
