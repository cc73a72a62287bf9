"""Form entry: read what was typed, save it, or show it again with what a person has to do. Nothing typed is lost."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from crf.entry.drafted import item_names
from crf.entry.interruptions import AnswersNeeded, EditConflict
from crf.entry.posted import Posted, read_posted
from crf.entry.refusal import Refused
from crf.policies import check_may_be_asked
from crf.safety.exchange import event_reports
from crf.selectors import signatures
from crf.selectors.copying import copied_answers, earlier_one, last_time
from crf.selectors.crumbs import crumbs
from crf.selectors.drafts import Kept, kept_draft, texts_of
from crf.selectors.form_page import FormPage, add_errors, form_page, form_url, read_back
from crf.selectors.loading import place_for
from crf.selectors.matrix import visit_label, visit_url
from crf.selectors.meanwhile import changed_by_me
from crf.selectors.place import Place
from crf.selectors.questions import conflict_panel, questions_panel
from crf.selectors.strip import strip_for
from crf.selectors.visit import next_url
from crf.services import SaveResult, save_form
from crf.views.as_of import form_as_of, is_asked
from crf.views.posted import key_of, observed_at_of, page_of, whole, why_of
from pallsoft.accounts.request import AuthenticatedRequest
from pallsoft.errors import InvalidInput, PallsoftError
from pallsoft.templatetags.ui import clock
from sites.identity_guard import identity_numbers
from sites.permissions import Permission, require

KEEP = "keep-"
NOT_IDENTITY = "not-identity"
AROUND = ("preview", "patient", "trail", "void", "migrate", "next", "draft", "draft-discard")
PATIENT = "crf/patient.html"


@require_http_methods(["GET", "HEAD", "POST"])
def form_entry(request: AuthenticatedRequest, **address: Any) -> HttpResponse:
    """One form of one visit, for the staff."""
    place = place_for(request.user, **address)
    if request.method == "POST":
        return _submitted(request, place, address, "crf/form.html")
    if is_asked(request):
        return form_as_of(request, place, address)
    return _opened(request, place, "crf/form.html")


@require_http_methods(["GET", "HEAD", "POST"])
def patient_entry(request: AuthenticatedRequest, **address: Any) -> HttpResponse:
    """The same form handed to the patient: nothing but the questions on the page."""
    place = place_for(request.user, **address)
    require(request.user, Permission.ENTER_DATA, place.subject.study, place.subject.site)
    check_may_be_asked(place.answers.participation)
    if request.method == "POST":
        return _submitted(request, place, address, PATIENT)
    return _opened(request, place, PATIENT)


@require_POST
def preview(request: AuthenticatedRequest, **address: Any) -> HttpResponse:
    """What the rules say of what is typed so far; nothing is stored. Sends only what the browser shows otherwise."""
    place = place_for(request.user, **address)
    page = form_page(place, request.user, _read(request.POST, place))
    if "patient" in request.GET:
        page = page.for_patient()
    before = set(request.POST.get("shown", "").split())
    differing = [item for item in page.items if item["derived"] or item["hidden"] is (item["oid"] in before)]
    return _rendered(request, page, "crf/form_preview.html", 200, {"items": differing})


def _opened(request: AuthenticatedRequest, place: Place, template: str) -> HttpResponse:
    """The form with what this person typed in it and did not save, or with values to be copied here."""
    copied = copied_answers(request.user, place, request.GET.get("from", ""))
    kept = None if copied or "empty" in request.GET else kept_draft(place, request.user)
    if kept:
        return _shown_draft(request, place, kept, template)
    panel = {"copied": bool(copied), "earlier": None if template == PATIENT else earlier_one(place)}
    return _shown(request, form_page(place, request.user, copied), template, panel=panel)


def _shown_draft(request: AuthenticatedRequest, place: Place, kept: Kept, template: str) -> HttpResponse:
    """What others saved meanwhile stands beside it; where nothing can be entered any more it is there to be read."""
    posted = kept.posted
    panel: dict[str, Any] = {"kept": kept}
    try:
        changed_by_me(place, posted.answers, kept.base_version)
    except EditConflict as conflict:
        posted = posted.without(set(posted.answers) - set(conflict.mine))
        panel |= conflict_panel(place, conflict)
    page = form_page(place, request.user, posted)
    if not page.may_enter:
        page, panel = form_page(place, request.user), {"kept": kept, "unsaved": texts_of(place, kept)}
    page.tab, page.opened, page.observed_at = kept.tab or page.tab, kept.opened, kept.observed_at
    return _shown(request, page, template, panel=panel)


def _submitted(request: AuthenticatedRequest, place: Place, address: dict[str, Any], template: str) -> HttpResponse:
    posted = _read(request.POST, place)
    seen_version = whole(request.POST.get("seen_version", ""))
    page = _again(request, form_page(place, request.user, posted, seen_version))
    try:
        result = _save(request, place, posted, seen_version, template)
    except InvalidInput as refusal:
        page.ask_identity = NOT_IDENTITY in request.POST or bool(_identity_errors(place, posted))
        add_errors(page, refusal.errors)
        return _shown(request, page, template, refusal.status)
    except AnswersNeeded as needed:
        return _shown_questions(request, page, needed, template)
    except EditConflict as conflict:
        return _shown_conflict(request, posted, conflict, address, template)
    except PallsoftError as refusal:
        page.errors = [{"text": refusal.message}]
        return _shown(request, page, template, refusal.status)
    return _saved(request, place, result, address, template)


def _again(request: AuthenticatedRequest, page: FormPage) -> FormPage:
    """The same page, shown once more."""
    before = page_of(request.POST)
    page.tab, page.opened = before.tab or page.tab, before.opened
    page.observed_at = request.POST.get("observed_at", "")
    return page


def _save(request: AuthenticatedRequest, place: Place, posted: Posted, seen_version: int, template: str) -> SaveResult:
    errors = dict(posted.errors)
    errors |= _identity_errors(place, posted) if NOT_IDENTITY not in request.POST else {}
    observed_at = None
    try:
        observed_at = observed_at_of(request.POST, place)
    except Refused as refusal:
        errors["observed_at"] = [refusal.sentence]
    if errors:
        raise InvalidInput(errors)
    return save_form(
        event=place.event,
        form_oid=place.form.oid,
        repeat_key=place.repeat_key,
        values=posted.values,
        missing=posted.missing,
        entered=posted.entered,
        seen_version=seen_version,
        key=key_of(request.POST.get("key", "")),
        by=request.user,
        reason=request.POST.get("reason", ""),
        why=why_of(request.POST),
        observed_at=observed_at,
        page=page_of(request.POST, _patients_fields(place) if template == PATIENT else None),
    )


def _patients_fields(place: Place) -> frozenset[str]:
    groups = (group for group in place.form.groups if not group.by_staff)
    return item_names(item.oid for group in groups for item in group.items)


def _shown_questions(
    request: AuthenticatedRequest, page: FormPage, needed: AnswersNeeded, template: str
) -> HttpResponse:
    """With the explanations that were typed before, here or in a page that was lost."""
    kept = kept_draft(page.place, request.user)
    posted = {oid: text for oid, text in why_of(request.POST).items() if text}
    panel = questions_panel(page.place, needed, (kept.why if kept else {}) | posted)
    panel["reason"] = request.POST.get("reason", "") or (kept.reason if kept else "")
    return _shown(request, page, template, needed.status, panel)


def _saved(
    request: AuthenticatedRequest, place: Place, result: SaveResult, address: dict[str, Any], template: str
) -> HttpResponse:
    """Said after the commit (DAT-01)."""
    stored = place_for(request.user, **(address | {"repeat_key": result.repeat_key}))
    if template == PATIENT:
        return redirect(form_url(stored, "form-thanks"))
    with timezone.override(place.zone):
        messages.success(request, _("Saved %(time)s.") % {"time": clock(datetime.fromisoformat(result.saved_at))})
    for sentence in read_back(stored):
        messages.info(request, sentence)
    if request.POST.get("go") == "next":
        return redirect(next_url(stored, request.user) or visit_url(stored.event))
    return redirect(form_url(stored))


def _shown_conflict(
    request: AuthenticatedRequest, posted: Posted, conflict: EditConflict, address: dict[str, Any], template: str
) -> HttpResponse:
    """The form as it stands now with only this person's own changes typed into it, and the clashing ones on top."""
    place = place_for(request.user, **address)
    mine = posted.without(set(posted.typed) - set(conflict.mine))
    page = _again(request, form_page(place, request.user, mine, conflict.version))
    return _shown(request, page, template, conflict.status, conflict_panel(place, conflict))


