"""Mail that came back: the report of a mail server (RFC 3464) makes a sent message a dead letter."""

from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes, message_from_string
from email.message import Message as Mail

from django.db.models.functions import Now

from pallsoft.outbox.models import Message, State
from pallsoft.outbox.services import message_id

LOOK_BACK = timedelta(days=30)  # mail servers give up after days
BOUNCED = "Bounced"


def record_bounce(report: bytes) -> bool:
    """Does the report say that a mail of ours failed for good? Then it is a dead letter from now on."""
    mail = message_from_bytes(report)
    if not any(_failed(part) for part in mail.walk()):
        return False
    about = {found for part in mail.walk() for found in _ids_in(part)}
    sent = Message.objects.filter(state=State.SENT, sent_at__gte=Now() - LOOK_BACK)
    bounced = [message.pk for message in sent.iterator() if message_id(message) in about]
    return bool(sent.filter(pk__in=bounced).update(state=State.DEAD, error=BOUNCED, sent_at=None))


def _failed(part: Mail) -> bool:
    """A delay is told in the same form, with another action."""
    if part.get_content_type() != "message/delivery-status":
        return False
    blocks = part.get_payload()
    return isinstance(blocks, list) and any(
        isinstance(block, Mail) and str(block["Action"]).strip().lower() == "failed" for block in blocks
    )


def _ids_in(part: Mail) -> Iterator[str]:
    """The Message-ID of the mail that is sent back, whole or by its headers."""
    body = part.get_payload()
    if part.get_content_type() == "message/rfc822" and isinstance(body, list):
        yield from (str(one["Message-ID"]).strip() for one in body if isinstance(one, Mail))
    elif part.get_content_type() == "text/rfc822-headers" and isinstance(body, str):
        yield str(message_from_string(body)["Message-ID"]).strip()
