"""What people do about reminders, besides pausing them (sites.services)."""

from django.db import transaction

from crf.reminders import participants
from crf.services.survival import record_alive
from pallsoft.accounts.models import User
from pallsoft.outbox.models import Message
from pallsoft.outbox.services import send_again, try_now
from sites.acting import acting
from sites.clock import local_today
from sites.models import Subject
from sites.permissions import Permission


def send_reminder_again(*, message: Message, by: User) -> None:
    """Try a dead letter anew; it still leaves only if it is owed then."""
    assert message.subject_id  # every message of this kind has a subject
    subject = Subject.objects.select_related("study", "site").get(pk=message.subject_id)
    study, site = subject.study, subject.site
    with acting(Permission.MANAGE_SITES, study=study, by=by, action="crf.send_reminder_again", site=site):
        send_again(message)


def confirm_alive(*, subject: Subject, by: User) -> None:
    """Seen in the hospital record today: what waited for that leaves. Raises as `record_alive` does."""
    with transaction.atomic():
        record_alive(site=subject.site, subjects=[subject], day=local_today(subject.site.timezone), by=by)
        try_now(kind=participants.KIND, subject_id=subject.pk)
