"""Wrong tokens are counted per network, so that guessing at personal links is seen. Nobody is locked out by it.

Why a right token is answered however many wrong ones came before: docs/decisions/answers_by_link.md.
"""

import logging
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.http import HttpRequest
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import override

from pallsoft.accounts.adapter import network_of
from pallsoft.outbox.models import Message
from pallsoft.outbox.registry import Mail
from pallsoft.outbox.services import owe
from sites.clock import database_now

MANY, WINDOW = 100, timedelta(minutes=15)  # far above what the patients and scanners of one hospital mistype
TO_SECURITY = "crf.many_wrong_links"
NOBODY = UUID(int=0)  # the mail goes to an address of the settings, not to an account
# At the limit nothing is written any more until the window is over: a flood costs one read of a key.
COUNT = """
    INSERT INTO crf_wrongtoken AS known (network, since, tries) VALUES (%(network)s, now(), 1)
    ON CONFLICT (network) DO UPDATE SET
        since = CASE WHEN known.since > now() - make_interval(secs => %(window)s) THEN known.since ELSE now() END,
        tries = CASE WHEN known.since > now() - make_interval(secs => %(window)s) THEN known.tries + 1 ELSE 1 END
    WHERE known.tries < %(many)s OR known.since <= now() - make_interval(secs => %(window)s)
    RETURNING tries
"""
FORGET = """
    DELETE FROM crf_wrongtoken WHERE network IN (
        SELECT network FROM crf_wrongtoken
        WHERE since <= now() - make_interval(secs => %(window)s) FOR UPDATE SKIP LOCKED
    )
"""
logger = logging.getLogger(__name__)


def count_wrong_token(request: HttpRequest) -> None:
    """Count one more from the caller's network; the last one that is counted in a window is told."""
    network = network_of(request)
    with transaction.atomic():
        tries = _counted(network)
        if tries == MANY:
            logger.warning("%s wrong personal links came from %s within %s", MANY, network, WINDOW)
            owe(kind=TO_SECURITY, recipient_id=NOBODY, ordinal=int(database_now().timestamp()) // 3600)


def still_owed(message: Message) -> bool:
    """It stays true, whatever has happened since."""
    return True


def render(message: Message) -> Mail:
    """One an hour at most, however many networks guess: the log names each."""
    with override(settings.LANGUAGE_CODE):
        body = _(
            "Within %(minutes)s minutes %(n)s personal links that do not exist or have ended were tried from one "
            "network. A link has 128 random bits, so guessing finds none, and the participants can go on answering. "
            "The log of the application names the network, so that it can be closed out at the proxy.\n"
        ) % {"minutes": WINDOW.seconds // 60, "n": MANY}
        return Mail(to=settings.SECURITY_CONTACT, subject=_("Many wrong personal links in PALLSOFT"), body=body)


def _counted(network: str) -> int | None:
    """How many with this one; None when the limit was reached before. Networks of earlier windows are forgotten."""
    key = salted_hmac(__name__, network, algorithm="sha256").hexdigest()
    with connection.cursor() as cursor:
        cursor.execute(COUNT, {"network": key, "window": WINDOW.seconds, "many": MANY})
        found: tuple[int] | None = cursor.fetchone()
        if found == (1,):
            cursor.execute(FORGET, {"window": WINDOW.seconds})
    return found[0] if found else None
