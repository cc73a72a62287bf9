"""The mail with which somebody sets a forgotten password: owed like every mail, so that a dead mail server loses none.

The page answers alike and as fast whether the account exists or not (ACC-08): it only writes down what is owed.
"""

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import override

from pallsoft.accounts.links import set_password_link
from pallsoft.accounts.models import User
from pallsoft.outbox.models import Message
from pallsoft.outbox.registry import Mail
from pallsoft.outbox.services import owe

KIND = "accounts.password_reset"


def owe_reset_mail(user: User) -> None:
    """One mail for each asking; how often one may ask is limited at the page."""
    with transaction.atomic():
        asked = Message.objects.filter(kind=KIND, recipient_id=user.pk).count()
        owe(kind=KIND, recipient_id=user.pk, ordinal=asked + 1)


def still_owed(message: Message) -> bool:
    return User.objects.filter(pk=message.recipient_id, is_active=True).exists()


def render(message: Message) -> Mail:
    """The link is made now: a message that waits holds no secret."""
    user = User.objects.get(pk=message.recipient_id)
    with override(user.language):
        return Mail(to=user.email, subject=_("Set a new password in PALLSOFT"), body=_body(user))


def _body(user: User) -> str:
    return _(
        "Dear %(name)s,\n\n"
        "somebody asked for a new password for your account in PALLSOFT. Set it here; the link works once and for "
        "three days:\n\n"
        "%(link)s\n\n"
        "If it was not you, do nothing: your password stays as it is.\n"
    ) % {"name": user.full_name, "link": set_password_link(user)}
