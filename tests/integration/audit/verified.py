"""Verifications of the small trial, written past the services."""

import hashlib

from crf.models import Verification
from pallsoft.audit.context import change_set


def digest(form, kind, text, item="NRS_PAIN"):
    return hashlib.sha256(f"{form.pk}/{item}/{kind}/{text}".encode()).hexdigest()


def verify(trial, form, seen, item="NRS_PAIN", **more):
    names = {"study": trial.study, "subject": trial.subject, "verified_by": trial.user, "source_type": "paper"}
    with change_set(study=trial.study, by=trial.user, action="crf.verify_items"):
        return Verification.objects.create(form_data=form, item_oid=item, value_digest=seen, **names | more)
