"""The survival check of a site: who is looked up in the hospital record, and what stands in the way of a tick."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from crf.answers import SubjectAnswers
from crf.models import StudyEvent
from crf.selectors.contacts import last_known_alive
from crf.selectors.due import waiting_visits
from crf.selectors.many import answers_of
from sites.clock import local_today
from sites.days import shown
from sites.models import AliveInRecord, Consent, Site, StopKind, Subject, SubjectStatus
from sites.participation import participations
from sites.selectors import definition_at
from trials.definition import StudyDef


def known_of(subjects: Iterable[Subject], study: StudyDef) -> list[SubjectAnswers]:
    """All that tells whether they are alive, in as many queries for many as for one."""
    of = {subject.pk: subject for subject in subjects}
    found, left = answers_of(of, study), participations(of)
    consents: dict[UUID, list[Consent]] = defaultdict(list)
    for consent in Consent.objects.standing().filter(subject__in=of).order_by("signed_at"):
        consents[consent.subject_id].append(consent)
    alive: dict[UUID, list[date]] = defaultdict(list)
    for seen in AliveInRecord.objects.standing().filter(subject__in=of):
        if seen.day:
            alive[seen.subject_id].append(seen.day)
    for pk, answers in found.items():
        answers.participation, answers.consents, answers.alive_on = left[pk], consents[pk], alive[pk]
    return list(found.values())


@dataclass(frozen=True)
class Line:
    """One participant on the page. `is_due`: does the definition ask for survival now, and nobody has looked since?"""

    answers: SubjectAnswers
    last: date | None
    is_due: bool

    @property
    def number(self) -> str:
        return self.answers.subject.number


def lines_of(site: Site, ticked: Collection[str]) -> list[Line]:
    """Randomised participants whose record may be read, due ones first; and whoever is ticked, whatever came since."""
    definition, today = definition_at(site), local_today(site.timezone)
    subjects = site.subjects.filter(Q(status=SubjectStatus.RANDOMIZED) | Q(number__in=ticked)).order_by("number")
    subjects = subjects.select_related("site", "study")
    due = set(due_visits(site, definition, today).values_list("subject", flat=True))
    lines = [
        Line(answers, last_known_alive(answers), answers.subject.pk in due)
        for answers in known_of(subjects, definition)
        if is_followed(answers) or answers.subject.number in ticked
    ]
    return sorted(lines, key=lambda line: not line.is_due)


def due_visits(site: Site, study: StudyDef, today: date) -> QuerySet[StudyEvent]:
    """Visits of the site that are read in the record, whose window has begun, without a sign of life since."""
    oids = [event.oid for event in study.events if event.from_registers]
    seen = AliveInRecord.objects.standing().filter(subject=OuterRef("subject"), day__gte=OuterRef("window_from"))
    return waiting_visits(today).filter(subject__site=site, event_oid__in=oids).exclude(Exists(seen))


def is_followed(answers: SubjectAnswers) -> bool:
    """May the record still be read, of one who is not known to be dead?"""
    standing = answers.participation
    return not (standing.is_erased or standing.death or StopKind.REGISTERS in standing.stops)


def why_not_alive(answers: SubjectAnswers, day: date) -> str:
    """Why it cannot be recorded that the participant was alive on `day`; "" when it can."""
    standing, last = answers.participation, last_known_alive(answers)
    if standing.is_erased:
        return _("The data of this subject are erased. Nothing more is recorded under this number.")
    if standing.death:
        return _("A death is recorded: %(day)s.") % {"day": shown(standing.death.day)}
    if StopKind.REGISTERS in standing.stops:
        return _("The participant does not want the record to be read any more.")
    if answers.consent is None or day < answers.consent.signed_at.astimezone(answers.zone).date():
        return _("The day is before the consent was signed. Check subject and day.")
    if last and day < last:
        return _("Known to be alive on %(day)s, which is later. Untick it, or write a later day.") % {
            "day": f"{last:%d.%m.%Y}"
        }
    return ""
