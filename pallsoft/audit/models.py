"""The trail as the database keeps it. Only SQL functions of the owner write these tables (audit/sql/)."""

import uuid
from typing import Any

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


def _to_change_set(**options: Any) -> "models.ForeignKey[Any, Any]":
    return models.ForeignKey(
        ChangeSet, models.DO_NOTHING, related_name="+", db_constraint=False, db_column="change_set", **options
    )


class Baseline(models.Model):
    """A row of a regulated table as it was first stored, whole."""

    id = models.BigIntegerField(primary_key=True)
    change_set = _to_change_set()
    tbl = models.TextField()
    row_id = models.UUIDField()
    doc = models.JSONField(null=True)

    class Meta:
        managed = False
        db_table = 'audit"."baseline'


class ItemChange(models.Model):
    """One changed item: a column (`part` empty) or a key of a document column (`part` its name)."""

    id = models.BigIntegerField(primary_key=True)
    change_set = _to_change_set()
    tbl = models.TextField()
    row_id = models.UUIDField()
    part = models.TextField()
    item = models.TextField()
    old = models.JSONField(null=True)
    new = models.JSONField(null=True)

    class Meta:
        managed = False
        db_table = 'audit"."item_change'


class Seal(models.Model):
    """A link of a study's chain (`study_id` nil: the system chain). `n` is the order of commits."""

    change_set = models.OneToOneField(
        ChangeSet, models.DO_NOTHING, related_name="seal", db_constraint=False, db_column="change_set", primary_key=True
    )
    study_id = models.UUIDField()
    n = models.BigIntegerField()
    at = models.DateTimeField()

    class Meta:
        managed = False
        db_table = 'audit"."seal'


class Access(models.Model):
    """Who read, or was refused, what of which subject (AUD-12)."""

    id = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    user_id = models.UUIDField(null=True)
    subject_id = models.UUIDField(null=True)
    what = models.TextField()
    ok = models.BooleanField()
    request_id = models.TextField()

    class Meta:
        managed = False
        db_table = 'audit"."access'


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
