"""The strip above every page of a subject: who this is, without identity, and where the trial stands with it."""

from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from crf.answers import SubjectAnswers
from crf.selectors.contacts import last_known_alive
from crf.selectors.loading import sees_arm
from crf.selectors.words import fact_words
from sites.days import shown
from sites.models import Subject, SubjectStatus
from sites.permissions import AnyUser
from sites.policies import consent_in_force
from sites.reconsent import is_outdated
from sites.selectors import neighbours
from trials.scope import compiled
from trials.subject_rules import facts_of
from trials.values import UNKNOWN


@dataclass(frozen=True)
class Strip:
    """`facts`: [{label, value, chip}] as templates/_components/strip.html takes them."""

    subject: Subject
    facts: list[dict[str, Any]]
    previous_url: str
    next_url: str


def strip_for(answers: SubjectAnswers, user: AnyUser) -> Strip:
    """The arm stands here only for who may see it."""
    subject = answers.subject
    with_arm = sees_arm(user, subject)
    facts = [*_of_the_system(answers, with_arm), *_of_the_definition(answers, with_arm)]
    before, after = neighbours(user, subject)
    left = answers.participation.state
    status = {
        "label": _("Status"),
        "value": left.label if left else subject.get_status_display(),
        "chip": left.chip if left else subject.chip,
    }
    return Strip(subject, [status, *facts], _url(subject, before), _url(subject, after))


def _of_the_system(answers: SubjectAnswers, with_arm: bool) -> list[dict[str, Any]]:
    subject = answers.subject
    facts: list[dict[str, Any]] = [{"label": _("Site"), "value": subject.site}]
    if not answers.participation.is_erased:
        facts.append({"label": _("Born"), "value": f"{subject.birth_year}, {subject.get_sex_display()}"})
    facts += [_consent(answers), *_alive(answers)]
    randomized_on = answers.known("fact.randomized_on")
    if randomized_on:
        facts.append({"label": _("Randomised"), "value": fact_words(answers, randomized_on)})
    arm = answers.facts.get("arm")
    if arm and with_arm:
        facts.append({"label": _("Treatment"), "value": answers.study.arm(arm).label})
    return facts


def _consent(answers: SubjectAnswers) -> dict[str, Any]:
    """The day of the consent, or that the person has taken it back: then nothing new is asked of them."""
    if answers.consent is None:
        return {"label": _("Consent"), "value": _("None yet")}
    if not consent_in_force(answers.subject, answers.study.consent.required):
        return {"label": _("Consent"), "value": _("Withdrawn"), "chip": "overdue"}
    if answers.participation.state is None and is_outdated(answers.newest_consent_version, answers.study):
        return {"label": _("Consent"), "value": _("A new version to sign"), "chip": "overdue"}
    return {"label": _("Consent"), "value": fact_words(answers, answers.known("subject.consent_on"))}


def _alive(answers: SubjectAnswers) -> list[dict[str, Any]]:
    """The day of death, or of the last contact with somebody who is in the trial."""
    death = answers.participation.death
    if death:
        return [{"label": _("Day of death"), "value": shown(death.day)}]
    alive = last_known_alive(answers)
    if alive is None or answers.subject.status != SubjectStatus.RANDOMIZED:
        return []
    return [{"label": _("Last known alive"), "value": f"{alive:%d.%m.%Y}"}]


def _of_the_definition(answers: SubjectAnswers, with_arm: bool) -> list[dict[str, Any]]:
    values = facts_of(answers.study, answers.whole)
    shown = [
        fact
        for fact in answers.study.facts
        if values[fact.oid] is not UNKNOWN and (with_arm or "fact.arm" not in compiled(answers.study, fact.expr).names)
    ]
    return [{"label": fact.label, "value": fact_words(answers, values[fact.oid], fact.code_list)} for fact in shown]


def _url(subject: Subject, number: str | None) -> str:
    return reverse("subject", args=[subject.study.oid, number]) if number else ""
