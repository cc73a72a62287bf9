"""The monitor's overview and visit log: what was looked at is read from the verifications."""

import hashlib
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import QuerySet

from crf.models import MessageKind, MonitoringVisit, QueryMessage, Verification
from crf.selectors.definitions import definition_for
from crf.selectors.plan import Progress, progress_of
from sites.clock import local_today
from sites.models import Site, Subject
from sites.permissions import AnyUser, Permission, sites_for
from sites.selectors import definition_at
from trials.models import Study

RECENT = timedelta(days=14)
WRITTEN = ("visited_on", "findings", "actions", "letter_sent_on")  # of a visit, by the monitor


@dataclass(frozen=True)
class Row:
    subject: Subject
    progress: Progress


def progress_page(site: Site, subjects: list[Subject]) -> tuple[list[Row], Progress]:
    """The subjects with their progress, and the sum over the whole site."""
    study = definition_at(site)
    everybody = list(site.subjects.order_by("number"))
    for subject in everybody:
        subject.site, subject.study = site, site.study
    found = progress_of(everybody, study)
    total = sum(found.values(), Progress())
    return [Row(subject, found[subject.pk]) for subject in subjects], total


def visits_for(user: AnyUser, study: Study) -> QuerySet[MonitoringVisit]:
    """The visits to the person's sites, the newest first."""
    sites = sites_for(user, study, Permission.VERIFY)
    return MonitoringVisit.objects.filter(site__in=sites).select_related("site__study", "monitor", "created_in")


def seen_of(visit: MonitoringVisit) -> str:
    """Names each part of the log as it stands: what a page showed, when it comes back."""
    return ".".join(digest_of(getattr(visit, name)) for name in WRITTEN)


def digest_of(written: object) -> str:
    return hashlib.sha256(str(written or "").encode()).hexdigest()


def todays_visits(user: AnyUser, site: Site) -> list[MonitoringVisit]:
    """The person's own visits to the site of late, the newest first: what is verified now may belong to one of them."""
    since = local_today(site.timezone) - RECENT
    own = visits_for(user, site.study).filter(site=site, monitor_id=user.pk, visited_on__gte=since)
    return list(own.order_by("-visited_on", "-created_in__at"))


@dataclass(frozen=True)
class Looked:
    """What was verified of one subject at a visit: {form: how many items}."""

    subject: Subject
    items: int
    forms: list[tuple[str, int]]


def looked_at(visit: MonitoringVisit) -> list[Looked]:
    """Subject by subject; a mark that was dropped since was looked at all the same."""
    marks = Verification.objects.filter(visit=visit).select_related("subject", "form_data__event")
    by_subject: dict[UUID, Counter[str]] = defaultdict(Counter)
    subjects = {}
    for mark in marks.order_by("subject__number", "verified_at"):
        subjects[mark.subject_id] = mark.subject
        by_subject[mark.subject_id][_form_words(mark)] += 1
    return [Looked(subjects[pk], sum(forms.values()), list(forms.items())) for pk, forms in by_subject.items()]


def _form_words(mark: Verification) -> str:
    form = mark.form_data
    if form is None:
        return ""
    study = definition_for(form)
    return f"{study.form(form.form_oid).title}, {study.event(form.event.event_oid).label}"


def queries_raised(visit: MonitoringVisit) -> int:
    """Queries that the monitor opened at the site on the day of the visit."""
    opened = QueryMessage.objects.filter(
        kind=MessageKind.OPEN, query__subject__site=visit.site, created_in__actor_id=visit.monitor_id
    )
    days = [at.astimezone(ZoneInfo(visit.site.timezone)).date() for at in opened.values_list("at", flat=True)]
    return days.count(visit.visited_on)
