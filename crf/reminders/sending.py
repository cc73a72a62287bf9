"""A reminder at the moment of sending: is it still owed by the data of now, and what does the mail say?"""

from datetime import datetime

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from crf.models import StudyEvent
from crf.reminders import owed
from crf.reminders.holding import held_until
from pallsoft.accounts.models import User
from pallsoft.outbox.models import Message
from pallsoft.outbox.registry import Mail, NotNow, Undeliverable
from sites.clock import database_now
from sites.models import Subject
from sites.selectors import definition_at


def waits(message: Message) -> datetime | None:
    """Until when nothing leaves for the site."""
    assert message.subject_id  # every message of this kind has a subject and a visit
    subject = Subject.objects.select_related("site__study").get(pk=message.subject_id)
    return held_until(subject.site, database_now())


def still_owed(message: Message) -> bool:
    """The subject's row stays locked until the mail has left: a death comes before or after it, never between.

    Raises NotNow for a visit that has moved.
    """
    locked = Subject.objects.select_for_update(no_key=True, of=["self"]).select_related("site__study")
    assert message.subject_id
    site = locked.get(pk=message.subject_id).site
    now = owed.still(message, site)
    if now is None:
        return False
    if now.day > now.today:
        raise NotNow(now.due_at, is_due_then=True)
    return True


def render(message: Message) -> Mail:
    """Subject number, days and site. Neither what the visit is nor anything about health: a mail is read by many."""
    assert message.event_id
    event = StudyEvent.objects.select_related("subject__site__study").get(pk=message.event_id)
    person = User.objects.get(pk=message.recipient_id)
    if not person.email:
        raise Undeliverable
    rule = definition_at(event.subject.site).reminders.rule(message.topic)
    with translation.override(person.language if rule.language == "own" else rule.language):
        told = {
            "study": event.study.oid,
            "what": str(rule.label),
            "subject": event.subject.number,
            "site": event.subject.site,
            "target": f"{event.target_on:%d.%m.%Y}",
            "first": f"{event.window_from:%d.%m.%Y}",
            "last": f"{event.window_to:%d.%m.%Y}",
            "n": message.ordinal,
            "times": rule.times,
            "url": settings.BASE_URL + reverse("subject", args=[event.study.oid, event.subject.number]),
        }
        return Mail(
            to=person.email,
            subject=_("%(study)s: %(what)s, %(subject)s") % told,
            body=_(
                "%(what)s: %(subject)s, %(site)s.\n"
                "Planned %(target)s, window %(first)s to %(last)s.\n\n"
                "Open: %(url)s\n\n"
                "Reminder %(n)s of %(times)s. No more come once the visit is entered or marked as not done.\n"
            )
            % told,
        )
