"""The outbox of mails."""

from django.apps import AppConfig


class OutboxConfig(AppConfig):
    name = "pallsoft.outbox"
    label = "outbox"
