"""What survival follow-up adds to the worklist: how many participants of a site are to be looked up in the record."""

from collections.abc import Iterator
from datetime import date

from django.db.models import Count, Min
from django.urls import reverse
from django.utils.translation import ngettext

from crf.selectors.effort import MINUTES_A_LOOK_UP
from crf.selectors.survival import due_visits
from crf.waiting import places
from pallsoft.accounts.models import User
from sites.clock import local_today
from sites.models import Site
from sites.worklist import WorkItem
from trials.models import Study


def to_look_up(user: User, study: Study) -> Iterator[WorkItem]:
    """One sentence for each site at which survival is due by the definition and nobody has looked since."""
    for site, definition in places(user, study):
        today = local_today(site.timezone)
        found = due_visits(site, definition, today).aggregate(n=Count("subject", distinct=True), by=Min("window_to"))
        if found["n"]:
            yield _item(site, found["n"], found["by"], today)


def _item(site: Site, n: int, by: date, today: date) -> WorkItem:
    sentence = ngettext(
        "%(site)s: survival is due for %(n)s participant. Look in the record, and tick who is alive.",
        "%(site)s: survival is due for %(n)s participants. Look in the record, and tick who is alive.",
        n,
    ) % {"site": site, "n": n}
    url = f"{reverse('survival-check', args=[site.study.oid])}?site={site.code}"
    return WorkItem(sentence, url, "overdue" if by < today else "due", by, n * MINUTES_A_LOOK_UP)
