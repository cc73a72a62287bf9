"""The rules of a study and what failed, in words."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from pallsoft.outbox.models import Message
from sites.models import Role
from trials.definition import Reminder

# {what a mail failed by: (why, what to do)}; anything else is the mail server.
_ADDRESS = gettext_lazy("Ask the user administrator for the right address. When it is corrected, send it again.")
FAILURES = {
    "SMTPRecipientsRefused": (gettext_lazy("The mail server does not take mail to this address."), _ADDRESS),
    "Bounced": (gettext_lazy("The mail came back: nobody receives mail at this address."), _ADDRESS),
    "Undeliverable": (gettext_lazy("The account has no address."), _ADDRESS),
}
_OTHER = (
    gettext_lazy("The mail server took it in none of ten attempts."),
    gettext_lazy("Ask those who run the system whether mail works. When it does, send it again."),
)


def failure(message: Message) -> tuple[str, str]:
    """Why a message did not arrive, and what to do about it."""
    if message.recipient_id == message.subject_id:
        return _("It could not be delivered."), _("The site sees it on its worklist, and checks number and address.")
    why, cure = FAILURES.get(message.error, _OTHER)
    return str(why), str(cure)


def recipient(role: str | None) -> str:
    """A link that the site sends has no role of a rule: it goes to the participant too."""
    return str(Role(role).label) if role in Role.values else _("Participant")


def when(rule: Reminder) -> str:
    """ "1 day after the window ended" """
    if rule.days == 0:
        return {
            "target": _("on the planned day"),
            "window_from": _("on the first day of the window"),
            "window_to": _("on the last day of the window"),
        }[rule.counted_from]
    return _days(rule) % {"n": abs(rule.days)}


def how_often(rule: Reminder) -> str:
    if rule.times == 1:
        return _("once")
    return _("up to %(times)s times, every %(days)s days") % {"times": rule.times, "days": rule.every_days}


def _days(rule: Reminder) -> str:
    n = abs(rule.days)
    if rule.days < 0:
        return {
            "target": ngettext("%(n)s day before the planned day", "%(n)s days before the planned day", n),
            "window_from": ngettext("%(n)s day before the window begins", "%(n)s days before the window begins", n),
            "window_to": ngettext("%(n)s day before the window ends", "%(n)s days before the window ends", n),
        }[rule.counted_from]
    return {
        "target": ngettext("%(n)s day after the planned day", "%(n)s days after the planned day", n),
        "window_from": ngettext("%(n)s day after the window began", "%(n)s days after the window began", n),
        "window_to": ngettext("%(n)s day after the window ended", "%(n)s days after the window ended", n),
    }[rule.counted_from]
