"""The survival check of a site: who is looked up in the hospital record, and what stands in the way of a tick."""

from collections import defaultdict
from collections.abc import Collection
from datetime import date
from uuid import UUID

from django.utils.translation import gettext as _

from crf.answers import SubjectAnswers
from crf.selectors.contacts import last_known_alive
from crf.selectors.many import answers_of
from sites.days import shown
from sites.models import AliveInRecord, Consent, StopKind, Subject
from sites.participation import participations
from trials.definition import StudyDef


def known_of(subjects: Collection[Subject], study: StudyDef) -> list[SubjectAnswers]:
    """All that tells whether they are alive, in as many queries for many as for one."""
    of = {subject.pk: subject for subject in subjects}
    found, left = answers_of(of, study), participations(of)
    consents: dict[UUID, list[Consent]] = defaultdict(list)
    for consent in Consent.objects.standing().filter(subject__in=of).order_by("signed_at"):
        consents[consent.subject_id].append(consent)
    alive: dict[UUID, list[date]] = defaultdict(list)
    for seen in AliveInRecord.objects.filter(subject__in=of):
        if seen.day:
            alive[seen.subject_id].append(seen.day)
    for pk, answers in found.items():
        answers.participation, answers.consents, answers.alive_on = left[pk], consents[pk], alive[pk]
    return list(found.values())


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
