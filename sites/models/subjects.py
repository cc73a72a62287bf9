"""The participants of a study: subjects, their consents, the screening log before them."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from pallsoft.audit.models import RegulatedModel
from sites.models.places import Site
from trials.models import Study


class Sex(models.TextChoices):
    FEMALE = "F", _("Female")
    MALE = "M", _("Male")


class SubjectStatus(models.TextChoices):
    SCREENING = "screening", _("In screening")
    SCREEN_FAILURE = "screen_failure", _("Screen failure")
    RANDOMIZED = "randomized", _("Randomised")
    ENDED = "ended", _("Ended")


SUBJECT_CHIPS: dict[str, str] = {
    SubjectStatus.SCREENING: "in_progress",
    SubjectStatus.SCREEN_FAILURE: "overdue",
    SubjectStatus.RANDOMIZED: "complete",
    SubjectStatus.ENDED: "locked",
}


class Subject(RegulatedModel):
    """A participant under a number that the system gives and that is kept for life. No identity here (D9)."""

    study = models.ForeignKey(Study, models.PROTECT, related_name="subjects")
    site = models.ForeignKey(Site, models.PROTECT, related_name="subjects")
    number = models.CharField(max_length=20)
    birth_year = models.PositiveSmallIntegerField()
    sex = models.CharField(max_length=1, choices=Sex)
    adult_at_consent = models.BooleanField(null=True)  # asked only when the birth year cannot decide (I7)
    status = models.CharField(max_length=16, choices=SubjectStatus, default=SubjectStatus.SCREENING)
    request_key = models.UUIDField(unique=True)  # a double click enrols once (DAT-03)

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["study", "number"], name="subject_number_once")]

    def __str__(self) -> str:
        return self.number

    @property
    def chip(self) -> str:
        """The chip whose tone fits the status (design §7)."""
        return SUBJECT_CHIPS[self.status]


class ScreeningOutcome(models.TextChoices):
    PENDING = "pending", _("Being considered")
    CONSENTED = "consented", _("Consented")
    NOT_ELIGIBLE = "not_eligible", _("Does not meet the criteria")
    DECLINED = "declined", _("Declined")
    OTHER = "other", _("Other reason")


class AgeBand(models.TextChoices):
    """Ten years wide, so that the log identifies nobody."""

    UNDER_18 = "0-17", _("under 18")
    FROM_18 = "18-29", "18–29"
    FROM_30 = "30-39", "30–39"
    FROM_40 = "40-49", "40–49"
    FROM_50 = "50-59", "50–59"
    FROM_60 = "60-69", "60–69"
    FROM_70 = "70-79", "70–79"
    FROM_80 = "80-89", "80–89"
    FROM_90 = "90-120", _("90 or older")


class ScreeningEntry(RegulatedModel):
    """A person who was considered, before consent: no identity, the month only (CONSORT enrolment)."""

    study = models.ForeignKey(Study, models.PROTECT, related_name="+")
    site = models.ForeignKey(Site, models.PROTECT, related_name="screening_entries")
    own_number = models.PositiveIntegerField()
    screened_in = models.DateField()  # first day of the month
    age_band = models.CharField(max_length=8, choices=AgeBand)
    sex = models.CharField(max_length=1, choices=Sex, blank=True)
    outcome = models.CharField(max_length=16, choices=ScreeningOutcome, default=ScreeningOutcome.PENDING)
    reason_code = models.CharField(max_length=40, blank=True)
    subject = models.ForeignKey(Subject, models.PROTECT, null=True, related_name="screening_entries")
    request_key = models.UUIDField(unique=True)  # a double click logs once (DAT-03)

    class Meta:
        ordering = ["-own_number"]
        constraints = [models.UniqueConstraint(fields=["site", "own_number"], name="screening_number_once")]

    @property
    def month(self) -> str:
        """As a partial date: "2026-09"."""
        return f"{self.screened_in:%Y-%m}"


class ConsentQuerySet(models.QuerySet["Consent"]):
    def standing(self) -> "ConsentQuerySet":
        """Without those recorded wrongly and superseded since."""
        return self.filter(corrected_by=None)


class Consent(RegulatedModel):
    """A signed consent; the signed page itself is never stored here. `corrects`: the wrong record it supersedes."""

    study = models.ForeignKey(Study, models.PROTECT, related_name="+")
    subject = models.ForeignKey(Subject, models.PROTECT, related_name="consents")
    version = models.CharField(max_length=20)
    signed_at = models.DateTimeField()
    language = models.CharField(max_length=2)
    informed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    copy_given = models.BooleanField()
    interpreter_language = models.CharField(max_length=40, blank=True)
    corrects = models.OneToOneField("self", models.PROTECT, null=True, related_name="corrected_by")

    objects = ConsentQuerySet.as_manager()

    @property
    def is_superseded(self) -> bool:
        return hasattr(self, "corrected_by")


class ConsentOption(RegulatedModel):
    """One tick of the consent form, and its withdrawal, each with its own time."""

    study = models.ForeignKey(Study, models.PROTECT, related_name="+")
    subject = models.ForeignKey(Subject, models.PROTECT, related_name="consent_options")
    consent = models.ForeignKey(Consent, models.PROTECT, related_name="options")
    option = models.CharField(max_length=40)
    granted = models.BooleanField()
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["consent", "option"], name="consent_option_once")]
