"""How a participant can be written to: apart from the study's data, encrypted, deletable alone (D9)."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from pallsoft.audit.models import RegulatedModel
from sites.models.subjects import Subject
from trials.models import Study

RESEAL = "sites.reseal_contact_data"


class Channel(models.TextChoices):
    SMS = "sms", _("Text message (SMS)")
    MAIL = "mail", _("E-mail")


class Contact(models.Model):
    """In a schema of its own. `sealed`: name, telephone and e-mail (sites.sealing); `channels`: those agreed to."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(Study, models.DO_NOTHING, related_name="+")
    subject = models.OneToOneField(Subject, models.DO_NOTHING, related_name="+")
    channels = ArrayField(models.CharField(max_length=4, choices=Channel))
    language = models.CharField(max_length=2)
    sealed = models.TextField()

    class Meta:
        managed = False
        db_table = 'identity"."contact'


class ContactChangeKind(models.TextChoices):
    """As the database names the act."""

    STORED = "insert", _("Stored")
    CHANGED = "update", _("Changed")
    DELETED = "delete", _("Deleted")


class ContactChange(RegulatedModel):
    """That contact data changed, never what they were: all that the trail knows. Written by a trigger alone."""

    study = models.ForeignKey(Study, models.PROTECT, related_name="+")
    subject = models.ForeignKey(Subject, models.PROTECT, related_name="contact_changes")
    kind = models.CharField(max_length=6, choices=ContactChangeKind)

    @property
    def is_new_key(self) -> bool:
        """What is stored stayed the same (sites.services.resealing)."""
        return self.created_in.action == RESEAL
