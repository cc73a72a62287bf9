"""Reminders: what was sent, failed and comes, for who manages the sites; what waits for a tick, for the site."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from crf.reminders.holding import held_until
from crf.reminders.page import Board, context_of
from crf.reminders.services import confirm_alive, send_reminder_again
from crf.reminders.waiting import held_messages
from pallsoft.accounts.request import AuthenticatedRequest
from sites.clock import database_now
from sites.permissions import Permission
from sites.selectors import site_for, study_for, subject_for
from sites.services import pause_reminders


@require_http_methods(["GET", "HEAD", "POST"])
def reminders_page(request: AuthenticatedRequest, study_oid: str) -> HttpResponse:
    study = study_for(request.user, study_oid, Permission.MANAGE_SITES)
    if request.method == "POST":
        return _act(request, study_oid)
    return render(request, "crf/reminders.html", context_of(Board(request.user, study), request.GET.get("page", "1")))


def _act(request: AuthenticatedRequest, study_oid: str) -> HttpResponse:
    """`act`: again (a `message`), pause or resume (a `site`, or the study)."""
    study = study_for(request.user, study_oid, Permission.MANAGE_SITES)
    act, code = request.POST.get("act"), request.POST.get("site", "")
    if act == "again":
        number = request.POST.get("message", "")
        rows = Board(request.user, study).to_staff
        message = get_object_or_404(rows, pk=number if number.isdecimal() and len(number) < 19 else 0)
        send_reminder_again(message=message, by=request.user)
        messages.success(request, _("It is sent again now, if it is still needed."))
    elif act in ("pause", "resume"):
        place = site_for(request.user, study_oid, code, Permission.MANAGE_SITES) if code else study
        pause_reminders(place=place, paused=act == "pause", by=request.user)
        said = _("Reminders are paused: %(place)s.") if act == "pause" else _("Reminders go on: %(place)s.")
        messages.success(request, said % {"place": place})
    return redirect("reminders", study_oid=study_oid)


@require_http_methods(["GET", "HEAD", "POST"])
def messages_waiting(request: AuthenticatedRequest, study_oid: str) -> HttpResponse:
    """POST: the participant of number `subject` was seen alive in the hospital record today."""
    study = study_for(request.user, study_oid, Permission.ENTER_DATA)
    if number := request.POST.get("subject"):
        subject = subject_for(request.user, study_oid, number, Permission.ENTER_DATA)
        confirm_alive(subject=subject, by=request.user)
        waits = held_until(subject.site, database_now())
        noted = (
            _("Noted. The message leaves when messages are sent again.")
            if waits
            else _("Noted. The message leaves now.")
        )
        messages.success(request, noted)
        return redirect("messages-waiting", study_oid=study_oid)
    lines = held_messages(request.user, study)
    return render(request, "crf/messages_waiting.html", {"study": study, "lines": lines})
