"""What a coordinator does about reminders, besides pausing them (sites.services)."""

from pallsoft.accounts.models import User
from pallsoft.outbox.models import Message
from pallsoft.outbox.services import send_again
from sites.acting import acting
from sites.models import Subject
from sites.permissions import Permission


def send_reminder_again(*, message: Message, by: User) -> None:
    """Try a dead letter anew; it still leaves only if it is owed then."""
    assert message.subject_id  # every message of this kind has a subject
    subject = Subject.objects.select_related("study", "site").get(pk=message.subject_id)
    study, site = subject.study, subject.site
    with acting(Permission.MANAGE_SITES, study=study, by=by, action="crf.send_reminder_again", site=site):
        send_again(message)
