"""The monitor's visit log: what was looked at follows from the verifications; findings and actions are written."""

import uuid
from datetime import date

from django.utils.translation import gettext as _

from crf.models import MonitoringVisit
from crf.services.visits import explained
from pallsoft.accounts.models import User
from pallsoft.errors import InvalidInput
from sites.acting import acting
from sites.clock import local_today
from sites.models import Site
from sites.permissions import Permission


def log_monitoring_visit(
    *,
    site: Site,
    visited_on: date,
    findings: str = "",
    actions: str = "",
    letter_sent_on: date | None = None,
    key: uuid.UUID,
    by: User,
) -> MonitoringVisit:
    """Log a visit to a site; the same `key` gives the same visit again. Raises InvalidInput for a day to come."""
    with acting(Permission.VERIFY, study=site.study, by=by, action="crf.log_monitoring_visit", site=site):
        known = MonitoringVisit.objects.filter(request_key=key, site=site, monitor=by).first()
        if known:
            return known
        _check_days(site, visited_on, letter_sent_on)
        return MonitoringVisit.objects.create(
            study=site.study,
            site=site,
            monitor=by,
            visited_on=visited_on,
            findings=findings.strip(),
            actions=actions.strip(),
            letter_sent_on=letter_sent_on,
            request_key=key,
        )


def update_monitoring_visit(
    *,
    visit: MonitoringVisit,
    visited_on: date,
    findings: str,
    actions: str,
    letter_sent_on: date | None,
    by: User,
    reason: str = "",
) -> MonitoringVisit:
    """Write more into the log. The database asks for a reason when something that was written changes."""
    site = visit.site
    reason = explained(reason, "")
    with acting(
        Permission.VERIFY, study=visit.study, by=by, action="crf.update_monitoring_visit", reason=reason, site=site
    ):
        visit = MonitoringVisit.objects.select_for_update(no_key=True).get(pk=visit.pk)
        _check_days(site, visited_on, letter_sent_on)
        visit.visited_on, visit.letter_sent_on = visited_on, letter_sent_on
        visit.findings, visit.actions = findings.strip(), actions.strip()
        visit.save(update_fields=["visited_on", "letter_sent_on", "findings", "actions"])
    return visit


def _check_days(site: Site, visited_on: date, letter_sent_on: date | None) -> None:
    today = local_today(site.timezone)
    if visited_on > today:
        raise InvalidInput({"visited_on": [_("The day is in the future. Write the day of the visit.")]})
    if letter_sent_on and not visited_on <= letter_sent_on <= today:
        raise InvalidInput({"letter_sent_on": [_("The letter is sent between the visit and today.")]})
