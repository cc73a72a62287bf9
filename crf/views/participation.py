"""How a participant leaves: one page that shows it, and the acts, each read back before it is saved."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from crf.answers import SubjectAnswers
from crf.participation_forms import AttemptForm, DeathForm, DestroyedForm, LostForm, WithdrawalForm
from crf.selectors.participation import page_of
from crf.selectors.read_back import read_back_death, read_back_withdrawal
from crf.selectors.strip import strip_for
from crf.services import take_back_alive
from pallsoft.accounts.request import AuthenticatedRequest
from sites import services
from sites.forms import ReasonForm
from sites.models import Subject
from sites.participation import participation_of
from sites.permissions import Permission
from sites.selectors import definition_at, subject_for
from sites.submitting import submitted

CONFIRMED = "confirmed"
GET_POST = ["GET", "HEAD", "POST"]


@require_safe
def participation_page(request: AuthenticatedRequest, study_oid: str, number: str) -> HttpResponse:
    subject = subject_for(request.user, study_oid, number)
    answers = SubjectAnswers(subject, definition_at(subject.site))
    with timezone.override(answers.zone):
        context = page_of(answers, request.user) | {"strip": strip_for(answers, request.user), "study": subject.study}
        return render(request, "crf/participation.html", context)


@require_http_methods(GET_POST)
def record_death(request: AuthenticatedRequest, study_oid: str, number: str) -> HttpResponse:
    """First the facts; then number, year of birth, sex and what will follow are read back; only then it is saved."""
    subject = subject_for(request.user, study_oid, number, Permission.ENTER_DATA)
    form = DeathForm(request.POST or None)

    def record() -> bool:
        services.record_death(subject=subject, facts=form.facts(), by=request.user)
        return True

    if CONFIRMED in request.POST and submitted(form, record):
        messages.success(request, _("The death is recorded. Nothing more is sent to the participant."))
        return redirect("participation", study_oid=study_oid, number=number)
    back = None if "edit" in request.POST else submitted(form, lambda: read_back_death(subject, form.facts()))
    title = _("Record the death of %(number)s") % {"number": number}
    return _form(request, subject, form, title=title, action=_("Go on"), confirm=_("Record the death"), read_back=back)


@require_http_methods(GET_POST)
def record_withdrawal(request: AuthenticatedRequest, study_oid: str, number: str) -> HttpResponse:
    subject = subject_for(request.user, study_oid, number, Permission.RECORD_CONSENT)
    kinds = participation_of(subject).going_on
    form = WithdrawalForm(request.POST or None, subject=subject, going_on=kinds)

    def act() -> bool:
        services.record_withdrawal(subject=subject, said=form.said(), by=request.user)
        return True

    if CONFIRMED in request.POST and submitted(form, act):
        messages.success(request, _("It is recorded and holds from now on."))
        return redirect("participation", study_oid=study_oid, number=number)
    back = None if "edit" in request.POST else submitted(form, lambda: read_back_withdrawal(subject, form.said()))
    lead = _("Ask about each point, calmly. The wording is a proposal until the trial decides its own.")
    title = _("What %(number)s wants to stop") % {"number": number}
    return _form(
        request, subject, form, title=title, lead=lead, action=_("Go on"), confirm=_("Record it"), read_back=back
    )


@require_http_methods(GET_POST)
def undo_death(request: AuthenticatedRequest, study_oid: str, number: str, death_id: UUID) -> HttpResponse:
    subject = subject_for(request.user, study_oid, number, Permission.ENTER_DATA)
    death = get_object_or_404(subject.deaths.select_related("subject__site", "subject__study"), pk=death_id)
    form = ReasonForm(request.POST or None)
    if submitted(form, lambda: services.undo_death(death=death, by=request.user, **form.cleaned_data)):
        messages.success(request, _("The death is taken back and the visits are open again. Nothing was sent."))
        return redirect("participation", study_oid=study_oid, number=number)
    lead = _("For a death recorded on the wrong person, or with a wrong day. Cancelled messages stay cancelled.")
    title = _("Take back the death of %(number)s") % {"number": number}
    return _form(request, subject, form, title=title, lead=lead, action=_("Take it back"))


@require_http_methods(GET_POST)
def undo_alive(request: AuthenticatedRequest, study_oid: str, number: str, alive_id: UUID) -> HttpResponse:
    subject = subject_for(request.user, study_oid, number, Permission.ENTER_DATA)
    seen = subject.alive_in_record.exclude(day=None).select_related("subject__site", "subject__study")
    alive = get_object_or_404(seen, pk=alive_id)
    form = ReasonForm(request.POST or None)
    if submitted(form, lambda: take_back_alive(alive=alive, by=request.user, **form.cleaned_data)):
        messages.success(
            request, _("It is taken back. Messages to the participant wait until the record is read again.")
        )
        return redirect("participation", study_oid=study_oid, number=number)
    title = _("Take back that %(number)s was alive on %(day)s") % {"number": number, "day": f"{alive.day:%d.%m.%Y}"}
    lead = _("For a tick at the wrong participant. What has been sent cannot be called back.")
    return _form(request, subject, form, title=title, lead=lead, action=_("Take it back"))


@require_http_methods(GET_POST)
def end_stop(request: AuthenticatedRequest, study_oid: str, number: str, stop_id: UUID) -> HttpResponse:
    subject = subject_for(request.user, study_oid, number, Permission.RECORD_CONSENT)
    stop = get_object_or_404(subject.stops.select_related("subject__site", "subject__study"), pk=stop_id)
    form = ReasonForm(request.POST or None)

    def act() -> bool:
        services.end_stop(stop=stop, by=request.user, reason=form.cleaned_data["reason"])
        return True

    if submitted(form, act):
        messages.success(request, _("It is taken back and the visits are open again. Nothing was sent."))
        return redirect("participation", study_oid=study_oid, number=number)
    lead = _(
        "Only when it was recorded wrongly, or when it is taken up again. A withdrawn consent takes a new consent."
    )
    title = _("Take back: %(what)s") % {"what": stop.get_kind_display()}
    return _form(request, subject, form, title=title, lead=lead, action=_("Take it back"))


@require_http_methods(GET_POST)
def record_lost(request: AuthenticatedRequest, study_oid: str, number: str) -> HttpResponse:
    """POST `act`: attempt | lost."""
    subject = subject_for(request.user, study_oid, number, Permission.ENTER_DATA)
    lost = request.POST.get("act") == "lost"
    attempt_form = AttemptForm(None if lost else request.POST or None, subject=subject)
    lost_form = LostForm(request.POST if lost else None)
    done = _lost(request, subject, lost_form) if lost else _attempt(request, subject, attempt_form)
    if done:
        messages.success(request, done)
        return redirect("participation" if lost else "record-lost", study_oid=study_oid, number=number)
    answers = SubjectAnswers(subject, definition_at(subject.site))
    context = page_of(answers, request.user) | {
        "strip": strip_for(answers, request.user),
        "study": subject.study,
        "attempt_form": attempt_form,
        "lost_form": lost_form,
        "attempts": subject.contact_attempts.all(),
    }
    status = 422 if attempt_form.errors or lost_form.errors else 200
    return render(request, "crf/lost.html", context, status=status)


@require_http_methods(GET_POST)
def confirm_destroyed(request: AuthenticatedRequest, study_oid: str, number: str, task_id: UUID) -> HttpResponse:
    subject = subject_for(request.user, study_oid, number, Permission.RECORD_CONSENT)
    task = get_object_or_404(subject.sample_tasks.select_related("subject__site", "subject__study"), pk=task_id)
    form = DestroyedForm(request.POST or None)
    if submitted(form, lambda: services.confirm_destroyed(task=task, by=request.user, **form.cleaned_data)):
        messages.success(request, _("The destruction is recorded."))
        return redirect("participation", study_oid=study_oid, number=number)
    title = _("The samples of %(number)s are destroyed") % {"number": number}
    return _form(request, subject, form, title=title, action=_("Confirm"))


def _attempt(request: AuthenticatedRequest, subject: Subject, form: AttemptForm) -> str:
    def act() -> Any:
        return services.log_attempt(subject=subject, said=form.said(), key=form.cleaned_data["key"], by=request.user)

    return _("The attempt is logged.") if submitted(form, act) else ""


def _lost(request: AuthenticatedRequest, subject: Subject, form: LostForm) -> str:
    def act() -> Any:
        return services.record_lost(subject=subject, day=form.cleaned_data["day"], by=request.user)

    return _("It is recorded that the contact is lost.") if submitted(form, act) else ""


def _form(
    request: AuthenticatedRequest, subject: Subject, form: forms.Form, *, read_back: Any = None, **page: Any
) -> HttpResponse:
    answers = SubjectAnswers(subject, definition_at(subject.site))
    context = {"form": form, "subject": subject, "study": subject.study, "strip": strip_for(answers, request.user)}
    status = 422 if form.errors else 200
    with timezone.override(answers.zone):
        return render(request, "crf/participation_form.html", context | page | {"read_back": read_back}, status=status)
