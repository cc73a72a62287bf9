"""The participant's pages: nothing of the staff's, one question each, useful without JavaScript (S07, S08).

A GET changes nothing, so that a mail scanner uses nothing up. Who has no link, or a link that ended, gets the same
page whatever was wrong.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from crf.entry.document import Document
from crf.entry.posted import read_posted
from crf.epro import answering
from crf.epro.devices import device_of
from crf.epro.guessing import count_wrong_token
from crf.epro.links import link_for, locked_until, try_to_open
from crf.epro.page import question_page
from crf.epro.questionnaire import row_of
from crf.models import Answerer, PersonalLink, StopWish
from pallsoft.accounts.idle import open_while_locked
from pallsoft.errors import InvalidInput, PallsoftError
from sites.clock import local_today

COOKIE, PATH, HOURS = "patient", "/q/", 2
View = Callable[..., HttpResponse]


def participant_page(view: View) -> View:
    """With the link of the token; before its year of birth is given, only `gate` is shown."""

    @login_not_required
    @open_while_locked
    @require_http_methods(["GET", "HEAD", "POST"])
    @wraps(view)
    def shown(request: HttpRequest, token: str, **place: Any) -> HttpResponse:
        link = link_for(token)
        if link is None:
            return lost(request)
        with timezone.override(link.subject.site.timezone):
            if view is not gate_page and not is_open(request, link):
                response: HttpResponse = redirect("link", token=token)
            else:
                response = _answered(view, request, link, token, place)
        return _private(response)

    return shown


def is_open(request: HttpRequest, link: PersonalLink) -> bool:
    """Was the year of birth given on this device, not long ago?"""
    return request.get_signed_cookie(COOKIE, default="", salt=COOKIE, max_age=HOURS * 3600) == str(link.pk)


def gate_page(request: HttpRequest, link: PersonalLink, token: str) -> HttpResponse:
    """The year of birth; then where to begin or go on."""
    if is_open(request, link):
        return _begin(request, link, token)
    wrong = False
    if request.method == "POST":
        if try_to_open(link, request.POST.get("year", "")):
            response = redirect("link", token=token)
            response.set_signed_cookie(
                COOKIE, str(link.pk), salt=COOKIE, max_age=HOURS * 3600, path=PATH,
                secure=settings.SECURE, httponly=True, samesite="Lax",
            )  # fmt: skip
            return response
        wrong = True
    context = {"locked": locked_until(link), "wrong": wrong}
    return _page(request, "epro/year.html", link, token, context, 422 if wrong else 200)


def question_view(request: HttpRequest, link: PersonalLink, token: str, n: int) -> HttpResponse:
    """Question n: the answer is saved, then the next one comes. `act=stop`: the participant has no strength left."""
    if link.answered_by is None or answering.is_finished(link):
        return redirect("link", token=token)
    asked = answering.questionnaire_of(link)
    if not 1 <= n <= len(asked.questions):
        return redirect("link-hand-in", token=token)
    errors: list[str] = []
    typed = None
    if request.method == "POST":
        question = next((one for one in asked.questions if one.item.oid == request.POST.get("item")), None)
        if question is None:  # it is asked no more: another answer has made it needless
            return redirect("link-question", token=token, n=min(asked.open_at, len(asked.questions)))
        n = asked.questions.index(question) + 1
        row = row_of(asked.answers, asked.event, question.form.oid)
        stored = Document(row.data, row.marks) if row else Document()
        posted = read_posted(question.study, question.form, request.POST, stored, timezone.get_current_timezone())
        errors = posted.errors.get(question.item.oid, [])
        given = posted.answers.get(question.item.oid)
        if not errors and not question.item.required and not given:
            return redirect("link-question", token=token, n=n + 1)
        if not errors and given:
            try:
                answering.answer(link=link, question=question, given=given)
            except InvalidInput as refusal:
                errors = [text for texts in refusal.errors.values() for text in texts]
            else:
                return redirect("link-question", token=token, n=n + 1)
        errors = errors or [_("Choose an answer, or say that you would rather not answer.")]
        typed = posted.typed.get(question.item.oid)
    page = question_page(asked, n, typed, errors)
    return _page(request, "epro/question.html", link, token, page, 422 if errors else 200)


def hand_in_view(request: HttpRequest, link: PersonalLink, token: str) -> HttpResponse:
    asked = answering.questionnaire_of(link)
    if answering.is_finished(link):
        return redirect("link", token=token)
    if asked.open_at <= len(asked.questions):
        return redirect("link-question", token=token, n=asked.open_at)
    if request.method == "POST":
        answering.hand_in(link=link)
        return redirect("link", token=token)
    return _page(request, "epro/hand_in.html", link, token, {"last": len(asked.questions)})


def pause_view(request: HttpRequest, link: PersonalLink, token: str) -> HttpResponse:
    """Where one is told that all is kept, and how to go on later."""
    response = _page(request, "epro/pause.html", link, token, {})
    response.delete_cookie(COOKIE, path=PATH)
    return response


def stop_view(request: HttpRequest, link: PersonalLink, token: str) -> HttpResponse:
    """POST: end this questionnaire; then `wish=today|for_good`."""
    if request.method == "POST" and "wish" in request.POST:
        if request.POST["wish"] in StopWish.values:
            answering.wish(link=link, stop=StopWish(request.POST["wish"]))
        return redirect("link", token=token)
    if request.method == "POST" and not answering.is_finished(link):
        answering.give_up(link=link)
        return redirect("link-stop", token=token)
    if not answering.is_finished(link) or link.stop_wish:
        return redirect("link", token=token)
    return _page(request, "epro/stopped.html", link, token, {})


gate = participant_page(gate_page)
question = participant_page(question_view)
hand_in = participant_page(hand_in_view)
pause = participant_page(pause_view)
stop = participant_page(stop_view)


@login_not_required
@open_while_locked
def lost(request: HttpRequest, rest: str = "") -> HttpResponse:
    """One kind sentence in both languages, whatever was wrong with the link. 200: there is nothing to be found out."""
    count_wrong_token(request)
    return _private(render(request, "epro/lost.html"))


def _begin(request: HttpRequest, link: PersonalLink, token: str) -> HttpResponse:
    """Before the first question, between two sittings, and after the last."""
    if answering.is_finished(link):
        return _page(request, "epro/thanks.html", link, token, {})
    opens = link.event.window_from
    if opens and local_today(link.subject.site.timezone) < opens:
        return _page(request, "epro/early.html", link, token, {"opens": opens})
    asked = answering.questionnaire_of(link)
    if not asked.questions:  # the staff has entered the answers meanwhile
        return _page(request, "epro/thanks.html", link, token, {})
    if request.method == "POST" and request.POST.get("who") in Answerer.values:
        who = Answerer(request.POST["who"])
        answering.begin(link=link, who=who, device=device_of(request.headers.get("User-Agent", "")))
        return redirect("link-question", token=token, n=asked.open_at)
    number = len(asked.questions)
    context = {"begun": asked.open_at > 1, "left": number - asked.open_at + 1, "number": number}
    return _page(request, "epro/begin.html", link, token, context)


def _answered(view: View, request: HttpRequest, link: PersonalLink, token: str, place: dict[str, Any]) -> HttpResponse:
    """A refusal is told kindly; its own sentence is for the staff, and may name one of them."""
    try:
        return view(request, link, token, **place)
    except PallsoftError as refusal:
        return _page(request, "epro/refused.html", link, token, {}, refusal.status)


def _page(
    request: HttpRequest, template: str, link: PersonalLink, token: str, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    about = {"link": link, "token": token, "test": link.subject.study.mode == "test", "site": link.subject.site}
    return render(request, template, about | context, status=status)


def _private(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    response["X-Robots-Tag"] = "noindex"
    return response
