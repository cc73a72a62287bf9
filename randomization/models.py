"""Allocations that may be seen. The sealed list lies in the owner's schema, out of the app's reach (D5)."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from pallsoft.audit.models import RegulatedModel
from sites.models import Site, Subject
from trials.models import Study


class Purpose(models.TextChoices):
    """What a list is for. The central one is never used while the system is down (RND-12)."""

    CENTRAL = "central", _("Central randomisation")
    FALLBACK = "fallback", _("Fallback while the system is down")


class Scheme(RegulatedModel):
    """A sealed list: who imported it, who confirmed it, and the hash that commits to it.

    A later list of the same purpose goes on where the earlier ends. None is ever changed or taken away (RND-05).
    """

    study = models.ForeignKey(Study, models.PROTECT, related_name="schemes")
    purpose = models.CharField(max_length=8, choices=Purpose, default=Purpose.CENTRAL)
    generator = models.CharField(max_length=60)
    list_sha256 = models.CharField(max_length=64, unique=True)
    imported_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    imported_at = models.DateTimeField(db_default=Now())
    confirmed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    confirmed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["imported_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(confirmed_by=None, confirmed_at=None)
                | Q(confirmed_by__isnull=False, confirmed_at__isnull=False),
                name="confirmed_by_and_at",
            ),
            models.CheckConstraint(
                condition=Q(confirmed_by=None) | ~Q(confirmed_by=F("imported_by")), name="two_persons"
            ),
        ]


class Stratum(RegulatedModel):
    """One combination of the stratification factors, such as "GI|PAIN"."""

    study = models.ForeignKey(Study, models.PROTECT, related_name="+")
    scheme = models.ForeignKey(Scheme, models.PROTECT, related_name="strata")
    code = models.CharField(max_length=120)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["scheme", "code"], name="stratum_code_once")]


class Allocation(RegulatedModel):
    """That a subject was randomised, when and by whom. The columns arm and seq exist only in the database.

    `at` is the server's time of entry; `happened_at` the true time of an allocation from the fallback list.
    `inputs` is what it rested on at that moment (RND-09). Written by a database function only, never changed; emptied
    with the subject's other data (S18).
    """

    study = models.ForeignKey(Study, models.PROTECT, related_name="+")
    site = models.ForeignKey(Site, models.PROTECT, related_name="+")
    subject = models.OneToOneField(Subject, models.PROTECT, related_name="allocation")
    stratum = models.ForeignKey(Stratum, models.PROTECT, related_name="+")
    key = models.UUIDField(unique=True)
    allocated_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField()
    happened_at = models.DateTimeField(null=True)
    inputs = models.JSONField()
    inputs_sha256 = models.CharField(max_length=64)
    software_version = models.CharField(max_length=20)

    @property
    def values(self) -> dict[str, str]:
        """Factors and facts as they were at randomisation; none once the subject is erased."""
        values: dict[str, str] = self.inputs.get("factors", {}) | self.inputs.get("facts", {})
        return values


class Correction(RegulatedModel):
    """A stratum factor or a named fact that was wrong at randomisation (S13, S14).

    Both values stay and are exported; the allocation is never touched. `confirmed` is empty until it is decided.
    """

    study = models.ForeignKey(Study, models.PROTECT, related_name="+")
    subject = models.ForeignKey(Subject, models.PROTECT, related_name="corrections")
    factor = models.CharField(max_length=40)
    value_randomized = models.CharField(max_length=40)
    value_corrected = models.CharField(max_length=40)
    source = models.CharField(max_length=200)
    reason = models.CharField(max_length=1000)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(db_default=Now())
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    confirmed = models.BooleanField(null=True)

    class Meta:
        ordering = ["requested_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["subject", "factor"], condition=Q(decided_at=None), name="one_open_correction"
            ),
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=F("requested_by")), name="correction_two_persons"
            ),
        ]


class LateEntry(RegulatedModel):
    """A randomisation by telephone from the fallback list, told afterwards with its true time (RND-12, S25).

    The list holder confirms it with the slot number that was read out; only then is the slot taken.
    """

    study = models.ForeignKey(Study, models.PROTECT, related_name="+")
    subject = models.OneToOneField(Subject, models.PROTECT, related_name="late_entry")
    happened_at = models.DateTimeField()
    reason = models.CharField(max_length=1000)
    reported_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    reported_at = models.DateTimeField(db_default=Now())
    confirmed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    confirmed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["happened_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(confirmed_by=None) | ~Q(confirmed_by=F("reported_by")), name="late_entry_two_persons"
            ),
        ]


class Tally(models.Model):
    """How many of a kind at a site on a day, kept by triggers (sql/tally.sql): what recruitment pages are made from."""

    site = models.ForeignKey(Site, models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=10)
    day = models.DateField(null=True)
    code = models.CharField(max_length=64, blank=True)
    n = models.IntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["site", "kind", "day", "code"], name="tally_once", nulls_distinct=False)
        ]
