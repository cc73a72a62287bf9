"""The screening log and its two forms."""

import uuid

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from pallsoft.accounts.request import AuthenticatedRequest
from sites import services
from sites.forms import CloseScreeningForm, ScreeningForm
from sites.models import ScreeningEntry, ScreeningOutcome
from sites.permissions import Permission, sites_for
from sites.selectors import screening_entries_for, screening_log_of, screening_reasons, study_for
from sites.submitting import submitted
from sites.views.forms import form_page
from trials.models import Study

ON_A_PAGE = 50


@require_safe
def screening_log(request: AuthenticatedRequest, study_oid: str) -> HttpResponse:
    """`?site=CODE`, `?outcome=`, `?reason=` a code of the log."""
    study = study_for(request.user, study_oid, Permission.VIEW_SUBJECT)
    log = screening_log_of(request.user, study, request.GET.dict())
    page = Paginator(log.entries, ON_A_PAGE).get_page(request.GET.get("page"))
    own_sites = set(sites_for(request.user, study, Permission.LOG_SCREENING))
    context = {"study": study, "page": page, "own_sites": own_sites, "log": log, "outcomes": ScreeningOutcome.choices}
    return render(request, "sites/screening_log.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def log_entry(request: AuthenticatedRequest, study_oid: str) -> HttpResponse:
    study = study_for(request.user, study_oid, Permission.LOG_SCREENING)
    form = ScreeningForm(request.POST or None, sites=sites_for(request.user, study, Permission.LOG_SCREENING))
    entry = submitted(form, lambda: services.log_screening(**form.cleaned_data, by=request.user))
    if entry:
        messages.success(request, _("Screening entry %(number)s is saved.") % {"number": entry.own_number})
        return redirect("screening", study_oid=study.oid)
    return form_page(request, form, study=study, title=_("New screening entry"), action=_("Save"), back="screening")


@require_http_methods(["GET", "HEAD", "POST"])
def close_entry(request: AuthenticatedRequest, study_oid: str, entry_id: uuid.UUID) -> HttpResponse:
    study = study_for(request.user, study_oid, Permission.LOG_SCREENING)
    entry = _own_entry(request, study, entry_id)
    form = CloseScreeningForm(request.POST or None, reasons=screening_reasons(entry.site))
    if submitted(form, lambda: _close(entry, form, request)):
        messages.success(request, _("Screening entry %(number)s is closed.") % {"number": entry.own_number})
        return redirect("screening", study_oid=study.oid)
    title = _("Close screening entry %(number)s") % {"number": entry.own_number}
    return form_page(request, form, study=study, title=title, action=_("Close the entry"), back="screening")


def _own_entry(request: AuthenticatedRequest, study: Study, entry_id: uuid.UUID) -> ScreeningEntry:
    sites = sites_for(request.user, study, Permission.LOG_SCREENING)
    return get_object_or_404(screening_entries_for(request.user, study).filter(site__in=sites), pk=entry_id)


def _close(entry: ScreeningEntry, form: CloseScreeningForm, request: AuthenticatedRequest) -> ScreeningEntry:
    outcome, code = form.cleaned_data["why"]
    return services.close_screening(entry=entry, outcome=outcome, reason_code=code, by=request.user)
