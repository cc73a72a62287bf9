"""What passes between a site and the sponsor about a serious event: reports of it, and what the sponsor judges."""

from django.db import models

from crf.models.data import FormData
from pallsoft.audit.models import RegulatedModel
from sites.models import Subject
from trials.models import Study


class SafetyReport(RegulatedModel):
    """A serious event as it stood when the site reported it. Who reported it and when: `created_in`.

    `number`: 0 is the first report, those after it tell what is new (ICH E2A, III.B). `form_version`: of the form, so
    that nothing is reported twice. `read_in`: the change set in which the sponsor noted that it is read.
    """

    study = models.ForeignKey(Study, models.PROTECT, related_name="+")
    subject = models.ForeignKey(Subject, models.PROTECT, related_name="+")
    form_data = models.ForeignKey(FormData, models.PROTECT, related_name="safety_reports")
    number = models.PositiveSmallIntegerField()
    form_version = models.PositiveIntegerField()
    read_in = models.UUIDField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["form_data", "number"], name="safety_report_number_once"),
            models.UniqueConstraint(fields=["form_data", "form_version"], name="safety_report_of_version_once"),
        ]

    @property
    def is_read(self) -> bool:
        return self.read_in is not None


class SafetyAssessment(RegulatedModel):
    """What the sponsor judges of a serious event, apart from the investigator's own judgement in the form.

    `related`: a code of the definition's list; "" while it is not judged. `authority_on`: when the authority was told.
    """

    study = models.ForeignKey(Study, models.PROTECT, related_name="+")
    subject = models.ForeignKey(Subject, models.PROTECT, related_name="+")
    form_data = models.OneToOneField(FormData, models.PROTECT, related_name="safety_assessment")
    expected = models.BooleanField(null=True)
    related = models.CharField(max_length=32, blank=True)
    authority_on = models.DateField(null=True)

    @property
    def is_complete(self) -> bool:
        return self.expected is not None and self.related != ""
