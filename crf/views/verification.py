"""The monitor's pages: what has to be compared with the source, subject by subject, and how far it has come."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from crf import services
from crf.answers import SubjectAnswers
from crf.models import MonitoringVisit, SourceType, Verification
from crf.selectors.crumbs import subject_crumb
from crf.selectors.monitoring import progress_page, todays_visits, visits_for
from crf.selectors.strip import strip_for
from crf.selectors.verification import EVERYTHING, PLANNED, TO_DO, verification_page
from crf.services import Seen, Verified
from pallsoft.accounts.request import AuthenticatedRequest
from pallsoft.errors import InvalidInput, NotAllowedNow
from sites.models import Subject
from sites.permissions import Permission, sites_for
from sites.selectors import definition_at, study_for, subject_for

SHOWN = (TO_DO, PLANNED, EVERYTHING)
PER_PAGE = 25
TICK, SOURCE = "seen-", "source-"


@require_safe
def overview(request: AuthenticatedRequest, study_oid: str) -> HttpResponse:
    """Progress of the subjects of one site, and the log of the visits to it."""
    study = study_for(request.user, study_oid, Permission.VERIFY)
    sites = list(sites_for(request.user, study, Permission.VERIFY).order_by("city"))
    wanted = request.GET.get("site", "")
    site = next((one for one in sites if one.code == wanted), sites[0] if sites else None)
    if site is None or (wanted and site.code != wanted):
        raise Http404
    site.study = study
    page = Paginator(site.subjects.order_by("number"), PER_PAGE).get_page(request.GET.get("page"))
    rows, total = progress_page(site, list(page.object_list))
    context = {
        "site": site,
        "sites": sites,
        "page": page,
        "rows": rows,
        "total": total,
        "visits": visits_for(request.user, study).filter(site=site),
    }
    return render(request, "crf/verification_overview.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def subject_verification(request: AuthenticatedRequest, study_oid: str, number: str) -> HttpResponse:
    """POST: ticks `seen-<form>.<item>` with the digest of what was shown, `source-<form>`, `visit`."""
    subject = subject_for(request.user, study_oid, number, Permission.VERIFY)
    errors: list[dict[str, Any]] = []
    result: Verified | None = None
    if request.method == "POST":
        try:
            result = services.verify_items(
                subject=subject, marks=_marks(request), visit=_visit(request, subject), by=request.user
            )
        except (InvalidInput, NotAllowedNow) as refusal:
            errors = [{"text": refusal.message}]
        else:
            messages.success(request, _said(result))
            if not result.changed:
                return redirect(request.get_full_path())
    return _shown(request, subject, errors, result)


@require_http_methods(["GET", "HEAD", "POST"])
def take_back(request: AuthenticatedRequest, study_oid: str, number: str, verification_id: UUID) -> HttpResponse:
    """Take a mark back, with a reason."""
    subject = subject_for(request.user, study_oid, number, Permission.VERIFY)
    verification = get_object_or_404(
        Verification.objects.select_related("form_data__event", "verified_by"), pk=verification_id, subject=subject
    )
    verification.subject = subject
    errors: list[dict[str, Any]] = []
    if request.method == "POST":
        try:
            services.drop_verification(
                verification=verification, by=request.user, reason=request.POST.get("reason", "")
            )
        except (InvalidInput, NotAllowedNow) as refusal:
            errors = [{"target": "id_reason", "label": _("Reason"), "text": refusal.message}]
        else:
            messages.success(request, _("The verification is taken back."))
            return redirect("subject-verification", study_oid, number)
    answers = SubjectAnswers(subject, definition_at(subject.site))
    page = verification_page(answers, request.user, EVERYTHING)
    line = next((line for line in page.lines if line.mark == verification), None)
    context = {
        "strip": strip_for(answers, request.user),
        "crumbs": [subject_crumb(subject), {"label": _("Verification")}],
        "line": line,
        "verification": verification,
        "errors": errors,
        "reason": request.POST.get("reason", ""),
    }
    with timezone.override(answers.zone):
        return render(request, "crf/take_back.html", context, status=422 if errors else 200)


def _shown(
    request: AuthenticatedRequest, subject: Subject, errors: list[dict[str, Any]], result: Verified | None
) -> HttpResponse:
    asked = request.GET.get("show", TO_DO)
    show = asked if asked in SHOWN else TO_DO
    answers = SubjectAnswers(subject, definition_at(subject.site))
    visits = todays_visits(request.user, subject.site)
    context = {
        "strip": strip_for(answers, request.user),
        "crumbs": [subject_crumb(subject), {"label": _("Verification")}],
        "subject": subject,
        "page": verification_page(answers, request.user, show),
        "show": show,
        "filters": _filters(show),
        "sources": [(one.value, one.label) for one in SourceType],
        "visits": visits,
        "chosen_visit": request.POST.get("visit") or (str(visits[0].pk) if visits else ""),
        "ticked": {name.removeprefix(TICK) for name in request.POST if name.startswith(TICK)} if errors else set(),
        "changed": result.changed if result else [],
        "errors": errors,
    }
    with timezone.override(answers.zone):
        status = 422 if errors else 409 if result else 200
        return render(request, "crf/verification.html", context, status=status)


def _filters(show: str) -> list[dict[str, Any]]:
    labels = {TO_DO: _("To verify"), PLANNED: _("The whole plan"), EVERYTHING: _("Every answer")}
    return [{"url": f"?show={key}", "label": label, "current": key == show} for key, label in labels.items()]


def _marks(request: AuthenticatedRequest) -> list[Seen]:
    """The ticks of the page. What is no tick of ours is refused, not passed over."""
    marks = []
    for name, digest in request.POST.items():
        if name.startswith(TICK):
            row, _dot, item = name.removeprefix(TICK).rpartition(".")
            if row == "consent":
                row, item = item, ""
            source = str(request.POST.get(f"{SOURCE}{row}", ""))
            marks.append(Seen(_uuid(row), item, str(digest), source))
    return marks


def _visit(request: AuthenticatedRequest, subject: Subject) -> MonitoringVisit | None:
    wanted = request.POST.get("visit", "")
    if not wanted:
        return None
    found = visits_for(request.user, subject.study).filter(pk=_uuid(wanted), site=subject.site).first()
    if found is None:
        raise InvalidInput({"visit": [_("Choose one of your visits to this site.")]})
    return found


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise InvalidInput({"": [_("One of the answers is not there any more. Open the page again.")]}) from None


def _said(result: Verified) -> str:
    return ngettext("%(n)d answer is verified.", "%(n)d answers are verified.", result.count) % {"n": result.count}
