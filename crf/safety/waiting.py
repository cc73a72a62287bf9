"""What serious events add to the worklists of the site and of the safety contacts: the time that is left."""

from collections.abc import Iterator

from django.urls import reverse
from django.utils.translation import ngettext

from crf.safety.clock import Unreported, unreported_at
from pallsoft.accounts.models import User
from sites.clock import database_now
from sites.models import Site
from sites.permissions import Permission, roles_held, sites_for
from sites.selectors import definition_in_use
from sites.worklist import WorkItem
from trials.definition import StudyDef
from trials.models import Study


def to_report(user: User, study: Study) -> Iterator[WorkItem]:
    """One sentence for each serious event whose report to the sponsor has no time yet."""
    now = database_now()
    entering = set(sites_for(user, study, Permission.ENTER_DATA))
    for site in sites_for(user, study, Permission.VIEW_SUBJECT).select_related("study"):
        definition = definition_in_use(site)
        if definition and (site in entering or _is_contact(user, site, definition)):
            for one in unreported_at(site, definition):
                yield _item(one, study, one.hours_left(now))


def _is_contact(user: User, site: Site, definition: StudyDef) -> bool:
    roles = definition.safety.to if definition.safety else ()
    return any(held.covers(site.study, site) and held.role in roles for held in roles_held(user))


def _item(one: Unreported, study: Study, left: int) -> WorkItem:
    row = one.form
    if left > 0:
        sentence = ngettext(
            "%(number)s: serious event, %(n)s hour left to report it.",
            "%(number)s: serious event, %(n)s hours left to report it.",
            left,
        )
    else:
        sentence = ngettext(
            "%(number)s: serious event, the report is %(n)s hour late.",
            "%(number)s: serious event, the report is %(n)s hours late.",
            -left,
        )
    place = [study.oid, row.subject.number, row.event.event_oid, row.event.ordinal, row.form_oid, row.repeat_key]
    day = one.deadline.date()
    return WorkItem(
        sentence % {"number": row.subject.number, "n": abs(left)},
        reverse("form", args=place),
        "overdue" if left < 0 else "clock",
        day,
    )
