"""Sites and their states, the state of the trial, the emergency stop."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from pallsoft.accounts.request import AuthenticatedRequest
from sites import services
from sites.forms import ApproveVersionForm, ArmedForm, ReasonForm, SitePhoneForm, SiteStatusForm, StatusForm
from sites.permissions import Permission, has_permission, sites_for
from sites.selectors import site_for, sites_with_versions, study_for
from sites.submitting import submitted
from sites.views.forms import form_page


@require_safe
def site_list(request: AuthenticatedRequest, study_oid: str) -> HttpResponse:
    study = study_for(request.user, study_oid)
    context = {
        "study": study,
        "sites": sites_with_versions(study),
        "managed": set(sites_for(request.user, study, Permission.MANAGE_SITES)),
        "manages_study": has_permission(request.user, Permission.MANAGE_STUDY, study),
        "may_stop": has_permission(request.user, Permission.EMERGENCY_STOP, study),
    }
    return render(request, "sites/sites.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def site_status(request: AuthenticatedRequest, study_oid: str, code: str) -> HttpResponse:
    site = site_for(request.user, study_oid, code, Permission.MANAGE_SITES)
    form = SiteStatusForm(request.POST or None, current=site.status)
    if submitted(form, lambda: services.set_site_status(site=site, **form.cleaned_data, by=request.user)):
        messages.success(request, _("The state of %(site)s is saved.") % {"site": site})
        return redirect("sites", study_oid=study_oid)
    title = _("State of %(site)s: %(state)s") % {"site": site, "state": site.get_status_display()}
    return form_page(request, form, study=site.study, title=title, action=_("Save the state"), back="sites")


@require_http_methods(["GET", "HEAD", "POST"])
def site_phone(request: AuthenticatedRequest, study_oid: str, code: str) -> HttpResponse:
    site = site_for(request.user, study_oid, code, Permission.MANAGE_SITES)
    form = SitePhoneForm(request.POST or None, initial={"phone": site.phone})
    if submitted(form, lambda: services.set_site_phone(site=site, **form.cleaned_data, by=request.user)):
        messages.success(request, _("The telephone number of %(site)s is saved.") % {"site": site})
        return redirect("sites", study_oid=study_oid)
    title = _("Telephone for participants of %(site)s") % {"site": site}
    return form_page(request, form, study=site.study, title=title, action=_("Save"), back="sites")


@require_http_methods(["GET", "HEAD", "POST"])
def approve_version(request: AuthenticatedRequest, study_oid: str, code: str) -> HttpResponse:
    site = site_for(request.user, study_oid, code, Permission.MANAGE_SITES)
    form = ApproveVersionForm(request.POST or None, versions=site.study.versions.order_by("-number"))
    if submitted(form, lambda: services.approve_version(site=site, **form.cleaned_data, by=request.user)):
        messages.success(request, _("The version is approved for %(site)s.") % {"site": site})
        return redirect("sites", study_oid=study_oid)
    title = _("Approve a version for %(site)s") % {"site": site}
    return form_page(request, form, study=site.study, title=title, action=_("Approve"), back="sites")


@require_http_methods(["GET", "HEAD", "POST"])
def study_status(request: AuthenticatedRequest, study_oid: str) -> HttpResponse:
    study = study_for(request.user, study_oid, Permission.MANAGE_STUDY)
    form = StatusForm(request.POST or None, current=study.status)
    if submitted(form, lambda: services.set_study_status(study=study, **form.cleaned_data, by=request.user)):
        messages.success(request, _("The state of the trial is saved."))
        return redirect("sites", study_oid=study_oid)
    title = _("State of the trial: %(state)s") % {"state": study.get_status_display()}
    return form_page(request, form, study=study, title=title, action=_("Save the state"), back="sites")


@require_http_methods(["GET", "HEAD", "POST"])
def stop(request: AuthenticatedRequest, study_oid: str) -> HttpResponse:
    """The sponsor's emergency stop; in force for all sites with the answer to this request."""
    study = study_for(request.user, study_oid, Permission.EMERGENCY_STOP)
    form = ArmedForm(request.POST or None, study_oid=study.oid)
    if submitted(
        form, lambda: services.stop_randomization(study=study, reason=form.cleaned_data["reason"], by=request.user)
    ):
        messages.success(request, _("Randomisation is stopped at all sites."))
        return redirect("sites", study_oid=study_oid)
    return form_page(
        request,
        form,
        study=study,
        title=_("Emergency stop"),
        lead=_("Nobody is randomised at any site until randomisation is started again."),
        action=_("Stop randomisation at all sites"),
        back="sites",
        tone="danger",
    )


@require_http_methods(["GET", "HEAD", "POST"])
def resume(request: AuthenticatedRequest, study_oid: str) -> HttpResponse:
    study = study_for(request.user, study_oid, Permission.EMERGENCY_STOP)
    form = ReasonForm(request.POST or None)
    if submitted(form, lambda: services.resume_randomization(study=study, **form.cleaned_data, by=request.user)):
        messages.success(request, _("Randomisation is started at the sites that are open."))
        return redirect("sites", study_oid=study_oid)
    return form_page(
        request, form, study=study, title=_("Start randomisation"), action=_("Start randomisation"), back="sites"
    )
