"""The monitor's visit log."""

import uuid
from datetime import date
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from crf import services
from crf.models import MonitoringVisit
from crf.selectors.monitoring import WRITTEN, looked_at, queries_raised, seen_of, visits_for
from pallsoft.accounts.request import AuthenticatedRequest
from pallsoft.audit.selectors import trail_for
from sites.fields import DayField, offer_rows
from sites.models import Site
from sites.permissions import Permission, sites_for
from sites.selectors import study_for
from sites.submitting import submitted
from sites.views.forms import form_page

LONGEST = 4000


class _WrittenForm(forms.Form):
    visited_on = DayField(label=gettext_lazy("Day of the visit"))
    findings = forms.CharField(
        label=gettext_lazy("Findings"),
        help_text=gettext_lazy("No names or identity numbers."),
        widget=forms.Textarea,
        max_length=LONGEST,
        required=False,
    )
    actions = forms.CharField(
        label=gettext_lazy("Actions agreed"), widget=forms.Textarea, max_length=LONGEST, required=False
    )
    letter_sent_on = DayField(label=gettext_lazy("Follow-up letter sent"), required=False)


class LogVisitForm(_WrittenForm):
    key = forms.UUIDField(widget=forms.HiddenInput)
    site = forms.ModelChoiceField(Site.objects.none(), label=gettext_lazy("Site"), empty_label=None)
    field_order = ("key", "site")

    def __init__(self, data: QueryDict | None = None, *, sites: QuerySet[Site], chosen: str) -> None:
        site = sites.filter(code=chosen).first()
        super().__init__(data, initial={"key": uuid.uuid4(), "site": site})
        offer_rows(self, "site", sites.select_related("study"))


class VisitForm(_WrittenForm):
    seen = forms.CharField(widget=forms.HiddenInput, max_length=300)
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        help_text=gettext_lazy("Needed when something that was written before changes."),
        max_length=200,
        required=False,
    )


@require_http_methods(["GET", "HEAD", "POST"])
def log_visit(request: AuthenticatedRequest, study_oid: str) -> HttpResponse:
    study = study_for(request.user, study_oid, Permission.VERIFY)
    sites = sites_for(request.user, study, Permission.VERIFY)
    form = LogVisitForm(request.POST or None, sites=sites, chosen=request.GET.get("site", ""))
    visit = submitted(form, lambda: services.log_monitoring_visit(**form.cleaned_data, by=request.user))
    if visit:
        messages.success(request, _("The visit is logged. What you verify now can be noted as part of it."))
        return redirect("monitoring-visit", study_oid, visit.pk)
    title, lead = _("Log a monitoring visit"), _("Findings and actions can be written now or after the visit.")
    return form_page(request, form, study=study, title=title, lead=lead, action=_("Log the visit"), back="verification")


@require_safe
def visit_page(request: AuthenticatedRequest, study_oid: str, visit_id: uuid.UUID) -> HttpResponse:
    """What was looked at, found, agreed and sent; made to be printed."""
    visit = _visit(request, study_oid, visit_id)
    looked = looked_at(visit)
    context: dict[str, Any] = {
        "visit": visit,
        "looked": looked,
        "items": sum(one.items for one in looked),
        "queries": queries_raised(visit),
        "crumbs": [{"label": _("Verification"), "url": f"../../?site={visit.site.code}"}, {"label": _("Visit")}],
    }
    with timezone.override(visit.site.timezone):
        return render(request, "crf/monitoring_visit.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def edit_visit(request: AuthenticatedRequest, study_oid: str, visit_id: uuid.UUID) -> HttpResponse:
    visit = _visit(request, study_oid, visit_id)
    written = {name: getattr(visit, name) for name in WRITTEN} | {"seen": seen_of(visit)}
    form = VisitForm(request.POST or None, initial=written)
    saved = None
    try:
        saved = submitted(
            form, lambda: services.update_monitoring_visit(visit=visit, **form.cleaned_data, by=request.user)
        )
    except services.WrittenMeanwhile as meanwhile:
        _show_both(form, request.POST.copy(), meanwhile)
    if saved:
        messages.success(request, _("The visit log is saved."))
        return redirect("monitoring-visit", study_oid, visit_id)
    title = _("Visit to %(site)s") % {"site": visit.site}
    return form_page(request, form, study=visit.study, title=title, action=_("Save"), back="verification")


def _show_both(form: VisitForm, typed: QueryDict, meanwhile: services.WrittenMeanwhile) -> None:
    """Where both wrote, this person's text with the other one beside it; saving again stores what the page says."""
    visit = meanwhile.visit
    form.data = typed
    typed["seen"] = seen_of(visit)
    for name in WRITTEN:
        theirs = getattr(visit, name)
        told = f"{theirs:%d.%m.%Y}" if isinstance(theirs, date) else theirs or ""
        if name in meanwhile.clashes:
            by = trail_for(table="crf_monitoringvisit", row_id=visit.pk, item=name)[0].actor_name
            form.add_error(name, _("%(name)s has written here meanwhile: “%(text)s”") % {"name": by, "text": told})
        elif name not in meanwhile.mine:
            typed[name] = told
    form.add_error(None, _("Nothing was stored yet. Put together what is right, then save again."))


def _visit(request: AuthenticatedRequest, study_oid: str, visit_id: uuid.UUID) -> MonitoringVisit:
    study = study_for(request.user, study_oid, Permission.VERIFY)
    return get_object_or_404(visits_for(request.user, study), pk=visit_id)
