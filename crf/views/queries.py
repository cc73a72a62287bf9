"""Queries: the list of a study, and the threads at one item, as a page or beside what is being read."""

import uuid
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from crf.models import MessageKind, Query
from crf.selectors.item_queries import ItemQueries, item_queries_for
from crf.selectors.queries import (
    BOXES,
    boxes_of,
    counts_of,
    in_order,
    item_queries_url,
    query_for,
    threads_of,
    with_thread,
)
from crf.selectors.strip import strip_for
from crf.selectors.visible import visible_queries
from crf.services import answer_query, cancel_query, close_queries, close_query, raise_query, reopen_query
from crf.views.posted import key_of
from pallsoft.accounts.request import AuthenticatedRequest
from pallsoft.errors import InvalidInput, PallsoftError
from sites.clock import database_now
from sites.identity_guard import identity_numbers
from sites.permissions import Permission, require, require_anywhere, sites_for
from sites.selectors import study_for
from trials.models import Study

ON_A_PAGE = 50
NOT_IDENTITY = "not-identity"
TOLD = {
    MessageKind.ANSWER: gettext_lazy("The query is answered."),
    MessageKind.CLOSE: gettext_lazy("The query is closed."),
    MessageKind.REOPEN: gettext_lazy("The query is asked again."),
    MessageKind.CANCEL: gettext_lazy("The query is taken back."),
}


@require_http_methods(["GET", "HEAD", "POST"])
def query_list(request: AuthenticatedRequest, study_oid: str) -> HttpResponse:
    """`?box=` mine, waiting or closed; `?site=CODE`. POST closes the ticked ones together."""
    study = study_for(request.user, study_oid, Permission.VIEW_SUBJECT)
    error, ask_identity = "", False
    if request.method == "POST":
        require_anywhere(request.user, Permission.RAISE_QUERY, study)
        try:
            closed = _closed_together(request, study)
        except PallsoftError as refusal:
            error, status = refusal.message, refusal.status
            ask_identity = isinstance(refusal, InvalidInput) and NOT_IDENTITY in refusal.errors
        else:
            told = ngettext("%(n)s query is closed.", "%(n)s queries are closed.", len(closed)) % {"n": len(closed)}
            messages.success(request, told)
            return redirect(request.get_full_path())
    context = _list_context(request, study) | {
        "error": error,
        "ask_identity": ask_identity,
        "reason": request.POST.get("reason", ""),
    }
    return render(request, "crf/queries.html", context, status=status if error else 200)


def _list_context(request: AuthenticatedRequest, study: Study) -> dict[str, Any]:
    user, sites = request.user, list(sites_for(request.user, study, Permission.VIEW_SUBJECT))
    queries = visible_queries(user, study)
    site = request.GET.get("site", "")
    if site:
        queries = queries.filter(subject__site__code=site)
    box = request.GET.get("box", "")
    box = box if box in BOXES else BOXES[0]
    chosen = queries.filter(boxes_of(user, study)[box])
    chosen = chosen.order_by("-opened_at", "pk") if box == "closed" else in_order(chosen)
    page = Paginator(with_thread(chosen), ON_A_PAGE).get_page(request.GET.get("page"))
    threads = threads_of(page.object_list, user, study, database_now())
    return {
        "study": study,
        "box": box,
        "counts": counts_of(user, study, queries),
        "sites": sites,
        "site": site,
        "page": page,
        "threads": threads,
        "may_close": any(thread.is_closable for thread in threads),
        "ticked": set(request.POST.getlist("query")),
    }


def _closed_together(request: AuthenticatedRequest, study: Study) -> list[Query]:
    wanted = [key for text in request.POST.getlist("query") if (key := _uuid(text))]
    if not wanted:
        raise InvalidInput({"query": [_("Tick the queries to close.")]})
    reason = request.POST.get("reason", "")
    _check_identity(request, reason)
    found = visible_queries(request.user, study).filter(pk__in=wanted).select_related("subject__site", "study")
    return close_queries(queries=list(found), reason=reason, by=request.user)


