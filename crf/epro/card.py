"""The printed card with a participant's link: shown once, as what is stored does not give the link back."""

from typing import Any

import segno
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_http_methods

from crf.answers import SubjectAnswers
from crf.epro.links import issue_link, may_issue
from crf.models import LinkChannel
from crf.selectors.crumbs import subject_crumb
from crf.selectors.loading import event_for
from crf.selectors.matrix import visit_label, visit_url
from crf.selectors.strip import strip_for
from pallsoft.accounts.request import AuthenticatedRequest
from sites.permissions import Permission, require
from sites.selectors import definition_at


@require_http_methods(["GET", "HEAD", "POST"])
def link_card(request: AuthenticatedRequest, **address: Any) -> HttpResponse:
    """First what the card is; a POST makes the link and shows the card, ready to be printed."""
    event = event_for(request.user, **address)
    subject = event.subject
    require(request.user, Permission.ENTER_DATA, subject.study, subject.site)
    answers = SubjectAnswers(subject, definition_at(subject.site))
    label = visit_label(event, answers.study.event(event.event_oid))
    context: dict[str, Any] = {"event": event, "subject": subject, "study": subject.study, "visit": label}
    if request.method == "POST":  # then without the strip: the year of birth opens the link, and the arm is nobody's
        issued = issue_link(event=event, channel=LinkChannel.CARD, by=request.user)
        context |= {"issued": issued, "code": _qr(issued.url)}
    else:
        context["strip"] = strip_for(answers, request.user)
    context |= {
        "crumbs": [subject_crumb(subject), {"label": label, "url": visit_url(event)}, {"label": "QR"}],
        "may_issue": may_issue(event),
    }
    response = render(request, "epro/card.html", context)
    response["Cache-Control"] = "no-store"
    return response


def _qr(url: str) -> SafeString:
    """As an SVG element. Error correction M: a card gets creased (ISO/IEC 18004)."""
    return mark_safe(
        segno.make(url, error="m").svg_inline(border=4, light="#fff", omitsize=True, svgclass="link-card-qr")
    )
