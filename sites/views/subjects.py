"""The list of subjects at the person's sites."""

from django.core.paginator import Paginator
from django.db.models import Min, Q
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from pallsoft.accounts.request import AuthenticatedRequest
from sites.models import SubjectStatus
from sites.participation import participations
from sites.permissions import Permission, sites_for
from sites.selectors import narrowed, study_for, subjects_for

ON_A_PAGE = 50


@require_safe
def subject_list(request: AuthenticatedRequest, study_oid: str) -> HttpResponse:
    """Filtered by site, status and a piece of the number."""
    study = study_for(request.user, study_oid, Permission.VIEW_SUBJECT)
    chosen = {name: request.GET.get(name, "").strip() for name in ("site", "status", "number")}
    found = narrowed(subjects_for(request.user, study), **chosen).annotate(
        consented_at=Min("consents__signed_at", filter=Q(consents__corrected_by=None))
    )
    page = Paginator(found, ON_A_PAGE).get_page(request.GET.get("page"))
    left = participations({subject.pk for subject in page})
    for subject in page:
        subject.left = left[subject.pk].state  # type: ignore[attr-defined]
    context = {
        "study": study,
        "page": page,
        "chosen": chosen,
        "sites": sites_for(request.user, study, Permission.VIEW_SUBJECT),
        "enrolling_at": sites_for(request.user, study, Permission.RECORD_CONSENT),
        "statuses": SubjectStatus.choices,
    }
    return render(request, "sites/subject_list.html", context)
