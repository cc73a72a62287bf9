"""Owe the reminders that are due, as the worker does every ten minutes; or only tell which these would be."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from crf.models import StudyEvent
from crf.reminders import owed, participants
from crf.reminders.holding import are_sent, held_until
from crf.reminders.planner import plan_reminders
from pallsoft.accounts.models import User
from sites.clock import database_now
from sites.models import Site
from sites.selectors import definition_in_use


class Command(BaseCommand):
    help = "Put the reminders that are due into the outbox. A second run adds none."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="tell which are due, write and send nothing")

    def handle(self, *, dry_run: bool, **_options: Any) -> None:
        if dry_run:
            self._tell()
        else:
            self.stdout.write(f"{plan_reminders()} new reminder(s)")

    def _tell(self) -> None:
        sites = {site.pk: site for site in Site.objects.select_related("study") if definition_in_use(site)}
        due = owed.to_come(sites.values(), days=0) + participants.to_come(sites.values(), days=0)
        events = StudyEvent.objects.select_related("subject").in_bulk({one.event_id for one in due})
        people = User.objects.in_bulk({one.recipient_id for one in due})
        for one in due:
            person = people.get(one.recipient_id)  # none for a participant, whom the number tells
            to = f"{one.role} {person.username}" if person else one.role
            event, site = events[one.event_id], sites[one.site_id]
            self.stdout.write(
                f"{one.day} {site.study.oid} {site.code} {event.subject.number} {event.event_oid}-{event.ordinal} "
                f"{one.topic} {one.ordinal} {to}"
            )
        self.stdout.write(f"{len(due)} reminder(s) due")
        now = database_now()
        for site in sites.values():
            if not are_sent(site.study):
                self.stdout.write(f"{site.study.oid} {site.code}: nothing leaves, a copy or a study in test mode")
            elif until := held_until(site, now):
                self.stdout.write(f"{site.study.oid} {site.code}: nothing leaves before {until:%Y-%m-%d %H:%M %Z}")
