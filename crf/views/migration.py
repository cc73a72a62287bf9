"""Taking a form that was begun to the version that its site uses now: what comes of it is shown before."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from crf.selectors.form_page import form_url
from crf.selectors.loading import place_for
from crf.selectors.migration import move_of, newer_version
from crf.selectors.strip import strip_for
from crf.services import migrate_form
from pallsoft.accounts.request import AuthenticatedRequest
from pallsoft.errors import InvalidInput, NotAllowedNow
from sites.permissions import Permission, require


@require_http_methods(["GET", "HEAD", "POST"])
def form_migrate(request: AuthenticatedRequest, **address: Any) -> HttpResponse:
    """POST `reason`."""
    place = place_for(request.user, **address)
    require(request.user, Permission.MOVE_FORM, place.subject.study, place.subject.site)
    version = newer_version(place)
    if place.row is None or version is None:
        raise Http404
    errors: list[dict[str, Any]] = []
    if request.method == "POST":
        try:
            migrate_form(form=place.row, by=request.user, reason=request.POST.get("reason", ""))
        except (InvalidInput, NotAllowedNow) as refusal:
            errors = [{"target": "id_reason", "label": _("Reason"), "text": refusal.message}]
        else:
            messages.success(request, _("The form is read by version %(n)s now.") % {"n": version.number})
            return redirect(form_url(place))
    context = {
        "place": place,
        "move": move_of(place, version, request.user),
        "strip": strip_for(place.answers, request.user),
        "errors": errors,
        "reason": request.POST.get("reason", ""),
        "back_url": form_url(place),
    }
    return render(request, "crf/migrate.html", context, status=422 if errors else 200)
