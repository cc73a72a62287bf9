"""The monitor's visit log: what was looked at follows from the verifications; findings and actions are written."""

import uuid
from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from crf.models import MonitoringVisit
from crf.selectors.monitoring import WRITTEN, digest_of
from crf.services.visits import explained
from pallsoft.accounts.models import User
from pallsoft.errors import Conflict, InvalidInput
from sites.acting import acting
from sites.clock import local_today
from sites.models import Site
from sites.permissions import Permission
from sites.services.screening import lock_site


class WrittenMeanwhile(Conflict):
    """Somebody else wrote in the same part of the log. `visit`: as it stands now; `mine`: what this person changed."""

    def __init__(self, visit: MonitoringVisit, mine: frozenset[str], clashes: frozenset[str]) -> None:
        super().__init__(_("Nothing was stored: somebody else has written in the log meanwhile. Open it again."))
        self.visit, self.mine, self.clashes = visit, mine, clashes


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
    """Log a visit to a site; the same `key` gives the same visit again.

    Raises InvalidInput for a day to come, Conflict when the key was used for something else.
    """
    with acting(Permission.VERIFY, study=site.study, by=by, action="crf.log_monitoring_visit", site=site):
        site = lock_site(site)
        facts = {"site": site, "monitor": by} | _written(visited_on, findings, actions, letter_sent_on)
        known = MonitoringVisit.objects.filter(request_key=key).first()
        if known:
            return _same(known, facts)
        _check_days(site, visited_on, letter_sent_on)
        return MonitoringVisit.objects.create(study=site.study, request_key=key, **facts)


def update_monitoring_visit(
    *,
    visit: MonitoringVisit,
    visited_on: date,
    findings: str,
    actions: str,
    letter_sent_on: date | None,
    seen: str,
    by: User,
    reason: str = "",
) -> MonitoringVisit:
    """Write more into the log. The database asks for a reason when something that was written changes.

    `seen`: `seen_of` the log as the page showed it: what others wrote since is kept. Raises WrittenMeanwhile when they
    wrote in the same part, InvalidInput.
    """
    site = visit.site
    reason = explained(reason, "")
    with acting(
        Permission.VERIFY, study=visit.study, by=by, action="crf.update_monitoring_visit", reason=reason, site=site
    ):
        visit = MonitoringVisit.objects.select_for_update(no_key=True).get(pk=visit.pk)
        for name, fact in _mine(visit, _written(visited_on, findings, actions, letter_sent_on), seen).items():
            setattr(visit, name, fact)
        _check_days(site, visit.visited_on, visit.letter_sent_on)
        visit.save(update_fields=WRITTEN)
    return visit


def _written(visited_on: date, findings: str, actions: str, letter_sent_on: date | None) -> dict[str, Any]:
    return dict(zip(WRITTEN, (visited_on, findings.strip(), actions.strip(), letter_sent_on), strict=True))


def _mine(visit: MonitoringVisit, facts: dict[str, Any], seen: str) -> dict[str, Any]:
    """What this person changed. Raises WrittenMeanwhile where somebody else did too, to something else."""
    before = dict(zip(WRITTEN, seen.split("."), strict=False))
    mine = {name: fact for name, fact in facts.items() if digest_of(fact) != before.get(name)}
    now = {name: getattr(visit, name) for name in mine}
    clashes = {name for name in mine if now[name] != mine[name] and digest_of(now[name]) != before.get(name)}
    if clashes:
        raise WrittenMeanwhile(visit, frozenset(mine), frozenset(clashes))
    return mine


def _differs(visit: MonitoringVisit, facts: dict[str, Any]) -> bool:
    return any(getattr(visit, name) != fact for name, fact in facts.items())


def _same(visit: MonitoringVisit, facts: dict[str, Any]) -> MonitoringVisit:
    if _differs(visit, facts):
        raise Conflict(_("This form was already saved with other content. Open the visit log to see it."))
    return visit


def _check_days(site: Site, visited_on: date, letter_sent_on: date | None) -> None:
    today = local_today(site.timezone)
    if visited_on > today:
        raise InvalidInput({"visited_on": [_("The day is in the future. Write the day of the visit.")]})
    if letter_sent_on and not visited_on <= letter_sent_on <= today:
        raise InvalidInput({"letter_sent_on": [_("The letter is sent between the visit and today.")]})
