"""What randomisation adds to the worklist: corrections to decide, telephone randomisations to confirm."""

from collections.abc import Iterator

from django.urls import reverse
from django.utils.translation import gettext as _

from pallsoft.accounts.models import User
from randomization.corrections import open_corrections
from randomization.selectors import late_entries
from sites.permissions import Permission, has_permission
from sites.worklist import WorkItem
from trials.models import Study


def waiting(user: User, study: Study) -> Iterator[WorkItem]:
    """By the person's permissions."""
    for correction in open_corrections(user, study):
        yield WorkItem(
            _("%(subject)s: a correction of the randomisation waits for you.") % {"subject": correction.subject},
            reverse("corrections", args=[study.oid, correction.subject.number]),
            "confirm",
        )
    if has_permission(user, Permission.HOLD_LIST, study):
        for entry in late_entries(study):
            yield WorkItem(
                _("%(subject)s: a randomisation by telephone waits for you.") % {"subject": entry.subject},
                reverse("confirm-late-randomization", args=[study.oid, entry.pk]),
                "confirm",
            )
