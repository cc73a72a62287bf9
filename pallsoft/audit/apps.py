"""The trail: it stands below everything and knows nobody."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "pallsoft.audit"
    label = "audit"
