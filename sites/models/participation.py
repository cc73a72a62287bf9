"""How a participant leaves, bit by bit or at once: stops, death, calls in vain, destroyed samples, erasure.

Each is a row of its own, kept apart and never deleted; what holds today follows from the rows that stand
(sites.participation). Days may be known only to the month or the year: "2026-09-01", "2026-09", "2026".
"""

from typing import Self, TypeVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from pallsoft.audit.models import RegulatedModel
from sites.models.subjects import Consent, Subject
from trials.models import Study


class StopKind(models.TextChoices):
    """What a participant no longer takes part in. `CONSENT` ends all but what was expressly left."""

    TREATMENT = "treatment", _("Study treatment")
    QUESTIONNAIRES = "questionnaires", _("Questionnaires")
    VISITS = "visits", _("Visits and telephone contact")
    REGISTERS = "registers", _("Follow-up in records and registers")
    SAMPLES = "samples", _("Biological samples")
    CONSENT = "consent", _("Consent to the study")
    LOST = "lost", _("Contact with the participant")


class ToldBy(models.TextChoices):
    PARTICIPANT = "participant", _("The participant")
    RELATIVE = "relative", _("Relatives")
    PHYSICIAN = "physician", _("The physician")
    RECORD = "record", _("Hospital record")
    REGISTER = "register", _("Population register or other register")


class DataWish(models.TextChoices):
    """What shall become of the data collected so far, when the consent is withdrawn."""

    KEEP = "keep", _("Kept and used")
    ERASE = "erase", _("To be erased")


Row = TypeVar("Row", bound=models.Model)


class Standing(models.QuerySet[Row]):
    def standing(self) -> Self:
        """Without those recorded wrongly or lifted since."""
        return self.filter(ended_in=None)


class Stop(RegulatedModel):
    """Something that a participant no longer takes part in, from a day on.

    `ended_in`: the change set that took it back: recorded wrongly, taken up again, or (`lifted_by`) a new consent.
    """

    study = models.ForeignKey(Study, models.PROTECT, related_name="+")
    subject = models.ForeignKey(Subject, models.PROTECT, related_name="stops")
    kind = models.CharField(max_length=14, choices=StopKind)
    day = models.CharField(max_length=10)
    told_by = models.CharField(max_length=12, choices=ToldBy, blank=True)
    data_wish = models.CharField(max_length=5, choices=DataWish, blank=True)
    told_reason = models.CharField(max_length=200, blank=True)  # the participant's own; nobody has to give one
    ended_in = models.UUIDField(null=True)
    lifted_by = models.ForeignKey(Consent, models.PROTECT, null=True, related_name="+")

    objects = Standing.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["subject", "kind"], condition=models.Q(ended_in__isnull=True), name="stop_once"
            )
        ]


class DeathCause(models.TextChoices):
    CANCER = "cancer", _("The cancer")
    TREATMENT = "treatment", _("The study treatment")
    OTHER_TREATMENT = "other_treatment", _("Other treatment")
    OTHER = "other", _("Other cause")
    UNKNOWN = "unknown", _("Unknown")


class DeathPlace(models.TextChoices):
    HOME = "home", _("At home")
    HOSPITAL = "hospital", _("Hospital")
    NURSING_HOME = "nursing_home", _("Nursing home or hospice")
    ELSEWHERE = "elsewhere", _("Elsewhere")
    UNKNOWN = "unknown", _("Unknown")


class Death(RegulatedModel):
    """That a participant died. `ended_in`: recorded on the wrong person, or with a wrong day."""

    study = models.ForeignKey(Study, models.PROTECT, related_name="+")
    subject = models.ForeignKey(Subject, models.PROTECT, related_name="deaths")
    day = models.CharField(max_length=10)
    cause = models.CharField(max_length=16, choices=DeathCause)
    place = models.CharField(max_length=14, choices=DeathPlace)
    told_by = models.CharField(max_length=12, choices=ToldBy)
    ended_in = models.UUIDField(null=True)

    objects = Standing.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["subject"], condition=models.Q(ended_in__isnull=True), name="death_once")
        ]


