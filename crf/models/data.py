"""The data themselves: visits, and forms as flat documents of canonical text (data_model §1-2)."""

from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _

from pallsoft.audit.models import RegulatedModel
from sites.models import Subject
from trials.models import Study, StudyVersion


class ClosedFor(models.TextChoices):
    """Why a visit to come was closed by itself; it opens again when the cause is taken back."""

    DEAD = "dead", _("Dead")
    WITHDRAWN = "withdrawn", _("Withdrew")
    STOPPED = "stopped", _("Visits stopped")
    LOST = "lost", _("Lost to follow-up")


class EventState(models.TextChoices):
    """What is recorded of a visit; whether one that is expected is due, says crf.schedule."""

    EXPECTED = "expected", _("Expected")
    DONE = "done", _("Done")
    NOT_DONE = "not_done", _("Not done")


EVENT_TRANSITIONS: dict[EventState, frozenset[EventState]] = {
    EventState.EXPECTED: frozenset({EventState.DONE, EventState.NOT_DONE}),
    EventState.DONE: frozenset({EventState.DONE, EventState.NOT_DONE}),  # another day; or nothing took place after all
    EventState.NOT_DONE: frozenset({EventState.EXPECTED}),
}


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
    not_done_reason = models.CharField(max_length=200, blank=True)  # in the study's first language, when it is a code's
    not_done_code = models.CharField(max_length=32, blank=True)  # of the definition's list; "" for another reason
    closed_for = models.CharField(max_length=9, choices=ClosedFor, blank=True)  # then not done, and not by a person

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["subject", "event_oid", "ordinal"], name="study_event_once"),
            models.CheckConstraint(
                condition=models.Q(happened_on=None) | models.Q(not_done_reason=""), name="study_event_done_or_not"
            ),
            models.CheckConstraint(
                condition=models.Q(not_done_code="", closed_for="") | ~models.Q(not_done_reason=""),
                name="study_event_not_done_with_reason",
            ),
        ]

    @property
    def key(self) -> tuple[str, int]:
        """Names the visit within its subject, also before it is saved."""
        return self.event_oid, self.ordinal

    @property
    def state(self) -> EventState:
        if self.not_done_reason:
            return EventState.NOT_DONE
        return EventState.DONE if self.happened_on else EventState.EXPECTED

    @property
    def is_settled(self) -> bool:
        """Done, or known not to be done: its plan is history."""
        return self.state is not EventState.EXPECTED


class FormStatus(models.TextChoices):
    INCOMPLETE = "incomplete", _("In progress")
    COMPLETE = "complete", _("Complete")


class FormData(RegulatedModel):
    """One saved form. `data` = {item OID: canonical text}, relevant answers only; `marks` lies beside it."""

    study = models.ForeignKey(Study, models.PROTECT, related_name="+", db_index=False)  # form_by_study begins with it
    subject = models.ForeignKey(Subject, models.PROTECT, related_name="forms")
    event = models.ForeignKey(StudyEvent, models.PROTECT, related_name="forms")
    form_oid = models.CharField(max_length=40)
    repeat_key = models.CharField(max_length=40, default="1")
    definition_version = models.ForeignKey(StudyVersion, models.PROTECT, related_name="+", db_index=False)
    status = models.CharField(max_length=12, choices=FormStatus, default=FormStatus.INCOMPLETE)
    version = models.PositiveIntegerField(default=1)
    data = models.JSONField(default=dict)
    marks = models.JSONField(default=dict)
    observed_at = models.DateTimeField(null=True)
    removed_in = models.UUIDField(null=True)

    first_saved_at: datetime  # these two with crf.answers.saved_forms only
    first_saved_by: str

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
