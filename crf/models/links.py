"""Personal links, by which participants answer questionnaires on their own phones."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from crf.models.data import StudyEvent
from pallsoft.audit.models import RegulatedModel
from sites.models import Subject
from trials.models import Study

PARTICIPANT = "participant"  # the role of a participant in a change set


class LinkChannel(models.TextChoices):
    CARD = "card", _("Printed card")
    MAIL = "mail", _("E-mail")
    SMS = "sms", _("SMS")


class Device(models.TextChoices):
    PHONE = "phone", _("Phone")
    TABLET = "tablet", _("Tablet")
    COMPUTER = "computer", _("Computer")


class Answerer(models.TextChoices):
    """Who gives the answers; what somebody else gives is not the patient's own (S08)."""

    ALONE = "alone", _("The patient")
    HELPED = "helped", _("The patient with help")
    PROXY = "proxy", _("Somebody else for the patient")


class StopWish(models.TextChoices):
    """What somebody who gave up wants; only the site records that questionnaires are stopped (S08)."""

    TODAY = "today", _("Only today")
    FOR_GOOD = "for_good", _("No more questionnaires")


class PersonalLink(RegulatedModel):
    """A link to the questionnaires of one visit. Of its token only the digest is kept, so no copy of the database
    opens a questionnaire."""

    study = models.ForeignKey(Study, models.PROTECT, related_name="+")
    subject = models.ForeignKey(Subject, models.PROTECT, related_name="links")
    event = models.ForeignKey(StudyEvent, models.PROTECT, related_name="links")
    channel = models.CharField(max_length=4, choices=LinkChannel)
    token_sha256 = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()
    answered_by = models.CharField(max_length=6, choices=Answerer, null=True)  # None until that is told
    device = models.CharField(max_length=8, choices=Device, null=True)
    finished_at = models.DateTimeField(null=True)
    asks_call = models.BooleanField(null=True)  # a score reached the limit from which the site rings
    stop_wish = models.CharField(max_length=8, choices=StopWish, null=True)
    revoked_in = models.UUIDField(null=True)


class WrongToken(models.Model):
    """How many wrong tokens came from one network, and since when. Of the network a keyed digest is kept only."""

    network = models.CharField(max_length=64, primary_key=True)
    since = models.DateTimeField()
    tries = models.PositiveIntegerField()
