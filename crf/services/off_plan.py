"""Departures that no form shows are looked for: an answer that never came, or came outside its window."""

from contextlib import suppress
from dataclasses import asdict

from django.db.models import Exists, OuterRef, QuerySet

from crf.models import Deviation, FoundBy, StudyEvent
from crf.selectors.off_plan import off_plan
from pallsoft.audit.context import change_set
from pallsoft.errors import NotAllowedNow
from sites.clock import local_today
from sites.models import Site
from sites.policies import can_enter
from sites.selectors import definition_in_use
from sites.services.holding import lock_kept_subject
from trials.definition import DeviationRule


def propose_off_plan() -> int:
    """A proposed deviation for each visit that departs from the plan and has none yet; how many there are new.

    Asked again under the subject's lock, so that an answer that comes meanwhile counts. One that the plan proposed
    once, whatever was judged of it, is not proposed again.
    """
    return sum(_at_site(site) for site in Site.objects.select_related("study").order_by("pk"))


def _at_site(site: Site) -> int:
    definition = definition_in_use(site)
    if definition is None or not can_enter(site):
        return 0
    today, new = local_today(site.timezone), 0
    for rule in definition.deviations:
        found = _new(off_plan(site, definition, rule, today), rule)
        for event in found.select_related("subject__site", "study"):
            new += _propose(event, rule, found)
    return new


def _new(visits: QuerySet[StudyEvent], rule: DeviationRule) -> QuerySet[StudyEvent]:
    proposed = Deviation.objects.filter(event=OuterRef("pk"), rule_oid=rule.oid, found_by=FoundBy.PLAN)
    return visits.exclude(Exists(proposed))


def _propose(event: StudyEvent, rule: DeviationRule, found: QuerySet[StudyEvent]) -> bool:
    """False when it is none any more, or nothing can be entered about the visit now."""
    with (
        suppress(NotAllowedNow),
        change_set(study=event.study, by=None, action="crf.propose_off_plan", site=event.subject.site),
    ):
        subject = lock_kept_subject(event.subject)
        if not found.filter(pk=event.pk).exists():
            return False
        Deviation.objects.create(
            study=event.study,
            subject=subject,
            event=event,
            found_by=FoundBy.PLAN,
            rule_oid=rule.oid,
            message=asdict(rule.label),
        )
        return True
    return False
