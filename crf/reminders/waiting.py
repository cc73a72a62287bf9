"""What reminders add to the worklist: messages that did not arrive, and those that wait for a tick of the site."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crf.epro.sending import LINK
from crf.reminders import participants
from crf.reminders.page import TOLD_FOR, Board
from pallsoft.accounts.models import User
from pallsoft.outbox.models import Message, State
from sites.clock import database_now
from sites.models import Contact, Subject
from sites.permissions import Permission, permissions_anywhere, sites_for
from sites.worklist import WorkItem
from trials.models import Study

MINUTES_A_LOOK = 2


@dataclass(frozen=True)
class Held:
    """A message that waits; `day`: when it was due."""

    subject: Subject
    day: date


def dead_letters(user: User, study: Study) -> Iterator[WorkItem]:
    """One sentence for all of them; those to participants are for the site."""
    if Permission.MANAGE_SITES not in permissions_anywhere(user, study):
        return
    if n := Board(user, study).to_staff.filter(state=State.DEAD).count():
        sentence = ngettext("%(n)s reminder was not delivered.", "%(n)s reminders were not delivered.", n) % {"n": n}
        yield WorkItem(sentence, reverse("reminders", args=[study.oid]), "overdue")


def held_back(user: User, study: Study) -> Iterator[WorkItem]:
    """Whose message waits until the site has looked in the hospital record."""
    for held in held_messages(user, study):
        sentence = _("%(number)s: a message waits until you have seen in the record that the participant is alive.")
        url = reverse("messages-waiting", args=[study.oid])
        yield WorkItem(sentence % {"number": held.subject.number}, url, "due", held.day, MINUTES_A_LOOK)


def held_messages(user: User, study: Study) -> list[Held]:
    """One for each participant, at the sites where the person enters data."""
    if not Message.objects.filter(study_id=study.pk, kind=participants.KIND, state=State.DUE).exists():
        return []
    sites = sites_for(user, study, Permission.ENTER_DATA).select_related("study")
    days: dict[UUID, date] = {}
    for one in participants.held_for_a_tick(sites):
        days.setdefault(one.subject_id, one.day)
    subjects = Subject.objects.filter(pk__in=days).order_by("number")
    return [Held(subject, days[subject.pk]) for subject in subjects]


def undelivered(user: User, study: Study) -> Iterator[WorkItem]:
    """Messages to participants that came back or were refused, until another one has left: the site checks the data."""
    kinds = [LINK, participants.KIND]
    dead = Message.objects.filter(study_id=study.pk, kind__in=kinds, state=State.DEAD)
    dead = dead.filter(due_at__gte=database_now() - TOLD_FOR)
    later = Message.objects.filter(kind__in=kinds, subject_id=OuterRef("subject_id"), pk__gt=OuterRef("pk"))
    rows = dead.exclude(Exists(later.filter(state__in=[State.SENT, State.DUE])))
    failed = {row.subject_id: row.due_at for row in rows.order_by("pk") if row.subject_id}
    if not failed:
        return
    subjects = Subject.objects.filter(pk__in=failed, site__in=sites_for(user, study, Permission.ENTER_DATA))
    kept = Contact.objects.filter(subject=OuterRef("pk"))
    for subject in subjects.filter(Exists(kept)).order_by("number"):
        sentence = _("%(number)s: a message to the participant was not delivered. Check number and address.")
        url = reverse("contact", args=[study.oid, subject.number])
        yield WorkItem(sentence % {"number": subject.number}, url, "overdue", failed[subject.pk].date())
