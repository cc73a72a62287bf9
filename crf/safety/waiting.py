"""What serious events add to the worklists: to the site and the safety contacts the time that is left to report, to the
site what is new since, to the sponsor what is not read or assessed."""

from collections.abc import Iterator

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crf.models import FormData
from crf.safety.clock import Unreported, is_serious, unreported_at
from crf.safety.standing import reported_at
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


def to_report_again(user: User, study: Study) -> Iterator[WorkItem]:
    """One sentence for each reported event whose form has changed since."""
    for site in sites_for(user, study, Permission.REPORT_SAE).select_related("study"):
        for one in reported_at(site):
            if one.has_news:
                yield _about(one.row, study, _("%(number)s: a serious event has changed since it was reported."))


def to_assess(user: User, study: Study) -> Iterator[WorkItem]:
    """One sentence for each reported event that the sponsor has not read, or not assessed."""
    for site in sites_for(user, study, Permission.ASSESS_EVENT).select_related("study"):
        definition = definition_in_use(site)
        plan = definition.safety if definition and definition.safety and definition.safety.assessment else None
        for one in reported_at(site):
            if one.unread:
                yield _about(one.row, study, _("%(number)s: a report of a serious event is not read."))
            elif not one.assessed and is_serious(one.row, plan):
                yield _about(one.row, study, _("%(number)s: a serious event waits for the sponsor's assessment."))


def _about(row: FormData, study: Study, sentence: str) -> WorkItem:
    place = [study.oid, row.subject.number, row.event.event_oid, row.event.ordinal, row.form_oid, row.repeat_key]
    return WorkItem(sentence % {"number": row.subject.number}, reverse("event-reports", args=place), "confirm")


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
        reverse("event-reports", args=place),
        "overdue" if left < 0 else "clock",
        day,
    )
