"""The mail that invites a person: a link to set a password, and no word about any patient."""

from django.utils.translation import gettext as _
from django.utils.translation import override

from pallsoft.accounts.links import set_password_link
from pallsoft.accounts.models import User
from pallsoft.outbox.models import Message
from pallsoft.outbox.registry import Mail


def still_owed(message: Message) -> bool:
    """Not to a closed account, nor to somebody who has set a password meanwhile."""
    user = User.objects.get(pk=message.recipient_id)
    return user.is_active and not user.has_usable_password()


def render(message: Message) -> Mail:
    user = User.objects.get(pk=message.recipient_id)
    with override(user.language):
        return Mail(to=user.email, subject=_("Your account in PALLSOFT"), body=_body(user))


def _body(user: User) -> str:
    return _(
        "Dear %(name)s,\n\n"
        "you have got a personal account in PALLSOFT. Your user name is %(username)s.\n"
        "Set your password here; the link works once and for three days:\n\n"
        "%(link)s\n\n"
        "Never lend your account. If you do not expect this message, tell the person who runs the trial at your site.\n"
    ) % {"name": user.full_name, "username": user.username, "link": set_password_link(user)}
