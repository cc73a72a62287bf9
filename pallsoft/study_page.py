"""The study description: what the published definition says, and which of it is ours and not the protocol's."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from sites.permissions import Permission
from sites.selectors import study_for
from trials.definition import FormRef, StudyDef, StudyEventDef, definition_of
from trials.selectors import live_version


@dataclass(frozen=True)
class ScheduleRow:
    """One form across the visits: per visit "required", "optional", or "" where it is not asked."""

    title: str
    cells: list[str]


def schedule_rows(definition: StudyDef) -> list[ScheduleRow]:
    """The table of SPIRIT 2025 item 18: forms down, visits across."""
    return [
        ScheduleRow(str(form.title), [_cell(event, form.oid) for event in definition.events])
        for form in definition.forms
        if definition.events_with(form.oid)
    ]


def _cell(event: StudyEventDef, form_oid: str) -> str:
    refs: dict[str, FormRef] = {ref.form: ref for ref in event.forms}
    if form_oid not in refs:
        return ""
    return "required" if refs[form_oid].required and not refs[form_oid].relevant else "optional"


@require_safe
def study_description(request: HttpRequest, study_oid: str) -> HttpResponse:
    study = study_for(request.user, study_oid, Permission.VIEW_STUDY)
    version = live_version(study)
    definition = definition_of(version)
    context: dict[str, Any] = {
        "version": version,
        "definition": definition,
        "schedule": schedule_rows(definition),
        "defaults": definition.defaults(),
    }
    return render(request, "pallsoft/study_description.html", context)
