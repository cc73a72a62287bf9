"""The mails that tell of failed attempts at signing: to the person and to who answers for security (SIG-08)."""

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import override

from pallsoft.accounts.models import User
from pallsoft.outbox.models import Message
from pallsoft.outbox.registry import Mail
from pallsoft.outbox.services import owe

TO_PERSON = "accounts.signing_locked"
TO_SECURITY = "accounts.signing_locked_security"


def tell_of_lock(user: User) -> None:
    """Both mails are owed in the transaction that counted the last attempt."""
    before = Message.objects.filter(kind=TO_PERSON, recipient_id=user.pk).count()
    for kind in (TO_PERSON, TO_SECURITY):
        owe(kind=kind, recipient_id=user.pk, ordinal=before + 1)


def still_owed(message: Message) -> bool:
    """A warning stays true, whatever has happened since."""
    return User.objects.filter(pk=message.recipient_id).exists()


def render_for_person(message: Message) -> Mail:
    user = User.objects.get(pk=message.recipient_id)
    with override(user.language):
        body = _(
            "Dear %(name)s,\n\n"
            "somebody who used your account tried to give a signature in PALLSOFT and failed %(n)s times. Signing is "
            "locked for %(minutes)s minutes.\n\n"
            "If it was not you: change your password now, and tell the user administrator of the trial.\n"
        ) % _facts(user)
        return Mail(to=user.email, subject=_("Failed attempts to sign with your account in PALLSOFT"), body=body)


def render_for_security(message: Message) -> Mail:
    user = User.objects.get(pk=message.recipient_id)
    with override(settings.LANGUAGE_CODE):
        body = _(
            "The account %(username)s (%(name)s) failed %(n)s times to prove its identity when signing in PALLSOFT. "
            "Signing is locked for it for %(minutes)s minutes. Each attempt stands in the access log.\n"
        ) % _facts(user)
        return Mail(to=settings.SECURITY_CONTACT, subject=_("Failed attempts to sign in PALLSOFT"), body=body)


def _facts(user: User) -> dict[str, object]:
    return {
        "name": user.full_name,
        "username": user.username,
        "n": settings.SIGNING_ATTEMPTS,
        "minutes": settings.SIGNING_LOCK_MINUTES,
    }
