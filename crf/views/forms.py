"""Around a form: its repeats, taking it away, copying its values, and thanks to the patient."""

from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from crf.answers import SubjectAnswers
from crf.entry.interruptions import AnswersNeeded
from crf.models import StudyEvent
from crf.selectors.copying import targets_for
from crf.selectors.crumbs import crumbs
from crf.selectors.form_page import form_url
from crf.selectors.loading import event_for, place_for, saved_form_for
from crf.selectors.matrix import visit_label, visit_url
from crf.selectors.repeats import repeats_of
from crf.selectors.strip import strip_for
from crf.selectors.visit import next_url
from crf.services import take_over_unchanged, void_form
from crf.views.posted import key_of
from pallsoft.accounts.request import AuthenticatedRequest
from pallsoft.errors import Conflict, InvalidInput, NotAllowedNow
from sites.permissions import Permission, require
from sites.selectors import definition_at, subjects_for


@require_http_methods(["GET", "HEAD", "POST"])
def repeat_list(request: AuthenticatedRequest, form_oid: str, **address: Any) -> HttpResponse:
    """All repeats of a form at a visit, and one more; a POST takes over those of the visit before, unchanged."""
    event = event_for(request.user, **address)
    answers = SubjectAnswers(event.subject, definition_at(event.subject.site))
    repeats = repeats_of(answers, event, form_oid, request.user)
    errors: list[dict[str, Any]] = []
    if request.method == "POST":
        try:
            _take_over(request, event, form_oid)
        except (AnswersNeeded, InvalidInput, Conflict, NotAllowedNow) as refusal:
            errors = [{"text": refusal.message}]
        else:
            return redirect(request.path)
    context = {
        "strip": strip_for(answers, request.user),
        "repeats": repeats,
        "visit": visit_label(event, answers.study.event(event.event_oid)),
        "crumbs": crumbs(event, answers.study, repeats.form.title),
        "errors": errors,
        "key": uuid4(),
    }
    with timezone.override(event.subject.site.timezone):
        return render(request, "crf/repeats.html", context, status=422 if errors else 200)


def _take_over(request: AuthenticatedRequest, event: StudyEvent, form_oid: str) -> None:
    seen, key = request.POST.get("seen", ""), key_of(request.POST.get("key", ""))
    taken = take_over_unchanged(event=event, form_oid=form_oid, seen=seen, key=key, by=request.user)
    if taken:
        said = ngettext("%(n)s entry taken over unchanged.", "%(n)s entries taken over unchanged.", len(taken))
        messages.success(request, said % {"n": len(taken)})


@require_http_methods(["GET", "HEAD", "POST"])
def void(request: AuthenticatedRequest, **address: Any) -> HttpResponse:
    """Take a form away, with a reason; then its values are offered for copying."""
    place = place_for(request.user, **address)
    if place.row is None:
        raise Http404
    require(request.user, Permission.ENTER_DATA, place.subject.study, place.subject.site)
    errors: list[dict[str, Any]] = []
    if request.method == "POST":
        try:
            form = void_form(form=place.row, by=request.user, reason=request.POST.get("reason", ""))
        except InvalidInput as refusal:
            errors = [{"target": "id_reason", "label": _("Reason"), "text": refusal.message}]
        else:
            messages.success(request, _("The form is removed. Its values can be copied to where they belong."))
            return redirect("form-copy", place.subject.study.oid, place.subject.number, form.pk)
    context = {
        "place": place,
        "strip": strip_for(place.answers, request.user),
        "errors": errors,
        "reason": request.POST.get("reason", ""),
        "back_url": form_url(place),
    }
    return render(request, "crf/void.html", context, status=422 if errors else 200)


@require_safe
def copy(request: AuthenticatedRequest, study_oid: str, number: str, form_id: UUID) -> HttpResponse:
    """Where could the values belong? A subject number leads to its visits that have the form and not yet an answer."""
    form = saved_form_for(request.user, study_oid, number, form_id)
    answers = SubjectAnswers(form.subject, definition_at(form.subject.site))
    wanted = request.GET.get("number", number)
    target = subjects_for(request.user, form.subject.study).filter(number=wanted).first()
    context = {
        "form": form,
        "title": answers.study.form(form.form_oid).title,
        "strip": strip_for(answers, request.user),
        "wanted": wanted,
        "target": target,
        "targets": targets_for(target, form, request.user) if target else [],
    }
    return render(request, "crf/copy.html", context)


@require_safe
def go_on(request: AuthenticatedRequest, **address: Any) -> HttpResponse:
    """To the next form of the visit that waits, or to the visit after the last."""
    place = place_for(request.user, **address)
    return redirect(next_url(place, request.user) or visit_url(place.event))


@require_safe
def thanks(request: AuthenticatedRequest, **address: Any) -> HttpResponse:
    """What the patient reads after the last question."""
    place = place_for(request.user, **address)
    return render(request, "crf/thanks.html", {"place": place, "back_url": form_url(place)})
