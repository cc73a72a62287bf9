"""Freezing, locking and opening again: one page for each path, and one for all that is closed."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from crf import services
from crf.models import Lock
from crf.selectors.loading import event_for, secrets_for
from crf.selectors.locks import Target, closed_places, locks_over, shown_locks, still_possible
from crf.selectors.matrix import visit_label
from crf.selectors.open_points import open_points
from pallsoft.accounts.request import AuthenticatedRequest
from pallsoft.errors import InvalidInput, NotAllowedNow, NotPermitted
from sites.models import Subject
from sites.permissions import AnyUser, Permission, has_permission, permissions_anywhere, sites_for
from sites.selectors import definition_at, study_for, subject_for
from trials.models import Study


@require_safe
def closed(request: AuthenticatedRequest, study_oid: str) -> HttpResponse:
    """Everything that is frozen or locked, and what of it waits for a second person."""
    study = _study(request.user, study_oid)
    context = {
        "study": study,
        "places": closed_places(study, sites_for(request.user, study, _held(request.user, study))),
        "locks": shown_locks(study, request.user),
        "may_freeze_study": has_permission(request.user, Permission.FREEZE, study),
    }
    return render(request, "crf/locking.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def study_lock(request: AuthenticatedRequest, study_oid: str) -> HttpResponse:
    study = _study(request.user, study_oid)
    return _page(request, Target(study), _("The whole study"))


@require_http_methods(["GET", "HEAD", "POST"])
def site_lock(request: AuthenticatedRequest, study_oid: str, code: str) -> HttpResponse:
    study = _study(request.user, study_oid)
    site = get_object_or_404(sites_for(request.user, study, _held(request.user, study)), code=code)
    site.study = study
    return _page(request, Target(study, site), str(site))


@require_http_methods(["GET", "HEAD", "POST"])
def subject_lock(request: AuthenticatedRequest, study_oid: str, number: str) -> HttpResponse:
    subject = _subject(request, study_oid, number)
    return _page(request, Target(subject.study, subject.site, subject), subject.number)


@require_http_methods(["GET", "HEAD", "POST"])
def visit_lock(request: AuthenticatedRequest, study_oid: str, number: str, **visit: Any) -> HttpResponse:
    subject = _subject(request, study_oid, number)
    event = event_for(request.user, study_oid, number, **visit)
    label = visit_label(event, definition_at(subject.site).event(event.event_oid))
    return _page(request, Target(subject.study, subject.site, subject, event), f"{number}, {label}")


@require_http_methods(["GET", "HEAD", "POST"])
def form_lock(request: AuthenticatedRequest, study_oid: str, number: str, form_oid: str, **visit: Any) -> HttpResponse:
    """One form at one visit, with all its repeats, also those that are not there yet."""
    subject = _subject(request, study_oid, number)
    event = event_for(request.user, study_oid, number, **visit)
    definition = definition_at(subject.site)
    if form_oid not in {ref.form for ref in definition.event(event.event_oid).forms}:
        raise Http404
    form = definition.form(form_oid)
    if form_oid in secrets_for(request.user, subject).forms:
        raise Http404
    label = visit_label(event, definition.event(event.event_oid))
    return _page(request, Target(subject.study, subject.site, subject, event, form), f"{number}, {label}: {form.title}")


@require_http_methods(["GET", "HEAD", "POST"])
def lift(request: AuthenticatedRequest, study_oid: str, lock_id: UUID) -> HttpResponse:
    """Open one lock again: at once, or for a site and the study by two persons. POST `reason`, `act` withdraw."""
    study = _study(request.user, study_oid)
    shown = next((one for one in shown_locks(study, request.user) if one.lock.pk == lock_id), None)
    if shown is None:
        raise Http404
    errors: list[dict[str, Any]] = []
    if request.method == "POST":
        try:
            done = _lift(request, shown.lock)
        except (InvalidInput, NotAllowedNow) as refusal:
            errors = [{"target": "id_reason", "label": _("Reason"), "text": refusal.message}]
        else:
            messages.success(request, done)
            return redirect("locking", study_oid)
    context = {"study": study, "shown": shown, "errors": errors, "reason": request.POST.get("reason", "")}
    return render(request, "crf/lift.html", context, status=422 if errors else 200)


def _lift(request: AuthenticatedRequest, lock: Lock) -> str:
    reason = request.POST.get("reason", "")
    if request.POST.get("act") == "withdraw":
        services.withdraw_unlock_request(lock=lock, by=request.user, reason=reason)
        return _("The request is taken back. It stays closed.")
    if not lock.takes_two:
        services.unlock(lock=lock, by=request.user, reason=reason)
        return _("It is open again.")
    if lock.lift_requested_in is None:
        services.request_unlock(lock=lock, by=request.user, reason=reason)
        return _("You have asked for it. Another person has to confirm before it opens.")
    services.confirm_unlock(lock=lock, by=request.user, reason=reason)
    return _("It is open again.")


_ACTS: dict[str, tuple[Callable[..., Lock], Any]] = {
    "freeze": (services.freeze, gettext_lazy("%(what)s is frozen.")),
    "lock": (services.lock, gettext_lazy("%(what)s is locked.")),
}


def _page(request: AuthenticatedRequest, target: Target, title: str) -> HttpResponse:
    """What is open under the target, what is closed over it, and the two ways to close it. POST `act`, `reason`."""
    errors: list[dict[str, Any]] = []
    if request.method == "POST":
        try:
            if request.POST.get("act") not in _ACTS:
                raise InvalidInput({"act": [_("Choose what to do.")]})
            act, told = _ACTS[request.POST["act"]]
            act(target=target, by=request.user, reason=request.POST.get("reason", ""))
        except (InvalidInput, NotAllowedNow) as refusal:
            errors = [{"target": "id_reason", "label": _("Reason"), "text": refusal.message}]
        else:
            messages.success(request, told % {"what": title})
            return redirect(request.path)
    points = open_points(target, request.user)
    may_close = has_permission(request.user, Permission.FREEZE, target.study, target.place)
    context = {
        "study": target.study,
        "target": target,
        "title": title,
        "locks": shown_locks(target.study, request.user, over=target),
        "points": points,
        "waiting": sum(point.count for point in points),
        "acts": still_possible(locks_over(target)) if may_close else [],
        "errors": errors,
        "reason": request.POST.get("reason", ""),
    }
    zone = target.place.timezone if target.place else target.study.timezone
    with timezone.override(zone):
        return render(request, "crf/lock.html", context, status=422 if errors else 200)


def _study(user: AnyUser, study_oid: str) -> Study:
    study = study_for(user, study_oid)
    _held(user, study)
    return study


def _subject(request: AuthenticatedRequest, study_oid: str, number: str) -> Subject:
    study = _study(request.user, study_oid)
    return subject_for(request.user, study_oid, number, _held(request.user, study))


def _held(user: AnyUser, study: Study) -> Permission:
    """The right by which the person sees what is closed: to close it, or to be the second person."""
    held = permissions_anywhere(user, study)
    for permission in (Permission.FREEZE, Permission.CONFIRM_UNLOCK):
        if permission in held:
            return permission
    raise NotPermitted(_("Your role does not allow this. Ask the user administrator of the trial."))
