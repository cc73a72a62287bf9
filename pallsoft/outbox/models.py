"""Obligations to send: rows committed together with their cause (decision D6)."""

from django.db import models
from django.db.models.functions import Now


class State(models.TextChoices):
    DUE = "due"
    SENT = "sent"
    DROPPED = "dropped"  # no longer owed when it was to be sent
    CANCELLED = "cancelled"  # taken back before it was due, with the cause
    DEAD = "dead"  # gave up after the last attempt; a person must look


class Message(models.Model):
    """One thing to send, once. `payload` holds ids only; the text is made at the moment of sending."""

    study_id = models.UUIDField(null=True)
    subject_id = models.UUIDField(null=True)
    event_id = models.UUIDField(null=True)
    kind = models.CharField(max_length=40)
    topic = models.CharField(max_length=40, blank=True)  # which one, where a kind has several
    ordinal = models.PositiveIntegerField(default=1)
    recipient_id = models.UUIDField()
    payload = models.JSONField(default=dict)
    due_at = models.DateTimeField(db_default=Now())
    next_try_at = models.DateTimeField(db_default=Now())
    state = models.CharField(max_length=9, choices=State, default=State.DUE)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.TextField(blank=True)
    sent_at = models.DateTimeField(null=True)
    cause = models.CharField(max_length=40, blank=True)  # why it was cancelled
    cancelled_in = models.UUIDField(null=True)  # the change set it follows from

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["study_id", "subject_id", "event_id", "kind", "topic", "ordinal", "recipient_id"],
                nulls_distinct=False,
                name="message_once",
            )
        ]
        indexes = [
            models.Index(fields=["next_try_at"], condition=models.Q(state="due"), name="message_due"),
        ]
