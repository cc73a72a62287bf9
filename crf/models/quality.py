"""What people and checks find in the data: deviations, queries, verification against the source."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from crf.models.data import FormData, StudyEvent
from pallsoft.audit.models import RegulatedModel
from sites.models import Consent, Role, Site, Subject
from trials.models import Study


class DeviationStatus(models.TextChoices):
    PROPOSED = "proposed", _("Proposed")
    CONFIRMED = "confirmed", _("Confirmed")
    REJECTED = "rejected", _("Not a deviation")


class FoundBy(models.TextChoices):
    CHECK = "check", _("A check")
    PLAN = "plan", _("The plan of visits")
    PERSON = "person", _("A person")


class Deviation(RegulatedModel):
    """A departure from the protocol: the fact is stored, a person judges it (S04).

    Found by an edit check in a form, by the plan of visits at one of them, or by a person on a day. `rule_oid`: its
    kind in the study's table of deviations, "" in a study without one.
    """

    study = models.ForeignKey(Study, models.PROTECT, related_name="+")
    subject = models.ForeignKey(Subject, models.PROTECT, related_name="deviations")
    event = models.ForeignKey(StudyEvent, models.PROTECT, null=True, related_name="deviations")
    form_data = models.ForeignKey(FormData, models.PROTECT, null=True, related_name="deviations")
    found_by = models.CharField(max_length=6, choices=FoundBy, default=FoundBy.CHECK)
    rule_oid = models.CharField(max_length=40, blank=True)
    check_oid = models.CharField(max_length=40, blank=True)
    check_version = models.PositiveIntegerField(null=True)
    happened_on = models.DateField(null=True)  # as a person says
    message = models.JSONField()  # {"nb": …, "en": …} as it stood in the definition
    explanation = models.TextField()
    status = models.CharField(max_length=12, choices=DeviationStatus, default=DeviationStatus.PROPOSED)
    request_key = models.UUIDField(null=True, unique=True)  # a double click enters one (DAT-03)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["form_data", "check_oid"], condition=models.Q(found_by="check"), name="deviation_once"
            ),
            models.UniqueConstraint(
                fields=["event", "rule_oid"], condition=models.Q(found_by="plan"), name="deviation_of_plan_once"
            ),
            models.CheckConstraint(
                condition=(
                    models.Q(found_by="check", form_data__isnull=False, event__isnull=False)
                    | models.Q(found_by="plan", form_data__isnull=True, event__isnull=False)
                    | models.Q(found_by="person", form_data__isnull=True, event__isnull=True)
                ),
                name="deviation_is_somewhere",
            ),
        ]


class QueryStatus(models.TextChoices):
    OPEN = "open", _("Open")
    ANSWERED = "answered", _("Answered")
    CLOSED = "closed", _("Closed")
    CANCELLED = "cancelled", _("Cancelled")


class Query(RegulatedModel):
    """A question about an item, by a person or a check. Points by names at what may not be saved yet.

    `check_oid`: the check that raised it, "" for a person. `assigned_role`: whose turn it is.
    """

    study = models.ForeignKey(Study, models.PROTECT, related_name="+")
    subject = models.ForeignKey(Subject, models.PROTECT, related_name="queries")
    event = models.ForeignKey(StudyEvent, models.PROTECT, related_name="queries")
    form_oid = models.CharField(max_length=40)
    repeat_key = models.CharField(max_length=40, default="1")
    item_oid = models.CharField(max_length=40)
    form_data = models.ForeignKey(FormData, models.PROTECT, null=True, related_name="queries")
    check_oid = models.CharField(max_length=40, blank=True)
    check_version = models.PositiveIntegerField(null=True)
    status = models.CharField(max_length=10, choices=QueryStatus, default=QueryStatus.OPEN)
    assigned_role = models.CharField(max_length=24, choices=Role)
    opened_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            # One standing question of a check at one place; afterwards it may be asked anew.
            models.UniqueConstraint(
                fields=["event", "form_oid", "repeat_key", "item_oid", "check_oid"],
                condition=models.Q(status__in=["open", "answered"]) & ~models.Q(check_oid=""),
                name="query_of_check_once",
            )
        ]
        indexes = [
            models.Index(fields=["study", "status"], name="query_by_status"),
            models.Index(fields=["subject"], name="query_by_subject"),
        ]

    def age_in_days(self, now: datetime) -> int:
        """Whole days since it was raised."""
        return (now - self.opened_at).days


class MessageKind(models.TextChoices):
    OPEN = "open", _("Opened")
    ANSWER = "answer", _("Answered")
    CLOSE = "close", _("Closed")
    REOPEN = "reopen", _("Opened again")
    CANCEL = "cancel", _("Cancelled")


MASKED = "[masked]"  # what audit.mask leaves of a text


class QueryMessage(RegulatedModel):
    """One step of a query's thread. Who and when stand in its change set.

    `step` counts them; `by_rule`: the system said it, in bokmål (pages say it in the reader's language).
    """

    study = models.ForeignKey(Study, models.PROTECT, related_name="+")
    query = models.ForeignKey(Query, models.PROTECT, related_name="messages")
    step = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=8, choices=MessageKind)
    text = models.TextField()
    by_rule = models.BooleanField(default=False)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["step"]
        constraints = [models.UniqueConstraint(fields=["query", "step"], name="query_message_once")]

    @property
    def words(self) -> str:
        """The text as it is read; that it was masked, in the reader's language."""
        return gettext("[masked]") if self.text == MASKED else self.text


class SourceType(models.TextChoices):
    """Where a monitor found the source of an item."""

    RECORD = "record", _("Hospital record")
    PAPER = "paper", _("Paper questionnaire")
    RT_SYSTEM = "rt_system", _("Radiotherapy system")
    LABORATORY = "laboratory", _("Laboratory report")
    CONSENT_FORM = "consent_form", _("Consent form")
    OTHER = "other", _("Other source")


class MonitoringVisit(RegulatedModel):
    """A monitor's visit to a site: what was looked at follows from its verifications; the rest is written."""

    study = models.ForeignKey(Study, models.PROTECT, related_name="+")
    site = models.ForeignKey(Site, models.PROTECT, related_name="monitoring_visits")
    visited_on = models.DateField()
    monitor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    findings = models.TextField(blank=True)
    actions = models.TextField(blank=True)
    letter_sent_on = models.DateField(null=True)
    request_key = models.UUIDField(unique=True)  # a double click logs one visit (DAT-03)

    class Meta:
        ordering = ["-visited_on"]


class Verification(RegulatedModel):
    """An item, or a signed consent, found equal to its source (SDV). The database drops the mark when it changes.

    Inserted with the digest of what was seen (`crf.selectors.seen`); the database compares it with what is stored and
    keeps it under a salt of its own.
    """

    study = models.ForeignKey(Study, models.PROTECT, related_name="+")
    subject = models.ForeignKey(Subject, models.PROTECT, related_name="verifications")
    form_data = models.ForeignKey(FormData, models.PROTECT, null=True, related_name="verifications")
    consent = models.ForeignKey(Consent, models.PROTECT, null=True, related_name="verifications")
    item_oid = models.CharField(max_length=40, blank=True)
    value_digest = models.CharField(max_length=64)
    salt = models.UUIDField(null=True)
    source_type = models.CharField(max_length=14, choices=SourceType)
    visit = models.ForeignKey(MonitoringVisit, models.PROTECT, null=True, related_name="verifications")
    verified_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    verified_at = models.DateTimeField(db_default=Now())
    dropped_in = models.UUIDField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["form_data", "item_oid"],
                condition=models.Q(dropped_in__isnull=True),
                name="verification_once",
            ),
            models.UniqueConstraint(
                fields=["consent"], condition=models.Q(dropped_in__isnull=True), name="verification_of_consent_once"
            ),
            models.CheckConstraint(
                condition=(
                    models.Q(form_data__isnull=False, consent__isnull=True) & ~models.Q(item_oid="")
                    | models.Q(form_data__isnull=True, consent__isnull=False, item_oid="")
                ),
                name="verification_of_item_or_consent",
            ),
        ]
