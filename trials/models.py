"""The plan: a study and its published, immutable versions (decision D14)."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower, Now
from django.utils.translation import gettext_lazy as _

from pallsoft.audit.models import RegulatedModel


class Mode(models.TextChoices):
    TEST = "test", _("Test")
    LIVE = "live", _("Live")


class Status(models.TextChoices):
    """The state of a study and of a site."""

    PLANNED = "planned", _("Planned")
    OPEN = "open", _("Open")
    PAUSED = "paused", _("Paused")
    CLOSED_TO_RECRUITMENT = "closed_to_recruitment", _("Closed to recruitment")
    CLOSED_OUT = "closed_out", _("Closed out")


class Study(RegulatedModel):
    """One trial. `randomization_open` false is the sponsor's emergency stop for all sites (RND-14)."""

    oid = models.CharField(max_length=40, unique=True)
    title = models.TextField()
    mode = models.CharField(max_length=4, choices=Mode, default=Mode.TEST)
    timezone = models.CharField(max_length=40, default="Europe/Oslo")
    status = models.CharField(max_length=24, choices=Status, default=Status.PLANNED)
    randomization_open = models.BooleanField(default=False)
    reminders_paused = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.oid


class StudyVersion(RegulatedModel):
    """A published definition: canonical JSON with its SHA-256; never changed afterwards."""

    study = models.ForeignKey(Study, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    definition = models.JSONField()
    sha256 = models.CharField(max_length=64)
    source_files = models.JSONField()
    published_at = models.DateTimeField(db_default=Now())
    published_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["study", "number"], name="version_number_once")]

    def __str__(self) -> str:
        return f"{self.study.oid} {self.number}"


class ItemColumn(models.Model):
    """What the database must know of an item to check its values (DAT-07); written once, at publish."""

    # No index of its own: the unique one begins with it, and the value check must find items by all three columns.
    version = models.ForeignKey(StudyVersion, models.PROTECT, related_name="item_columns", db_index=False)
    form_oid = models.CharField(max_length=40)
    item_oid = models.CharField(max_length=40)
    kind = models.CharField(max_length=12)
    length = models.PositiveIntegerField(null=True)
    decimals = models.PositiveIntegerField(null=True)
    min = models.DecimalField(max_digits=20, decimal_places=6, null=True)
    max = models.DecimalField(max_digits=20, decimal_places=6, null=True)
    codes = ArrayField(models.TextField(), null=True)
    missing_codes = ArrayField(models.TextField(), default=list)
    reveals_arm = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["version", "form_oid", "item_oid"], name="item_column_once")]


class CtcaeTable(models.Model):
    """NCI's criteria for adverse events, as a file brought them (`manage.py load_ctcae`); never changed afterwards."""

    version = models.CharField(max_length=8, primary_key=True)
    sha256 = models.CharField(max_length=64)
    loaded_at = models.DateTimeField(db_default=Now())


class CtcaeTerm(models.Model):
    """One term. `code`: of MedDRA; `grades`: the sentences of grades 1 to 5, "" where the term has no such grade."""

    # No index of its own: the unique ones begin with it.
    table = models.ForeignKey(CtcaeTable, models.PROTECT, related_name="terms", db_index=False)
    code = models.CharField(max_length=16)
    soc = models.TextField()
    term = models.TextField()
    grades = ArrayField(models.TextField(), size=5)
    definition = models.TextField()
    note = models.TextField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["table", "code"], name="ctcae_code_once"),
            models.UniqueConstraint("table", Lower("term"), name="ctcae_term_once"),
        ]

    def __str__(self) -> str:
        return self.term
