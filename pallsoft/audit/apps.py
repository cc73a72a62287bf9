from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "pallsoft.audit"
    label = "audit"
