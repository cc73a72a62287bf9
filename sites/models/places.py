"""The places and people of a study: sites, their versions, assignments, delegations."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from pallsoft.audit.models import RegulatedModel
from trials.models import Status, Study, StudyVersion

# Of a study and of a site. Closing is one-way: what was closed to recruitment does not recruit again.
TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.PLANNED: frozenset({Status.OPEN}),
    Status.OPEN: frozenset({Status.PAUSED, Status.CLOSED_TO_RECRUITMENT}),
    Status.PAUSED: frozenset({Status.OPEN, Status.CLOSED_TO_RECRUITMENT}),
    Status.CLOSED_TO_RECRUITMENT: frozenset({Status.CLOSED_OUT}),
    Status.CLOSED_OUT: frozenset(),
}


STATUS_CHIPS: dict[str, str] = {
    Status.PLANNED: "planned",
    Status.OPEN: "complete",
    Status.PAUSED: "overdue",
    Status.CLOSED_TO_RECRUITMENT: "in_progress",
    Status.CLOSED_OUT: "locked",
}


class Role(models.TextChoices):
    INVESTIGATOR = "investigator", _("Investigator")
    PRINCIPAL_INVESTIGATOR = "principal_investigator", _("Principal investigator")
    STUDY_NURSE = "study_nurse", _("Study nurse")
    COORDINATOR = "coordinator", _("Coordinator")
    DATA_MANAGER = "data_manager", _("Data manager")
    MONITOR = "monitor", _("Monitor")
    UNBLINDED_STATISTICIAN = "unblinded_statistician", _("Unblinded statistician")
    DSMB_READER = "dsmb_reader", _("DSMB reader")
    USER_ADMINISTRATOR = "user_administrator", _("User administrator")
    INSPECTOR = "inspector", _("Inspector")


class Task(models.TextChoices):
    """What a principal investigator may delegate, for a time (ICH E6(R3) 2.3)."""

    CONFIRM_ELIGIBILITY = "confirm_eligibility", _("Confirm eligibility")
    RANDOMIZE = "randomize", _("Randomise")
    SIGN = "sign", _("Sign")
    REPORT_SAE = "report_sae", _("Report serious adverse events")


class Site(RegulatedModel):
    """A centre. Randomises only when open; enters follow-up until closed out."""

    study = models.ForeignKey(Study, models.PROTECT, related_name="sites")
    code = models.CharField(max_length=8)
    name = models.CharField(max_length=120)
    city = models.CharField(max_length=60)
    timezone = models.CharField(max_length=40, default="Europe/Oslo")
    status = models.CharField(max_length=24, choices=Status, default=Status.PLANNED)
    status_since = models.DateField(null=True)
    reminders_paused = models.BooleanField(default=False)
    phone = models.CharField(max_length=20, blank=True)  # that participants ring

    class Meta:
        ordering = ["city"]
        constraints = [models.UniqueConstraint(fields=["study", "code"], name="site_code_once")]

    def __str__(self) -> str:
        return self.city

    @property
    def chip(self) -> str:
        """The chip whose tone fits the status (design §7)."""
        return STATUS_CHIPS[self.status]


class SiteVersion(RegulatedModel):
    """From when a site uses a version: the day of its ethics approval or later."""

    study = models.ForeignKey(Study, models.PROTECT, related_name="+")
    site = models.ForeignKey(Site, models.PROTECT, related_name="versions")
    version = models.ForeignKey(StudyVersion, models.PROTECT, related_name="+")
    active_from = models.DateField()
    ethics_approved_on = models.DateField()
    ethics_reference = models.CharField(max_length=60)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["site", "version"], name="site_version_once")]


class Assignment(RegulatedModel):
    """A role of a person in a study, at one site or (site empty) at all, for a time."""

    study = models.ForeignKey(Study, models.PROTECT, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="assignments")
    role = models.CharField(max_length=24, choices=Role)
    site = models.ForeignKey(Site, models.PROTECT, null=True, related_name="assignments")
    valid_from = models.DateField()
    valid_until = models.DateField(null=True)


class Delegation(RegulatedModel):
    """A task given to a person at a site by its principal investigator, last day included."""

    study = models.ForeignKey(Study, models.PROTECT, related_name="+")
    site = models.ForeignKey(Site, models.PROTECT, related_name="delegations")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="delegations")
    task = models.CharField(max_length=24, choices=Task)
    valid_from = models.DateField()
    valid_until = models.DateField(null=True)
    delegated_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
