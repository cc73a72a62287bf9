"""The page of serious events: all of them with their times, and what does not fit together; then each between site
and sponsor, and each on paper."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crf.entry.interruptions import AnswersNeeded
from crf.exports.services import request_serious_event
from crf.exports.views import language_of
from crf.models import SafetyReport
from crf.safety.clock import is_serious
from crf.safety.exchange import assessment_words, event_reports
from crf.safety.forms import AssessmentForm
from crf.safety.reconciliation import reconciliation
from crf.selectors.crumbs import crumbs
from crf.selectors.form_page import form_url
from crf.selectors.loading import place_for
from crf.selectors.place import Place
from crf.selectors.questions import questions_panel
from crf.selectors.signing import form_title
from crf.selectors.strip import strip_for
from crf.services import assess_event, read_report, report_event
from crf.services.reporting import assessed_in
from crf.views.posted import whole, why_of
from pallsoft.accounts.request import AuthenticatedRequest
from pallsoft.errors import Conflict, NotAllowedNow
from sites.permissions import Permission
from sites.selectors import study_for
from sites.submitting import submitted


@require_safe
def safety_page(request: AuthenticatedRequest, study_oid: str) -> HttpResponse:
    study = study_for(request.user, study_oid, Permission.RAISE_QUERY)
    with timezone.override(study.timezone):
        found = reconciliation(request.user, study)
        return render(request, "crf/safety.html", {"study": study, "found": found})


@require_POST
def serious_event_paper(request: AuthenticatedRequest, **address: Any) -> HttpResponse:
    """Ask for the printed form of one event, in the language of the page."""
    place = place_for(request.user, **address)
    if place.row is None or not is_serious(place.row, place.study.safety):
        raise Http404
    request_serious_event(form=place.row, language=language_of(request), by=request.user)
    messages.success(request, _("The document is being made. This page shows it when it is ready."))
    return redirect("documents", study_oid=place.subject.study.oid)


@require_http_methods(["GET", "HEAD", "POST"])
def event_reports_page(request: AuthenticatedRequest, **address: Any) -> HttpResponse:
    """One serious event between site and sponsor. POST `act`: report | read | assess."""
    place = place_for(request.user, **address)
    if event_reports(place, request.user) is None:
        raise Http404
    acts = {"report": _report, "read": _read, "assess": _assess}
    panel: dict[str, Any] = {}
    if request.method == "POST":
        act = acts.get(request.POST.get("act", ""))
        if act is None:
            raise Http404
        try:
            panel = act(request, place)
        except (NotAllowedNow, Conflict) as refusal:
            panel = {"errors": [{"text": refusal.message}]}
        if not panel:
            return redirect(form_url(place, "event-reports"))
    return _shown(request, place_for(request.user, **address), panel)


def _report(request: AuthenticatedRequest, place: Place) -> dict[str, Any]:
    """Empty when it is reported; else the panel that asks why."""
    assert place.row is not None  # as there are reports, or something to report
    try:
        seen = whole(request.POST.get("seen_version", ""))
        report = report_event(form=place.row, seen_version=seen, by=request.user, why=why_of(request.POST))
    except AnswersNeeded as needed:
        return questions_panel(place, needed, why_of(request.POST))
    messages.success(request, _("Report %(number)s is on its way to the sponsor.") % {"number": report.number})
    return {}


def _read(request: AuthenticatedRequest, place: Place) -> dict[str, Any]:
    number = whole(request.POST.get("number", ""))
    report = get_object_or_404(SafetyReport, form_data=place.row, number=number)
    report.subject = place.subject
    read_report(report=report, by=request.user)
    messages.success(request, _("The report is marked as read."))
    return {}


def _assess(request: AuthenticatedRequest, place: Place) -> dict[str, Any]:
    """Empty when it is stored; else the form with what has to be put right."""
    form, row = _assessment_form(request.POST, place), place.row
    if form is None or row is None:
        raise Http404
    row.subject = place.subject

    def act() -> bool:
        reason = form.cleaned_data.get("reason", "")
        seen = form.cleaned_data["seen"]
        assess_event(form=row, said=form.said(), seen=seen, by=request.user, reason=reason)
        return True

    if not submitted(form, act):
        return {"assessment_form": form}
    messages.success(request, _("The assessment is stored."))
    return {}


def _assessment_form(data: QueryDict | None, place: Place) -> AssessmentForm | None:
    plan = place.study.safety.assessment if place.study.safety else None
    if plan is None or place.row is None:
        return None
    causality = place.study.code_list(plan.causality)
    return AssessmentForm(data, stands=assessed_in(place.row), plan=plan, causality=causality)


def _shown(request: AuthenticatedRequest, place: Place, panel: dict[str, Any]) -> HttpResponse:
    found = event_reports(place, request.user)
    assert found is not None and place.row is not None  # asked before
    title = form_title(place.row)
    context = {
        "place": place,
        "found": found,
        "title": title,
        "strip": strip_for(place.answers, request.user),
        "crumbs": crumbs(place.event, place.study, (title, form_url(place)), _("Reports to the sponsor")),
        "assessment": assessment_words(place.row),
        "assessment_form": _assessment_form(None, place) if found.may_assess else None,
        "url": form_url(place),
    }
    with timezone.override(place.zone):
        return render(request, "crf/event_reports.html", context | panel, status=422 if panel else 200)
