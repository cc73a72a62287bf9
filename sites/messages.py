"""Messages to participants, at the moment of sending: still to be sent by the data of now, and what they say.

The text names the site as the sender and nothing about health, and says that BankID is never asked for (PRV-02).
"""

from dataclasses import dataclass
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pallsoft.outbox.models import Message, State
from pallsoft.outbox.registry import Mail, Sms, Undeliverable
from sites.models import Channel, Contact, Subject
from sites.participation import may_be_written_to
from sites.sealing import NotOurs
from sites.services.contact import ContactFacts, facts_of
from sites.services.holding import lock_subject

STATES = {
    State.DUE: gettext_lazy("on its way"),
    State.SENT: gettext_lazy("sent"),
    State.DROPPED: gettext_lazy("not sent"),
    State.CANCELLED: gettext_lazy("not sent"),
    State.DEAD: gettext_lazy("not delivered: check the number or the address"),
}


@dataclass(frozen=True)
class Said:
    """`heading`: the subject line of a mail."""

    heading: str
    sentences: list[str]


def by_sms(message: Message) -> bool:
    return bool(message.payload["channel"] == Channel.SMS)


def still_owed(message: Message) -> bool:
    """The subject's row stays locked until the message has left: a death comes before or after it, never between."""
    return may_get(lock_subject(subject_of(message)), Channel(message.payload["channel"]))


def may_get(subject: Subject, channel: Channel) -> bool:
    """By the row that is locked: still written to, and by this way."""
    contact = Contact.objects.filter(subject=subject, channels__contains=[channel])
    return may_be_written_to(subject.pk) and contact.exists()


def render(message: Message) -> Mail | Sms:
    subject = subject_of(message)
    facts = readable(subject)
    with translation.override(facts.language):
        site = {"site": subject.site.name}
        heading = _("Test message from %(site)s") % site
        channel = Channel(message.payload["channel"])
        return written(channel, subject, facts, Said(heading, [f"{heading}.", _("You need not do anything.")]))


def readable(subject: Subject) -> ContactFacts:
    """Raises Undeliverable when the key of the contact data is gone."""
    try:
        return facts_of(Contact.objects.get(subject=subject))
    except NotOurs:
        raise Undeliverable from None


def written(channel: Channel, subject: Subject, facts: ContactFacts, said: Said) -> Mail | Sms:
    """In the language in force: what is said, then what every message to a participant ends with."""
    sentences = [*said.sentences, _("We never ask for BankID or for your national identity number.")]
    if subject.site.phone:
        sentences.append(_("Questions? Ring %(phone)s.") % {"phone": subject.site.phone})
    if channel == Channel.SMS:
        return Sms(facts.phone, " ".join(sentences))
    return Mail(facts.mail, said.heading, "\n\n".join(sentences) + "\n")


def told(message: Message) -> dict[str, Any]:
    """How it stands, for the site. `at`: when it was sent, else when it was to be."""
    return {
        "channel": Channel(message.payload["channel"]).label,
        "state": STATES[State(message.state)],
        "at": message.sent_at or message.due_at,
    }


def subject_of(message: Message) -> Subject:
    assert message.subject_id  # every message to a participant has one
    return Subject.objects.select_related("site").get(pk=message.subject_id)
