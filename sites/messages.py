"""Test messages to participants, at the moment of sending: still to be sent by the data of now, and what they say.

The text names the site as the sender and nothing about health, and says that BankID is never asked for (PRV-02).
"""

from django.utils import translation
from django.utils.translation import gettext as _

from pallsoft.outbox.models import Message
from pallsoft.outbox.registry import Mail, Sms, Undeliverable
from sites.models import Channel, Contact, Subject
from sites.participation import may_be_written_to
from sites.sealing import NotOurs
from sites.services.contact import ContactFacts, facts_of
from sites.services.holding import lock_subject


def by_sms(message: Message) -> bool:
    return bool(message.payload["channel"] == Channel.SMS)


def still_owed(message: Message) -> bool:
    """The subject's row stays locked until the message has left: a death comes before or after it, never between."""
    subject = lock_subject(_subject_of(message))
    contact = Contact.objects.filter(subject=subject, channels__contains=[message.payload["channel"]])
    return may_be_written_to(subject.pk) and contact.exists()


def render(message: Message) -> Mail | Sms:
    subject = _subject_of(message)
    facts = _facts(subject)
    with translation.override(facts.language):
        told = {"site": subject.site.name, "phone": subject.site.phone}
        body = _(
            "Test message from %(site)s. You need not do anything. "
            "We never ask for BankID or for your national identity number."
        )
        if subject.site.phone:
            body = f"{body} {_('Questions? Ring %(phone)s.')}"
        if by_sms(message):
            return Sms(facts.phone, body % told)
        return Mail(facts.mail, _("Test message from %(site)s") % told, body % told + "\n")


def _facts(subject: Subject) -> ContactFacts:
    try:
        return facts_of(Contact.objects.get(subject=subject))
    except NotOurs:
        raise Undeliverable from None


def _subject_of(message: Message) -> Subject:
    assert message.subject_id  # every message of this kind has one
    return Subject.objects.select_related("site").get(pk=message.subject_id)
