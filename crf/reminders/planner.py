"""The planner: each time, all that is due where mails may leave now, with what it missed while it stood still."""

from collections.abc import Iterator

from django.db import transaction

from crf.reminders import owed, participants
from crf.reminders.holding import held_until
from pallsoft.outbox.services import wake_relay
from sites.clock import database_now
from sites.models import Site
from sites.selectors import definition_in_use


def plan_reminders() -> int:
    """Owe what is due now; returns how many are new. Safe to run at any time, by several at once and again."""
    with transaction.atomic():
        sites = list(_sites_open_now())
        new = owed.plan(sites) + participants.plan(sites)
        if new:
            transaction.on_commit(wake_relay, robust=True)
    return new


def _sites_open_now() -> Iterator[Site]:
    now = database_now()
    for site in Site.objects.select_related("study").order_by("pk"):
        if definition_in_use(site) and held_until(site, now) is None:
            yield site
