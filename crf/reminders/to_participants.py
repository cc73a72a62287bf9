"""A reminder to a participant at the moment of sending: a link to the questionnaire, if it is still owed by now."""

from crf.epro.links import may_issue
from crf.epro.sending import event_of, link_message
from crf.reminders import participants
from crf.reminders.holding import LOOK_AGAIN
from pallsoft.outbox.models import Message
from pallsoft.outbox.registry import Mail, NotNow, Sms, Undeliverable
from sites.clock import database_now
from sites.messages import subject_of
from sites.models import Channel, Subject
from sites.services.contact import agreed_channels, sendable
from sites.services.holding import lock_subject


def by_sms(message: Message) -> bool:
    return _way_to(subject_of(message)) == Channel.SMS


def still_owed(message: Message) -> bool:
    """The subject's row stays locked until the message has left: a death comes before or after it, never between.

    Raises NotNow for a visit that has moved, and while the site has not looked whether the participant is alive.
    """
    subject = lock_subject(subject_of(message))
    now, event = participants.still(message, subject.site), event_of(message)
    event.subject = subject
    if now is None or not may_issue(event):
        return False
    if now.day > now.today:
        raise NotNow(now.due_at, is_due_then=True)
    if now.needs_tick:
        raise NotNow(database_now() + LOOK_AGAIN)
    return True


def render(message: Message) -> Mail | Sms:
    event = event_of(message)
    way = _way_to(event.subject)
    if way is None:
        raise Undeliverable
    return link_message(message, event, way)


def _way_to(subject: Subject) -> Channel | None:
    """A text message, where both are agreed to."""
    agreed = agreed_channels(subject)
    return next((way for way in sendable() if way in agreed), None)
