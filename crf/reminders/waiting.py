"""What reminders add to the worklist: mails that did not arrive."""

from collections.abc import Iterator

from django.urls import reverse
from django.utils.translation import ngettext

from crf.reminders.page import Board
from pallsoft.accounts.models import User
from pallsoft.outbox.models import State
from sites.permissions import Permission, permissions_anywhere
from sites.worklist import WorkItem
from trials.models import Study


def dead_letters(user: User, study: Study) -> Iterator[WorkItem]:
    """One sentence for all of them."""
    if Permission.MANAGE_SITES not in permissions_anywhere(user, study):
        return
    if n := Board(user, study).rows.filter(state=State.DEAD).count():
        sentence = ngettext("%(n)s reminder was not delivered.", "%(n)s reminders were not delivered.", n) % {"n": n}
        yield WorkItem(sentence, reverse("reminders", args=[study.oid]), "overdue")
