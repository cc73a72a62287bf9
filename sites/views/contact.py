"""Contact data of a participant, for those who enter data at the site; for everybody else there is no such page."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from pallsoft.accounts.request import AuthenticatedRequest
from pallsoft.errors import NotPermitted
from sites import services
from sites.contact_form import ContactForm
from sites.messages import told
from sites.models import Channel, Contact, Subject
from sites.permissions import Permission
from sites.sealing import NotOurs
from sites.selectors import subject_for
from sites.services.contact import ContactFacts, facts_of, may_be_kept, sendable, sent_tests_of
from sites.submitting import submitted

SHOWN = 5


@require_http_methods(["GET", "HEAD", "POST"])
def contact_page(request: AuthenticatedRequest, study_oid: str, number: str) -> HttpResponse:
    """What is stored, to be changed or (`act=delete`) deleted, and when it was. `act=test`: a message by `channel`."""
    subject = _subject_of(request, study_oid, number)
    if request.method == "POST" and request.POST.get("act") == "delete":
        services.delete_contact(subject=subject, by=request.user)
        messages.success(request, _("The contact data are deleted."))
        return redirect("contact", study_oid=study_oid, number=number)
    if request.method == "POST" and request.POST.get("act") == "test":
        _send_test(request, subject)
        return redirect("contact", study_oid=study_oid, number=number)
    contact = Contact.objects.filter(subject=subject).first()
    facts, unreadable = _read(contact)
    form = ContactForm(request.POST or None, site=subject.site, stored=facts)
    if form.is_valid() and submitted(form, lambda: _keep(subject, form, request)):
        messages.success(request, _("The contact data are saved."))
        return redirect("contact", study_oid=study_oid, number=number)
    context = {
        "study": subject.study,
        "subject": subject,
        "form": form,
        "stored": contact,
        "unreadable": unreadable,
        "may_be_kept": may_be_kept(subject),
        "channels": [one for one in sendable() if contact and one in contact.channels],
        "tests": [told(message) for message in sent_tests_of(subject)[:SHOWN]],
        "changes": subject.contact_changes.select_related("created_in").order_by("-created_in__at"),
    }
    return render(request, "sites/contact.html", context, status=422 if form.errors else 200)


def _subject_of(request: AuthenticatedRequest, study_oid: str, number: str) -> Subject:
    """Who may not see contact data anywhere is not told that there could be any."""
    try:
        return subject_for(request.user, study_oid, number, Permission.KEEP_CONTACT)
    except NotPermitted:
        raise Http404 from None


def _send_test(request: AuthenticatedRequest, subject: Subject) -> None:
    channel = request.POST.get("channel", "")
    if channel in Channel.values:
        services.send_test_message(subject=subject, channel=Channel(channel), by=request.user)
        messages.success(request, _("The test message is on its way."))


def _read(contact: Contact | None) -> tuple[ContactFacts | None, bool]:
    """What is stored, and whether it is and cannot be read."""
    try:
        return (facts_of(contact) if contact else None), False
    except NotOurs:
        return None, True


def _keep(subject: Subject, form: ContactForm, request: AuthenticatedRequest) -> bool:
    services.keep_contact(subject=subject, facts=form.facts(), by=request.user)
    return True
