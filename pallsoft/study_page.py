"""The study description: what the published definition says, and which of it is ours and not the protocol's."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from crf.paper.definition import schedule_rows
from pallsoft.accounts.request import AuthenticatedRequest
from sites.permissions import Permission
from sites.selectors import study_for
from trials.definition import Default, StudyDef, definition_of
from trials.selectors import live_version


@dataclass(frozen=True)
class DefaultGroup:
    """Defaults of one kind, under the word that a reader knows."""

    name: str
    defaults: list[Default]


def default_groups(definition: StudyDef) -> list[DefaultGroup]:
    """Settings first, as they are decided first; every default stands in one group."""
    words = {
        "Setting": _("Settings"),
        "RecruitmentPlan": _("Planned recruitment"),
        "Arm": _("Arms"),
        "Anchor": _("Day 0"),
        "Factor": _("Stratification factors"),
        "Gate": _("Gates before randomisation"),
        "Criterion": _("Eligibility criteria"),
        "ConsentOption": _("Consents"),
        "StudyEventDef": _("Visits"),
        "Reminder": _("Reminders"),
        "LinkPlan": _("Answers by personal link"),
        "SafetyPlan": _("Serious adverse events"),
        "FlowPlan": _("Flow of participants"),
        "DeviationRule": _("Deviations"),
        "FormDef": _("Forms"),
        "ItemGroupDef": _("Sections of forms"),
        "ItemDef": _("Questions"),
        "EditCheck": _("Checks"),
        "CodeList": _("Code lists"),
        "CodeListItem": _("Codes"),
        "Table": _("Tables"),
        "Fact": _("Facts of a subject"),
    }
    found = definition.defaults()
    kinds = [*words, *sorted({default.kind for default in found} - set(words))]
    groups = (DefaultGroup(words.get(kind, kind), [d for d in found if d.kind == kind]) for kind in kinds)
    return [group for group in groups if group.defaults]


@require_safe
def study_description(request: AuthenticatedRequest, study_oid: str) -> HttpResponse:
    study = study_for(request.user, study_oid, Permission.VIEW_STUDY)
    version = live_version(study)
    definition = definition_of(version)
    context: dict[str, Any] = {
        "version": version,
        "definition": definition,
        "schedule": schedule_rows(definition),
        "instruments": [form for form in definition.forms if form.wording or form.lacks_wording],
        "defaults": default_groups(definition),
    }
    return render(request, "pallsoft/study_description.html", context)