@require_http_methods(["GET", "HEAD", "POST"])
def item_queries(request: AuthenticatedRequest, **address: Any) -> HttpResponse:
    """All threads at an item; POST raises a new query there."""
    at = item_queries_for(request.user, **address)
    if request.method != "POST":
        return _panel(request, at)
    require(request.user, Permission.RAISE_QUERY, at.subject.study, at.subject.site)
    try:
        text = request.POST.get("text", "")
        _check_identity(request, text)
        raise_query(
            event=at.event,
            form_oid=at.form_oid,
            repeat_key=at.repeat_key,
            item_oid=at.item.oid,
            text=text,
            key=key_of(request.POST.get("key", "")),
            by=request.user,
            assigned_role=request.POST.get("assigned_role", ""),
        )
    except PallsoftError as refusal:
        return _panel(request, at, refusal)
    return _done(request, at, _("The query is raised."))


@require_http_methods(["GET", "HEAD", "POST"])
def query_step(request: AuthenticatedRequest, study_oid: str, query_id: UUID) -> HttpResponse:
    """One step of a thread; its own address leads to the item."""
    query = query_for(request.user, study_oid, query_id)
    if request.method != "POST":
        return redirect(f"{item_queries_url(query)}#query-{query.pk}")
    event = query.event
    at = item_queries_for(
        request.user,
        study_oid=study_oid,
        number=query.subject.number,
        event_oid=event.event_oid,
        ordinal=event.ordinal,
        form_oid=query.form_oid,
        repeat_key=query.repeat_key,
        item_oid=query.item_oid,
    )
    text = request.POST.get("text", "")
    try:
        _check_identity(request, text)
        _take_step(request, query, text)
    except PallsoftError as refusal:
        if refusal.status == 403:
            raise
        return _panel(request, at, refusal, query)
    return _done(request, at, str(TOLD[MessageKind(request.POST["act"])]))


def _take_step(request: AuthenticatedRequest, query: Query, text: str) -> None:
    match request.POST.get("act"):
        case MessageKind.ANSWER:
            answer_query(query=query, text=text, by=request.user)
        case MessageKind.CLOSE:
            close_query(query=query, reason=text, by=request.user)
        case MessageKind.REOPEN:
            reopen_query(query=query, reason=text, by=request.user)
        case MessageKind.CANCEL:
            cancel_query(query=query, reason=text, by=request.user)
        case _:
            raise InvalidInput({"": [_("Choose what to do with the query.")]})


def _check_identity(request: AuthenticatedRequest, text: str) -> None:
    """A national identity number is asked about before it is stored (PRV-07)."""
    if NOT_IDENTITY not in request.POST and identity_numbers(text):
        told = _("This looks like a national identity number. Take it out; or tick that it is none, and save again.")
        raise InvalidInput({NOT_IDENTITY: [told]})


def _done(request: AuthenticatedRequest, at: ItemQueries, told: str) -> HttpResponse:
    """Said after the commit. Beside a form or a list, the panel is drawn anew and what it changed with it."""
    if "HX-Request" in request.headers:
        response = _panel(request, item_queries_for(request.user, **at.address), told=told)
        response["HX-Trigger"] = "queries-changed"
        return response
    messages.success(request, told)
    return redirect(at.url)


def _panel(
    request: AuthenticatedRequest,
    at: ItemQueries,
    refusal: PallsoftError | None = None,
    query: Query | None = None,
    told: str = "",
) -> HttpResponse:
    """`query`: the one that was refused a step; None with a refusal: the new one."""
    within = "HX-Request" in request.headers
    context: dict[str, Any] = {
        "at": at,
        "study": at.subject.study,
        "key": key_of(request.POST.get("key", "")) if refusal else uuid.uuid4(),
        "refused": {"id": query.pk if query else "new", "text": request.POST.get("text", "")} if refusal else {},
        "errors": [_error(refusal, query, request.POST.get("act", ""))] if refusal else [],
        "ask_identity": isinstance(refusal, InvalidInput) and NOT_IDENTITY in refusal.errors,
        "chosen_role": request.POST.get("assigned_role", ""),
        "told": told,
        "within": within,
        "beside_form": urlsplit(request.headers.get("HX-Current-URL", "")).path == at.form_url,
    }
    if not within:
        context["strip"] = strip_for(at.answers, request.user)
    with timezone.override(at.subject.site.timezone):
        name = "crf/_threads.html" if within else "crf/item_queries.html"
        return render(request, name, context, status=refusal.status if refusal else 200)


def _error(refusal: PallsoftError, query: Query | None, act: str) -> dict[str, str]:
    """For the summary: the field that was typed into, by its own label."""
    if query is None:
        return {"target": "typed-text", "label": _("Your question"), "text": refusal.message}
    label = _("Your answer") if act == MessageKind.ANSWER else _("Reason")
    return {"target": f"text-{query.pk}", "label": label, "text": refusal.message}


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