class ContactWay(models.TextChoices):
    PHONE = "phone", _("Telephone")
    LETTER = "letter", _("Letter")
    RELATIVE = "relative", _("Through relatives")
    GENERAL_PRACTITIONER = "gp", _("Through the general practitioner")


class ContactResult(models.TextChoices):
    REACHED = "reached", _("Reached")
    LATER = "later", _("Reached, wants to be called later")
    NO_ANSWER = "no_answer", _("No answer")
    MESSAGE = "message", _("Message left")
    WRONG = "wrong", _("Wrong number or address")

    @property
    def failed(self) -> bool:
        """Did nobody reach the participant?"""
        return self not in (ContactResult.REACHED, ContactResult.LATER)


class ContactAttempt(RegulatedModel):
    """A try to reach the participant, and when the next one is planned (S08)."""

    study = models.ForeignKey(Study, models.PROTECT, related_name="+")
    subject = models.ForeignKey(Subject, models.PROTECT, related_name="contact_attempts")
    tried_at = models.DateTimeField()
    way = models.CharField(max_length=8, choices=ContactWay)
    result = models.CharField(max_length=9, choices=ContactResult)
    next_on = models.DateField(null=True)
    request_key = models.UUIDField(unique=True)  # a double click logs one try (DAT-03)

    class Meta:
        ordering = ["tried_at"]


class AliveInRecord(RegulatedModel):
    """That the hospital record was read and the participant was alive by it on a day: a sign of life, not a contact.

    `ended_in`: the change set that took it back, as a tick at the wrong participant.
    """

    study = models.ForeignKey(Study, models.PROTECT, related_name="+")
    subject = models.ForeignKey(Subject, models.PROTECT, related_name="alive_in_record")
    day = models.DateField(null=True)  # emptied by an erasure only
    ended_in = models.UUIDField(null=True)

    objects = Standing.as_manager()

    class Meta:
        ordering = ["day"]
        constraints = [
            models.UniqueConstraint(
                fields=["subject", "day"],
                condition=models.Q(ended_in__isnull=True),
                name="alive_in_record_once_a_day",
            )
        ]


class SampleTask(RegulatedModel):
    """Samples to be destroyed because their consent was withdrawn; a person confirms that it is done."""

    study = models.ForeignKey(Study, models.PROTECT, related_name="+")
    subject = models.ForeignKey(Subject, models.PROTECT, related_name="sample_tasks")
    stop = models.OneToOneField(Stop, models.PROTECT, related_name="sample_task")
    due_on = models.DateField()
    done_on = models.DateField(null=True)
    confirmation = models.CharField(max_length=200, blank=True)  # the biobank's reference
    dropped_in = models.UUIDField(null=True)  # consented again before anything was destroyed


class Erasure(RegulatedModel):
    """A participant's wish to have the data erased: the site records it, two persons confirm it (S18)."""

    study = models.ForeignKey(Study, models.PROTECT, related_name="+")
    subject = models.ForeignKey(Subject, models.PROTECT, related_name="erasures")
    wished_on = models.DateField()
    exceptions = models.CharField(max_length=500, blank=True)  # what the law asks to keep, and why
    first_confirmed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    first_confirmed_at = models.DateTimeField(null=True)
    erased_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    erased_at = models.DateTimeField(null=True)
    held_by = models.JSONField(default=list)  # files made before that still hold the values: [{file, made_at, sha256}]
    declined_in = models.UUIDField(null=True)  # taken back by the participant, or refused by law
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["subject"], condition=models.Q(declined_in__isnull=True), name="erasure_once"
            ),
            models.CheckConstraint(
                condition=models.Q(erased_by=None) | ~models.Q(erased_by=models.F("first_confirmed_by")),
                name="erasure_two_persons",
            ),
        ]
