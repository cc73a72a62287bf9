"""The landing page: what waits for this person, in sentences; and the front door of a study."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from pallsoft.accounts.request import AuthenticatedRequest
from sites.permissions import Permission, permissions_anywhere, studies_for
from sites.selectors import study_for
from sites.worklist import sections, work_items


@require_safe
def worklist(request: AuthenticatedRequest) -> HttpResponse:
    """One card for each study in which the person has a role."""
    studies = studies_for(request.user)
    cards = [{"study": study, "sections": list(sections(work_items(request.user, study)))} for study in studies]
    return render(request, "pallsoft/worklist.html", {"cards": cards})


@require_safe
def study_home(request: AuthenticatedRequest, study_oid: str) -> HttpResponse:
    """To the subjects, or for who sees none, to the description of the study."""
    study = study_for(request.user, study_oid)
    sees_subjects = Permission.VIEW_SUBJECT in permissions_anywhere(request.user, study)
    return redirect("subject-list" if sees_subjects else "study-description", study_oid=study.oid)
