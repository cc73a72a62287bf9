"""What the screening log adds to the worklist."""

from collections.abc import Iterator

from django.urls import reverse
from django.utils.translation import gettext as _

from pallsoft.accounts.models import User
from sites.models import ScreeningEntry, ScreeningOutcome
from sites.permissions import Permission, sites_for
from sites.worklist import WorkItem
from trials.models import Study


def waiting(user: User, study: Study) -> Iterator[WorkItem]:
    """Persons still being considered, at the sites where the person works on them."""
    sites = sites_for(user, study, Permission.LOG_SCREENING)
    entries = ScreeningEntry.objects.filter(site__in=sites, outcome=ScreeningOutcome.PENDING).select_related("site")
    for entry in entries.order_by("screened_in", "own_number"):
        yield _entry(entry, study)


def _entry(entry: ScreeningEntry, study: Study) -> WorkItem:
    sentence = _("Screening entry %(number)s at %(site)s has no outcome yet.")
    url = reverse("screening", args=[study.oid])
    return WorkItem(sentence % {"number": entry.own_number, "site": entry.site}, f"{url}#entry-{entry.pk}", "screening")