def _shown(
    request: AuthenticatedRequest, page: FormPage, template: str, status: int = 200, panel: dict[str, Any] | None = None
) -> HttpResponse:
    if template == PATIENT:
        page = page.for_patient()
    more: dict[str, Any] = {"reason": request.POST.get("reason", ""), "observed_at": page.observed_at}
    if template != PATIENT:
        more["strip"], more["recall"] = strip_for(page.place.answers, request.user), last_time(page.place)
        signed, url = page.place.answers.around.signatures, f"{form_url(page.place)}sign/"
        more["exchange"] = event_reports(page.place, request.user)
        more["signing"] = signatures.of_form(page.place.row, request.user, url, signed=signed)
    return _rendered(request, page, template, status, more | (panel or {}))


def _rendered(
    request: AuthenticatedRequest, page: FormPage, template: str, status: int, more: dict[str, Any]
) -> HttpResponse:
    place = page.place
    context = {
        "page": page,
        "place": place,
        "visit": visit_label(place.event, place.study.event(place.event.event_oid)),
        "urls": {"form": form_url(place)}
        | {name.replace("-", "_"): form_url(place, f"form-{name}") for name in AROUND}
        | {"serious_event": form_url(place, "serious-event-paper"), "event_reports": form_url(place, "event-reports")},
        "crumbs": crumbs(place.event, place.study, page.title),
    }
    with timezone.override(place.zone):
        return render(request, template, context | more, status=status)


def _read(post: QueryDict, place: Place) -> Posted:
    kept = {name.removeprefix(KEEP) for name, value in post.items() if name.startswith(KEEP) and value == "theirs"}
    return read_posted(place.study, place.form, post, place.current, place.zone).without(kept)


def _identity_errors(place: Place, posted: Posted) -> dict[str, list[str]]:
    """A national identity number in free text is asked about before it is stored (PRV-07)."""
    texts = {item.oid for item in place.form.items if item.kind == "text"}
    return {
        oid: [_("This looks like a national identity number. Take it out; or tick that it is none, and save again.")]
        for oid, value in posted.values.items()
        if oid in texts and value != place.current.given(oid).value and identity_numbers(value)
    }
