"""What closes data: signatures and locks."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from crf.models.data import FormData, StudyEvent
from pallsoft.audit.models import RegulatedModel
from sites.models import Site, Subject
from trials.models import Study


class Meaning(models.TextChoices):
    ELIGIBILITY = "eligibility", _("Eligibility confirmed")
    REVIEWED = "reviewed", _("Reviewed: the data are complete and correct")
    ASSESSED = "assessed", _("Assessment confirmed by the physician")


class Signature(RegulatedModel):
    """A signature bound to the values it was given for (21 CFR 11.70)."""

    study = models.ForeignKey(Study, models.PROTECT, related_name="+")
    subject = models.ForeignKey(Subject, models.PROTECT, related_name="signatures")
    event = models.ForeignKey(StudyEvent, models.PROTECT, null=True, related_name="signatures")
    form_data = models.ForeignKey(FormData, models.PROTECT, null=True, related_name="signatures")
    meaning = models.CharField(max_length=20, choices=Meaning)
    signed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    signed_at = models.DateTimeField(db_default=Now())
    printed_name = models.CharField(max_length=120)
    delegation = models.ForeignKey("sites.Delegation", models.PROTECT, null=True, related_name="+")
    manifest = models.JSONField()
    sha256 = models.CharField(max_length=64)
    salt = models.UUIDField(
        null=True
    )  # of the digests in the manifest; emptied when what was signed is masked or erased
    timezone = models.CharField(max_length=40, default="Europe/Oslo")  # in which the time is printed (11.50)
    seal_n = models.BigIntegerField(null=True)  # the last link of the chain that the signer saw (SIG-03)
    voided_in = models.UUIDField(null=True)


class LockKind(models.TextChoices):
    FREEZE = "freeze", _("Frozen")
    LOCK = "lock", _("Locked")


class Lock(RegulatedModel):
    """A locked path, from a whole study down to one form; covers forms that do not exist yet (PC073)."""

    study = models.ForeignKey(Study, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=6, choices=LockKind)
    site = models.ForeignKey(Site, models.PROTECT, null=True, related_name="+")
    subject = models.ForeignKey(Subject, models.PROTECT, null=True, related_name="+")
    event = models.ForeignKey(StudyEvent, models.PROTECT, null=True, related_name="+")
    form_oid = models.CharField(max_length=40, blank=True)
    lift_requested_in = models.UUIDField(null=True)  # of a site or a study, lifting takes two persons
    lifted_in = models.UUIDField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["study", "kind", "site", "subject", "event", "form_oid"],
                condition=models.Q(lifted_in__isnull=True),
                nulls_distinct=False,
                name="lock_once",
            )
        ]

    @property
    def takes_two(self) -> bool:
        """Does it close a site or the whole study, so that lifting it takes a second person?"""
        return self.subject_id is None and self.event_id is None
