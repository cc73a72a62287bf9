"""A small trial in rows of its own: one site, one subject, one saved form with one item of each kind."""

import uuid
from types import SimpleNamespace

from django.db import connection

from crf.models import FormData, StudyEvent
from pallsoft.accounts.models import User
from pallsoft.audit.context import change_set
from sites.models import Site, Subject
from trials.models import ItemColumn, Study, StudyVersion

ITEMS = {
    "NRS_PAIN": {"kind": "nrs", "missing_codes": ["UNK", "REF"]},
    "WEIGHT": {"kind": "decimal", "decimals": 1, "min": 20, "max": 300},
    "VISITS": {"kind": "integer", "min": -5, "max": 99},
    "COMMENT": {"kind": "text", "length": 20},
    "BORN": {"kind": "partial_date"},
    "SEEN_ON": {"kind": "date"},
    "AT": {"kind": "time"},
    "GIVEN_AT": {"kind": "datetime"},
    "FEVER": {"kind": "yesno"},
    "SITE_OF_PAIN": {"kind": "code", "codes": ["BACK", "HIP"]},
}


def make_trial(oid="PALLSOFT"):
    with change_set(study=None, by=None, action="test.set_up"):
        user = User.objects.create(username=f"ase.{oid}", full_name="Åse Bjørnstad", email=f"ase.{oid}@example.org")
        study = Study.objects.create(oid=oid, title="Strålebehandling mot symptomer")
    with change_set(study=study, by=user, action="test.set_up"):
        version = StudyVersion.objects.create(study=study, number=1, definition={}, sha256="0" * 64, source_files={})
        ItemColumn.objects.bulk_create(
            ItemColumn(version=version, form_oid="NRS", item_oid=item, **rule) for item, rule in ITEMS.items()
        )
        site = Site.objects.create(study=study, code="1001", name="Sykehuset i Ås", city="Ås")
        subject = Subject.objects.create(
            study=study, site=site, number="1001-001", birth_year=1950, sex="F", request_key=uuid.uuid4()
        )
        event = StudyEvent.objects.create(study=study, subject=subject, event_oid="W2")
    made = {"user": user, "study": study, "version": version, "site": site, "subject": subject, "event": event}
    return SimpleNamespace(**made)


def make_form(trial, data, marks=None, repeat_key="1"):
    with change_set(study=trial.study, by=trial.user, action="test.save_form"):
        return FormData.objects.create(
            study=trial.study, subject=trial.subject, event=trial.event, form_oid="NRS", repeat_key=repeat_key,
            definition_version=trial.version, data=data, marks=marks or {},
        )  # fmt: skip


def rows(query, given=None):
    with connection.cursor() as cursor:
        cursor.execute(query, given)
        return cursor.fetchall() if cursor.description else []


def changes(row):
    """[(part, item, old, new)] of a row, oldest first."""
    return rows(
        "SELECT part, item, old #>> '{}', new #>> '{}' FROM audit.item_change WHERE row_id = %s ORDER BY id", [row.pk]
    )
