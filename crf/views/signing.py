"""Signing a form, a visit or a casebook: what is signed stands on the page, and the password goes with it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from crf.answers import SubjectAnswers
from crf.models import FormData, Meaning, Signature, StudyEvent
from crf.selectors.crumbs import crumbs, subject_crumb
from crf.selectors.form_page import form_url
from crf.selectors.loading import event_for, place_for
from crf.selectors.matrix import visit_label, visit_url
from crf.selectors.signatures import Given
from crf.selectors.signed_content import ShownForm, shown_form
from crf.selectors.signing import Signable, signable_casebook, signable_form, signable_visit
from crf.selectors.strip import strip_for
from crf.services import signing
from crf.views.signature_box import Problem, problem_of, proof_by, signature_box
from pallsoft.accounts.models import Profession
from pallsoft.accounts.request import AuthenticatedRequest
from pallsoft.audit.selectors import chain_head
from pallsoft.errors import InvalidInput, PallsoftError
from sites.models import Delegation, Task
from sites.selectors import definition_at, subject_for

SHOWN_OPEN = 12  # forms whose answers stand open on the page; of more, each visit is opened by a click


@dataclass(frozen=True)
class Page:
    """What differs between the three: what is signed, the service, the way back, and the way down to the page."""

    signable: Signable
    sign: Callable[..., Signature]
    back: str
    crumbs: list[dict[str, Any]]


@require_http_methods(["GET", "HEAD", "POST"])
def form_page(request: AuthenticatedRequest, **address: Any) -> HttpResponse:
    """Sign one form; of an assessment, that a physician confirms it."""
    place = place_for(request.user, **address)
    if place.row is None:
        raise Http404
    title = place.form.title
    way = crumbs(place.event, place.study, (title, form_url(place)), _("Your signature"))
    sign = partial(signing.sign_form, form=place.row)
    return _answer(request, Page(signable_form(place.row), sign, form_url(place), way))


@require_http_methods(["GET", "HEAD", "POST"])
def visit_page(request: AuthenticatedRequest, **address: Any) -> HttpResponse:
    """Sign a visit with all its forms and its date."""
    event = event_for(request.user, **address)
    if event._state.adding:
        raise Http404
    definition = definition_at(event.subject.site)
    way = [*crumbs(event, definition), {"label": _("Your signature"), "url": ""}]
    return _answer(
        request, Page(signable_visit(event), partial(signing.sign_visit, event=event), visit_url(event), way)
    )


@require_http_methods(["GET", "HEAD", "POST"])
def casebook_page(request: AuthenticatedRequest, study_oid: str, number: str) -> HttpResponse:
    """Sign all that is stored of a subject."""
    subject = subject_for(request.user, study_oid, number)
    way = [subject_crumb(subject), {"label": _("Sign the casebook"), "url": ""}]
    sign = partial(signing.sign_casebook, subject=subject)
    return _answer(request, Page(signable_casebook(subject), sign, reverse("subject", args=[study_oid, number]), way))


def _answer(request: AuthenticatedRequest, page: Page) -> HttpResponse:
    subject = page.signable.subject
    delegation = signing.check_signer(request.user, Task.SIGN, subject.site)
    problem = Problem()
    with timezone.override(subject.site.timezone):
        if request.method == "POST":
            try:
                signature = _sign(request, page)
            except PallsoftError as refusal:
                problem = problem_of(request, refusal)
                page = _anew(page)
            else:
                messages.success(request, _("Signed: %(what)s. %(at)s.") % _told(page, signature))
                return redirect(page.back)
        return render(request, "crf/sign.html", _context(request, page, delegation, problem), status=problem.status)


def _sign(request: AuthenticatedRequest, page: Page) -> Signature:
    meaning = _meaning(request.POST.get("meaning", ""))
    return page.sign(meaning=meaning, seen=request.POST.get("seen", ""), by=request.user, proof=proof_by(request))


def _anew(page: Page) -> Page:
    """As it stands now: what is shown beside a refusal is what the next attempt signs."""
    signable = page.signable
    if signable.form:
        form = FormData.objects.select_related("event").get(pk=signable.form.pk)
        form.subject = form.event.subject = signable.subject
        again = signable_form(form)
    elif signable.event:
        signable.event.refresh_from_db(fields=["happened_on", "not_done_reason"])
        again = signable_visit(signable.event)
    else:
        again = signable_casebook(signable.subject)
    return Page(again, page.sign, page.back, page.crumbs)


def _context(
    request: AuthenticatedRequest, page: Page, delegation: Delegation | None, problem: Problem
) -> dict[str, Any]:
    signable, subject = page.signable, page.signable.subject
    shown = [shown_form(row) for row in signable.rows]
    return signature_box(request, delegation, problem) | {
        "strip": strip_for(SubjectAnswers(subject, definition_at(subject.site)), request.user),
        "signable": signable,
        "visits": _by_visit(shown),
        "events": [(visit_words(event, signable), event) for event in sorted(signable.events, key=_day)],
        "open": len(shown) <= SHOWN_OPEN,
        "meanings": _meanings(request, signable),
        "seal": chain_head(subject.study_id).n,
        "zone": subject.site.timezone,
        "back_url": page.back,
        "crumbs": page.crumbs,
    }


def _day(event: StudyEvent) -> date:
    return event.happened_on or event.target_on or date.max


def visit_words(event: StudyEvent, signable: Signable) -> str:
    return visit_label(event, definition_at(signable.subject.site).event(event.event_oid))


def _meanings(request: AuthenticatedRequest, signable: Signable) -> list[Meaning]:
    assesses = signable.is_assessment and request.user.profession == Profession.PHYSICIAN
    return [Meaning.REVIEWED, *([Meaning.ASSESSED] if assesses else [])]


def _by_visit(shown: list[ShownForm]) -> list[tuple[str, list[ShownForm]]]:
    visits: dict[Any, list[ShownForm]] = {}
    for form in shown:
        visits.setdefault(form.row.event_id, []).append(form)
    return [(forms[0].visit, forms) for forms in visits.values()]


def _told(page: Page, signature: Signature) -> dict[str, str]:
    return {"what": page.signable.title, "at": Given(signature, None).at}


def _meaning(text: str) -> Meaning:
    if text not in (Meaning.REVIEWED, Meaning.ASSESSED):
        raise InvalidInput({"meaning": [_("Choose what your signature means.")]})
    return Meaning(text)
