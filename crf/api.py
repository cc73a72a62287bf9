"""Reading by machine: the same guarded loaders as the pages, as JSON. Writing goes through the pages."""

from typing import Any

from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from crf.models import FormData
from crf.selectors.definitions import definition_for
from crf.selectors.loading import sees_arm
from crf.selectors.secrets import betrays_arm, event_betrays_arm
from sites.models import Subject
from sites.permissions import Permission
from sites.selectors import study_for, subject_for, subjects_for


@api_view(["GET"])
def subjects(request: Request, study_oid: str) -> Response:
    """The subjects of the caller's sites: number, site, status; by number."""
    study = study_for(request.user, study_oid, Permission.VIEW_SUBJECT)
    return Response([_subject(subject) for subject in subjects_for(request.user, study).order_by("number")])


@api_view(["GET"])
def forms(request: Request, study_oid: str, number: str) -> Response:
    """Every saved form of a subject: canonical texts and missing codes. A foreign subject is a 404."""
    subject = subject_for(request.user, study_oid, number)
    with_arm = sees_arm(request.user, subject)
    rows = FormData.objects.filter(subject=subject, removed_in=None).select_related("event", "definition_version")
    ordered = rows.order_by("event__event_oid", "event__ordinal", "form_oid", "repeat_key")
    return Response(
        {**_subject(subject), "forms": [_form(row, with_arm) for row in ordered if with_arm or not _betrays_arm(row)]}
    )


def _betrays_arm(row: FormData) -> bool:
    study = definition_for(row)
    in_form = betrays_arm(study, study.form(row.form_oid))
    return in_form or event_betrays_arm(study, study.event(row.event.event_oid))


def _subject(subject: Subject) -> dict[str, str]:
    return {"number": subject.number, "site": subject.site.code, "status": subject.status}


def _form(row: FormData, with_arm: bool) -> dict[str, Any]:
    items = definition_for(row).form(row.form_oid).items
    hidden = set() if with_arm else {item.oid for item in items if item.reveals_arm}
    missing = {oid: mark["missing"] for oid, mark in row.marks.items() if "missing" in mark}
    return {
        "event": row.event.event_oid,
        "ordinal": row.event.ordinal,
        "form": row.form_oid,
        "repeat": row.repeat_key,
        "status": row.status,
        "version": row.version,
        "definition": row.definition_version.number,
        "items": {oid: value for oid, value in row.data.items() if oid not in hidden},
        "missing": {oid: code for oid, code in missing.items() if oid not in hidden},
    }
