"""A personal link that goes by mail or text message: asked for by the site, made at the moment of sending (S07).

Its token follows from the message by a key that the database does not have. So it stands nowhere in clear, and a
message that is sent twice, by a relay that was killed or a gateway that answered too late, says the same both times.
"""

from base64 import urlsafe_b64encode

from django.db.models import QuerySet
from django.utils import translation
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from crf.epro.links import BITS, check_can_be_asked, issue_link, may_issue
from crf.models import LinkChannel, StudyEvent
from pallsoft.accounts.models import User
from pallsoft.outbox.models import Message
from pallsoft.outbox.registry import Mail, Sms
from pallsoft.outbox.services import message_id, owe
from sites.messages import Said, may_get, readable, subject_of, written
from sites.models import Channel
from sites.permissions import Permission
from sites.services.contact import check_can_be_sent
from sites.services.holding import changing, lock_subject

LINK = "crf.link"


def send_link(*, event: StudyEvent, channel: Channel, by: User) -> None:
    """Raises NotPermitted, NotAllowedNow."""
    with changing(event.subject, permission=Permission.KEEP_CONTACT, by=by, action="crf.send_link") as (
        subject,
        _change,
    ):
        event.subject = subject
        check_can_be_asked(event)
        check_can_be_sent(subject, channel)
        owe(
            kind=LINK,
            recipient_id=subject.pk,
            study_id=subject.study_id,
            subject_id=subject.pk,
            event_id=event.pk,
            ordinal=sent_links_of(event).count() + 1,
            payload={"channel": channel},
        )


def sent_links_of(event: StudyEvent) -> QuerySet[Message]:
    """The newest first."""
    return Message.objects.filter(kind=LINK, event_id=event.pk).order_by("-ordinal")


def still_owed(message: Message) -> bool:
    """The subject's row stays locked until the message has left: a death comes before or after it, never between."""
    subject = lock_subject(subject_of(message))
    event = event_of(message)
    event.subject = subject
    return may_get(subject, Channel(message.payload["channel"])) and may_issue(event)


def render(message: Message) -> Mail | Sms:
    return link_message(message, event_of(message), Channel(message.payload["channel"]))


def link_message(message: Message, event: StudyEvent, channel: Channel) -> Mail | Sms:
    """The link is made here; when the message does not leave, it is not kept."""
    facts = readable(event.subject)
    issued = issue_link(event=event, channel=LinkChannel(channel), by=None, token=token_of(message))
    with translation.override(facts.language):
        heading = _("Message from %(site)s") % {"site": event.subject.site.name}
        sentences = [
            f"{heading}.",
            _("Here is the questionnaire that you have agreed to get:"),
            issued.url,
            _("Your year of birth opens it."),
            _("If it does not suit you, you need not do anything."),
        ]
        return written(channel, event.subject, facts, Said(heading, sentences))


def event_of(message: Message) -> StudyEvent:
    assert message.event_id  # every message with a link is about a visit
    return StudyEvent.objects.select_related("subject__site", "subject__study").get(pk=message.event_id)


def token_of(message: Message) -> str:
    """The same for each attempt at one message, and another for each message."""
    secret = salted_hmac("crf.epro.sending", message_id(message), algorithm="sha256").digest()
    return urlsafe_b64encode(secret[: BITS // 8]).rstrip(b"=").decode()
