"""Users of a trial: accounts, roles, delegations."""

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from pallsoft.accounts.request import AuthenticatedRequest
from sites import services
from sites.forms import AssignForm, DelegateForm, EndForm, InviteForm, ReasonForm, VerifyForm
from sites.permissions import Permission, permissions_anywhere, sites_for
from sites.selectors import (
    accounts_in,
    assignments_in,
    delegations_in,
    invited_without_role,
    people_of,
    site_for,
    staff_of,
    study_for,
)
from sites.submitting import submitted
from sites.views.forms import form_page


@require_safe
def user_list(request: AuthenticatedRequest, study_oid: str) -> HttpResponse:
    """Who has which role where and since when; what is delegated to whom."""
    study = study_for(request.user, study_oid, Permission.VIEW_USERS)
    manages = Permission.MANAGE_USERS in permissions_anywhere(request.user, study)
    context = {
        "study": study,
        "people": people_of(assignments_in(request.user, study)),
        "waiting": invited_without_role(study) if manages else [],
        "delegations": delegations_in(request.user, study),
        "manages": manages,
        "delegating_at": sites_for(request.user, study, Permission.DELEGATE),
    }
    return render(request, "sites/users.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def invite(request: AuthenticatedRequest, study_oid: str) -> HttpResponse:
    study = study_for(request.user, study_oid, Permission.MANAGE_USERS)
    form = InviteForm(request.POST or None)
    user = submitted(form, lambda: services.invite_user(study=study, **form.cleaned_data, by=request.user))
    if user:
        messages.success(request, _("%(name)s is invited. Now give the person a role.") % {"name": user.full_name})
        return redirect("assign-role", study_oid=study.oid)
    return form_page(request, form, study=study, title=_("Invite a person"), action=_("Send invitation"), back="users")


@require_POST
def invite_again(request: AuthenticatedRequest, study_oid: str, user_id: uuid.UUID) -> HttpResponse:
    study = study_for(request.user, study_oid, Permission.MANAGE_USERS)
    user = get_object_or_404(accounts_in(study), pk=user_id)
    services.send_invitation(study=study, user=user, by=request.user)
    messages.success(request, _("A new invitation goes to %(name)s.") % {"name": user.full_name})
    return redirect("users", study_oid=study.oid)


@require_http_methods(["GET", "HEAD", "POST"])
def verify(request: AuthenticatedRequest, study_oid: str, user_id: uuid.UUID) -> HttpResponse:
    """Who has seen that the person is who the account says, and how: before the right to sign is given."""
    study = study_for(request.user, study_oid, Permission.MANAGE_USERS)
    user = get_object_or_404(accounts_in(study), pk=user_id)
    form = VerifyForm(request.POST or None)
    if submitted(form, lambda: services.verify_identity(study=study, user=user, **form.cleaned_data, by=request.user)):
        messages.success(request, _("The identity of %(name)s is verified.") % {"name": user.full_name})
        return redirect("users", study_oid=study.oid)
    title = _("Verify the identity of %(name)s") % {"name": user.full_name}
    lead = _("Your name and the time are kept with it. Without it nobody gets the right to sign. No copy is stored.")
    return form_page(
        request, form, study=study, title=title, lead=lead, action=_("I have verified the identity"), back="users"
    )


@require_http_methods(["GET", "HEAD", "POST"])
def assign(request: AuthenticatedRequest, study_oid: str) -> HttpResponse:
    study = study_for(request.user, study_oid, Permission.MANAGE_USERS)
    sites = sites_for(request.user, study, Permission.MANAGE_USERS)
    form = AssignForm(request.POST or None, sites=sites, timezone=study.timezone)
    given = submitted(form, lambda: services.assign_role(study=study, **form.facts(), by=request.user))
    if given:
        messages.success(request, _("%(name)s has the role.") % {"name": given.user.full_name})
        return redirect("users", study_oid=study.oid)
    return form_page(request, form, study=study, title=_("Give a role"), action=_("Give the role"), back="users")


@require_http_methods(["GET", "HEAD", "POST"])
def end_role(request: AuthenticatedRequest, study_oid: str, assignment_id: uuid.UUID) -> HttpResponse:
    study = study_for(request.user, study_oid, Permission.MANAGE_USERS)
    assignment = get_object_or_404(assignments_in(request.user, study), pk=assignment_id)
    form = EndForm(request.POST or None)
    if submitted(form, lambda: services.end_assignment(assignment=assignment, **form.cleaned_data, by=request.user)):
        messages.success(request, _("The end of the role is saved."))
        return redirect("users", study_oid=study.oid)
    title = _("End the role of %(name)s: %(role)s") % {
        "name": assignment.user.full_name,
        "role": assignment.get_role_display(),
    }
    return form_page(request, form, study=study, title=title, action=_("End the role"), back="users")


@require_http_methods(["GET", "HEAD", "POST"])
def delegate(request: AuthenticatedRequest, study_oid: str, code: str) -> HttpResponse:
    site = site_for(request.user, study_oid, code, Permission.DELEGATE)
    form = DelegateForm(request.POST or None, site=site, staff=staff_of(site).filter(is_active=True))
    if submitted(form, lambda: services.delegate_task(site=site, **form.cleaned_data, by=request.user)):
        messages.success(request, _("The delegation is saved."))
        return redirect("users", study_oid=study_oid)
    title = _("Delegate a task at %(site)s") % {"site": site}
    return form_page(request, form, study=site.study, title=title, action=_("Delegate"), back="users")


@require_http_methods(["GET", "HEAD", "POST"])
def end_delegated(request: AuthenticatedRequest, study_oid: str, delegation_id: uuid.UUID) -> HttpResponse:
    study = study_for(request.user, study_oid, Permission.DELEGATE)
    own = delegations_in(request.user, study).filter(site__in=sites_for(request.user, study, Permission.DELEGATE))
    delegation = get_object_or_404(own, pk=delegation_id)
    form = EndForm(request.POST or None)
    if submitted(form, lambda: services.end_delegation(delegation=delegation, **form.cleaned_data, by=request.user)):
        messages.success(request, _("The end of the delegation is saved."))
        return redirect("users", study_oid=study.oid)
    title = _("End the delegation to %(name)s") % {"name": delegation.user.full_name}
    return form_page(request, form, study=study, title=title, action=_("End the delegation"), back="users")


@require_http_methods(["GET", "HEAD", "POST"])
def close_account(request: AuthenticatedRequest, study_oid: str, user_id: uuid.UUID) -> HttpResponse:
    study = study_for(request.user, study_oid, Permission.MANAGE_USERS)
    user = get_object_or_404(accounts_in(study), pk=user_id)
    form = ReasonForm(request.POST or None)
    if submitted(form, lambda: services.deactivate_user(study=study, user=user, **form.cleaned_data, by=request.user)):
        messages.success(request, _("The account of %(name)s is closed.") % {"name": user.full_name})
        return redirect("users", study_oid=study.oid)
    title = _("Close the account of %(name)s") % {"name": user.full_name}
    lead = _("The account is kept with all that it did, and is never given to another person.")
    return form_page(
        request, form, study=study, title=title, lead=lead, action=_("Close the account"), back="users", tone="danger"
    )
