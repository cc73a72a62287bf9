"""What a person has asked for or not finished: drafts, answered requests, exports."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from crf.models.data import FormData
from pallsoft.audit.models import RegulatedModel
from sites.models import Subject
from trials.models import Study


class Draft(models.Model):
    """What a person has typed and not saved: no data yet, no trail. Nobody else sees it.

    Bound to subject, visit, form, repeat and the version that the person looked at. A repeat without a number has one
    draft for each time that it was begun: `repeat_key` is then `new-` and the page (services/drafts.py).
    `raw`: {field name: {"text": as typed, "at": when, "kept": when it came here, "tab": which page}}; times in
    milliseconds since 1970.
    """

    study = models.ForeignKey(Study, models.PROTECT, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    subject = models.ForeignKey(Subject, models.PROTECT, related_name="+")
    event_oid = models.CharField(max_length=40)
    ordinal = models.PositiveSmallIntegerField()
    form_oid = models.CharField(max_length=40)
    repeat_key = models.CharField(max_length=40)
    base_version = models.PositiveIntegerField()
    raw = models.JSONField(default=dict)
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "subject", "event_oid", "ordinal", "form_oid", "repeat_key"], name="draft_once"
            )
        ]


class Request(models.Model):
    """An answered POST: the same key gives the same answer again (DAT-03)."""

    key = models.UUIDField()
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    body_sha256 = models.CharField(max_length=64)
    response = models.JSONField()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="request_once")]


class MaskRequest(RegulatedModel):
    """Identity typed by mistake, to be taken out of an item and its trail (AUD-14): asked for here, done by another.

    `changes`: rows of the trail by number, 0 for the first values; `messages`: ids of messages of its queries.
    """

    study = models.ForeignKey(Study, models.PROTECT, related_name="+")
    subject = models.ForeignKey(Subject, models.PROTECT, related_name="+")
    form_data = models.ForeignKey(FormData, models.PROTECT, related_name="+")
    item_oid = models.CharField(max_length=40)
    changes = models.JSONField()
    messages = models.JSONField()
    reason = models.CharField(max_length=500)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(db_default=Now())
    request_key = models.UUIDField(unique=True)  # a double click asks once
    confirmed_in = models.UUIDField(null=True)
    refused_in = models.UUIDField(null=True)

    class Meta:
        ordering = ["-requested_at"]

    @property
    def is_waiting(self) -> bool:
        return not (self.confirmed_in or self.refused_in)


class ExportState(models.TextChoices):
    REQUESTED = "requested", _("Waiting")
    DONE = "done", _("Ready")
    FAILED = "failed", _("Failed")
    ERASED = "erased", _("Erased")  # with the data of its subject


class ExportKind(models.TextChoices):
    DATASET = "dataset", _("Dataset")
    TRAIL = "trail", _("Audit trail")
    CASEBOOK = "casebook", _("Casebook")
    BLANK_CRF = "blank_crf", _("Blank CRF")
    ANNOTATED_CRF = "annotated_crf", _("Annotated CRF")
    SCHEDULE = "schedule", _("Visit schedule")
    SERIOUS_EVENT = "serious_event", _("Serious event")


# Files of these kinds hold what was answered about subjects; the others tell of the definition only.
WITH_VALUES = (ExportKind.DATASET, ExportKind.TRAIL, ExportKind.CASEBOOK, ExportKind.SERIOUS_EVENT)


class ExportJob(RegulatedModel):
    """A file asked for by a person: what it holds, up to which seal, and its hash.

    `subject`: of a casebook or a serious event; `form_data`: the form of that event.
    """

    study = models.ForeignKey(Study, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=14, choices=ExportKind, default=ExportKind.DATASET)
    subject = models.ForeignKey(Subject, models.PROTECT, null=True, related_name="+")
    form_data = models.ForeignKey(FormData, models.PROTECT, null=True, related_name="+")
    language = models.CharField(max_length=2, default="nb")
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

    @property
    def holds_values(self) -> bool:
        return self.kind in WITH_VALUES
