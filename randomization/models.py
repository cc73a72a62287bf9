"""Allocations that may be seen. The sealed list lies in the owner's schema, out of the app's reach (D5)."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from pallsoft.audit.models import RegulatedModel
from sites.models import Subject
from trials.models import Study


class Scheme(RegulatedModel):
    """A sealed list: who imported it, who confirmed it, and the hash that commits to it."""

    study = models.ForeignKey(Study, models.PROTECT, related_name="schemes")
    algorithm = models.CharField(max_length=60)
    list_sha256 = models.CharField(max_length=64)
    imported_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    imported_at = models.DateTimeField(db_default=Now())
    confirmed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    confirmed_at = models.DateTimeField(null=True)


class Stratum(RegulatedModel):
    """One combination of the stratification factors, such as "GI|PAIN"."""

    study = models.ForeignKey(Study, models.PROTECT, related_name="+")
    scheme = models.ForeignKey(Scheme, models.PROTECT, related_name="strata")
    code = models.CharField(max_length=120)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["scheme", "code"], name="stratum_code_once")]


class Allocation(RegulatedModel):
    """That a subject was randomised, when and by whom. The columns arm and seq exist only in the database."""

    study = models.ForeignKey(Study, models.PROTECT, related_name="+")
    subject = models.OneToOneField(Subject, models.PROTECT, related_name="allocation")
    stratum = models.ForeignKey(Stratum, models.PROTECT, related_name="+")
    key = models.UUIDField(unique=True)
    allocated_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField()
    inputs_sha256 = models.CharField(max_length=64)
    software_version = models.CharField(max_length=20)
