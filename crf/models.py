"""The data: visits, forms as flat documents of canonical text, signatures and locks (data_model §1-2)."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from pallsoft.audit.models import RegulatedModel
from sites.models import Site, Subject
from trials.models import Study, StudyVersion


class StudyEvent(RegulatedModel):
    """A visit of a subject. `ordinal` counts attempts (re-screening) and repeats."""

    study = models.ForeignKey(Study, models.PROTECT, related_name="+")
    subject = models.ForeignKey(Subject, models.PROTECT, related_name="events")
    event_oid = models.CharField(max_length=40)
    ordinal = models.PositiveSmallIntegerField(default=1)
    target_on = models.DateField(null=True)
    window_from = models.DateField(null=True)
    window_to = models.DateField(null=True)
    provisional = models.BooleanField(default=False)  # reckoned from a planned date, not from the real day 0
    happened_on = models.DateField(null=True)
    not_done_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["subject", "event_oid", "ordinal"], name="study_event_once")]

    @property
    def key(self) -> tuple[str, int]:
        """Names the visit within its subject, also before it is saved."""
        return self.event_oid, self.ordinal

    @property
    def is_settled(self) -> bool:
        """Done, or known not to be done: its plan is history."""
        return bool(self.happened_on or self.not_done_reason)


class FormStatus(models.TextChoices):
    INCOMPLETE = "incomplete", _("In progress")
    COMPLETE = "complete", _("Complete")


class FormData(RegulatedModel):
    """One saved form. `data` = {item OID: canonical text}, relevant answers only; `marks` lies beside it."""

    study = models.ForeignKey(Study, models.PROTECT, related_name="+")
    subject = models.ForeignKey(Subject, models.PROTECT, related_name="forms")
    event = models.ForeignKey(StudyEvent, models.PROTECT, related_name="forms")
    form_oid = models.CharField(max_length=40)
    repeat_key = models.CharField(max_length=40, default="1")
    definition_version = models.ForeignKey(StudyVersion, models.PROTECT, related_name="+")
    status = models.CharField(max_length=12, choices=FormStatus, default=FormStatus.INCOMPLETE)
    version = models.PositiveIntegerField(default=1)
    data = models.JSONField(default=dict)
    marks = models.JSONField(default=dict)
    observed_at = models.DateTimeField(null=True)
    removed_in = models.UUIDField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["event", "form_oid", "repeat_key"],
                condition=models.Q(removed_in__isnull=True),
                name="form_once",
            )
        ]
        indexes = [models.Index(fields=["study", "form_oid"], name="form_by_study")]

    @property
    def missing_codes(self) -> dict[str, str]:
        """{item OID: missing-data code}, given by a person or by rule."""
        return {oid: mark["missing"] for oid, mark in self.marks.items() if "missing" in mark}


class DeviationStatus(models.TextChoices):
    PROPOSED = "proposed", _("Proposed")
    CONFIRMED = "confirmed", _("Confirmed")
    REJECTED = "rejected", _("Not a deviation")


class Deviation(RegulatedModel):
    """A departure from the protocol that an edit check found: the fact is stored, a person judges it (S04)."""

    study = models.ForeignKey(Study, models.PROTECT, related_name="+")
    subject = models.ForeignKey(Subject, models.PROTECT, related_name="deviations")
    event = models.ForeignKey(StudyEvent, models.PROTECT, related_name="deviations")
    form_data = models.ForeignKey(FormData, models.PROTECT, related_name="deviations")
    check_oid = models.CharField(max_length=40)
    check_version = models.PositiveIntegerField()
    message = models.JSONField()  # {"nb": …, "en": …} as it stood in the definition
    explanation = models.TextField()
    status = models.CharField(max_length=12, choices=DeviationStatus, default=DeviationStatus.PROPOSED)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["form_data", "check_oid"], name="deviation_once")]


class Meaning(models.TextChoices):
    ELIGIBILITY = "eligibility", _("Eligibility confirmed")


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
    lifted_in = models.UUIDField(null=True)


class Request(models.Model):
    """An answered POST: the same key gives the same answer again (DAT-03)."""

    key = models.UUIDField()
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    body_sha256 = models.CharField(max_length=64)
    response = models.JSONField()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="request_once")]


class ExportState(models.TextChoices):
    REQUESTED = "requested", _("Waiting")
    DONE = "done", _("Ready")
    FAILED = "failed", _("Failed")


class ExportJob(RegulatedModel):
    """A dataset asked for by a person: what it holds, up to which seal, and the hash of the archive."""

    study = models.ForeignKey(Study, models.PROTECT, related_name="+")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(db_default=Now())
    sites = models.JSONField()  # site codes that the requester may see, at the time of asking
    with_arm = models.BooleanField()
    state = models.CharField(max_length=10, choices=ExportState, default=ExportState.REQUESTED)
    seal_n = models.BigIntegerField(null=True)
    file_name = models.CharField(max_length=120, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    manifest = models.JSONField(null=True)
    error = models.TextField(blank=True)

    class Meta:
        ordering = ["-requested_at"]
