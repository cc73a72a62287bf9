"""How a participant gets a link: on a card, shown once as what is stored does not give it back, or in a message."""

from typing import Any

import segno
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from crf.answers import SubjectAnswers
from crf.epro.links import issue_link, may_issue
from crf.epro.sending import send_link, sent_links_of
from crf.models import LinkChannel, StudyEvent
from crf.selectors.crumbs import subject_crumb
from crf.selectors.loading import event_for
from crf.selectors.matrix import visit_label, visit_url
from crf.selectors.strip import strip_for
from pallsoft.accounts.request import AuthenticatedRequest
from sites.messages import told
from sites.models import Channel
from sites.permissions import Permission, require
from sites.selectors import definition_at
from sites.services.contact import agreed_channels, sendable

SHOWN = 5


@require_http_methods(["GET", "HEAD", "POST"])
def link_card(request: AuthenticatedRequest, **address: Any) -> HttpResponse:
    """First the ways; a POST makes the card and shows it, ready to be printed. `act=send`: a message by `channel`."""
    event = event_for(request.user, **address)
    subject = event.subject
    require(request.user, Permission.ENTER_DATA, subject.study, subject.site)
    if request.method == "POST" and request.POST.get("act") == "send":
        _send(request, event)
        back: HttpResponse = redirect("link-card", **address)
        return back
    answers = SubjectAnswers(subject, definition_at(subject.site))
    label = visit_label(event, answers.study.event(event.event_oid))
    context: dict[str, Any] = {"event": event, "subject": subject, "study": subject.study, "visit": label}
    if request.method == "POST":  # then without the strip: the year of birth opens the link, and the arm is nobody's
        issued = issue_link(event=event, channel=LinkChannel.CARD, by=request.user)
        context |= {"issued": issued, "code": _qr(issued.url)}
    else:
        agreed = agreed_channels(subject)
        context |= {
            "strip": strip_for(answers, request.user),
            "channels": [one for one in sendable() if one in agreed],
            "sent": [told(message) for message in sent_links_of(event)[:SHOWN]],
        }
    context |= {
        "crumbs": [subject_crumb(subject), {"label": label, "url": visit_url(event)}, {"label": _("Link")}],
        "may_issue": may_issue(event),
    }
    response = render(request, "epro/card.html", context)
    response["Cache-Control"] = "no-store"
    return response


def _send(request: AuthenticatedRequest, event: StudyEvent) -> None:
    channel = request.POST.get("channel", "")
    if channel in Channel.values:
        send_link(event=event, channel=Channel(channel), by=request.user)
        messages.success(request, _("The link is on its way."))


def _qr(url: str) -> SafeString:
    """As an SVG element. Error correction M: a card gets creased (ISO/IEC 18004)."""
    return mark_safe(
        segno.make(url, error="m").svg_inline(border=4, light="#fff", omitsize=True, svgclass="link-card-qr")
    )
