"""The trail as the database keeps it. Only SQL functions of the owner write these tables (audit/sql/)."""

import uuid

from django.db import models


class CurrentChangeSet(models.Func):
    """The change set of this transaction; the database refuses the row when there is none."""

    function = "audit.current_change_set"
    arity = 0
    output_field = models.UUIDField()


class ChangeSet(models.Model):
    """Who changed regulated data, in which role, when and why: once per service call (decision D2)."""

    id = models.UUIDField(primary_key=True)
    study_id = models.UUIDField(null=True)
    at = models.DateTimeField()
    actor_id = models.UUIDField(null=True)  # no ForeignKey: accounts stands on this app, not the other way round
    actor_name = models.TextField()
    role = models.TextField()
    site_id = models.UUIDField(null=True)
    action = models.TextField()
    reason = models.TextField()
    request_id = models.TextField()
    software_version = models.TextField()
    db_user = models.TextField()

    class Meta:
        managed = False
        db_table = 'audit"."change_set'


class RegulatedModel(models.Model):
    """A table whose every change is trailed by the database (data_model rule 6)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    created_in = models.ForeignKey(
        ChangeSet,
        models.DO_NOTHING,
        related_name="+",
        db_column="created_in",
        db_default=CurrentChangeSet(),
        db_constraint=False,
        db_index=False,
        editable=False,
    )

    class Meta:
        abstract = True
