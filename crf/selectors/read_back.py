"""What is read back before a death or a withdrawal is saved: who it is about, and what will follow. Stores nothing."""

from collections.abc import Collection
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crf.answers import SubjectAnswers
from crf.leaving import closed_for
from crf.selectors.contacts import contacts_after_death, last_known_alive
from pallsoft.audit.models import ChangeSet
from pallsoft.errors import NotAllowedNow
from sites.clock import database_now
from sites.days import shown
from sites.models import DataWish, Death, Stop, StopKind, Subject
from sites.participation import Participation, latest_day
from sites.selectors import definition_at
from sites.services import DeathFacts, Withdrawal
from sites.services.holding import check_day
from sites.services.withdrawal import check_said


def read_back_death(subject: Subject, facts: DeathFacts) -> dict[str, Any]:
    """Raises InvalidInput, NotAllowedNow as the service would."""
    answers = SubjectAnswers(subject, definition_at(subject.site))
    if answers.participation.death:
        raise NotAllowedNow(_("A death is recorded already. Take it back first, with the reason, if it is wrong."))
    check_day(subject, facts.day, "day")
    alive = last_known_alive(answers)
    death = Death(day=facts.day, subject=subject, created_in=ChangeSet(at=database_now()))
    met_after = contacts_after_death(answers, latest_day(death))
    after = Participation(death=death, stops=answers.participation.stops)
    return {
        "facts": [
            *_who(subject),
            (_("Day of death"), shown(facts.day)),
            (_("Cause of death"), str(facts.cause.label)),
            (_("Place of death"), str(facts.place.label)),
            (_("Where it is known from"), str(facts.told_by.label)),
            (_("Last known alive"), f"{alive:%d.%m.%Y}" if alive else "–"),
        ],
        "warnings": [
            _("The participant was met on %(day)s, after this day. Check subject and day.") % {"day": f"{day:%d.%m.%Y}"}
            for day in met_after
        ],
        "follows": [*_visits(answers, after), _("Every message to the participant is cancelled.")],
        "stays": _("What was owed before stays: forms, queries, signatures, serious events, samples."),
    }


def read_back_withdrawal(subject: Subject, said: Withdrawal) -> dict[str, Any]:
    """Raises InvalidInput as the service would."""
    answers = SubjectAnswers(subject, definition_at(subject.site))
    check_said(subject, said)
    now = ChangeSet(at=database_now())
    new = {kind: Stop(kind=kind, day=said.day, subject=subject, created_in=now) for kind in said.kinds}
    stops = answers.participation.stops | new
    after = Participation(death=answers.participation.death, stops=stops)
    follows = [*_visits(answers, after)]
    if not after.may_be_written_to:
        follows.append(_("Every message to the participant is cancelled."))
    if StopKind.SAMPLES in said.kinds:
        follows.append(_("The biobank is to destroy the samples; somebody confirms it here."))
    if said.data_wish == DataWish.ERASE:
        follows.append(_("Two persons of the trial's office decide on the erasure."))
    return {
        "facts": [
            *_who(subject),
            (_("Stops from %(day)s") % {"day": shown(said.day)}, _listed(said.kinds)),
            (_("Goes on"), _listed(after.going_on)),
            *_told(said),
        ],
        "warnings": [],
        "follows": follows,
        "stays": "",
    }


def _who(subject: Subject) -> list[tuple[str, str]]:
    return [
        (_("Subject"), subject.number),
        (_("Born"), str(subject.birth_year)),
        (_("Sex"), subject.get_sex_display()),
    ]


def _told(said: Withdrawal) -> list[tuple[str, str]]:
    told = [(_("Who said it"), str(said.told_by.label))]
    if said.data_wish:
        told.insert(0, (_("What is collected already"), str(said.data_wish.label)))
    return [*told, (_("Reason"), said.told_reason)] if said.told_reason else told


def _listed(kinds: Collection[StopKind]) -> str:
    return ", ".join(str(kind.label) for kind in StopKind if kind in kinds) or _("Nothing")


def _visits(answers: SubjectAnswers, after: Participation) -> list[str]:
    registers = {event.oid for event in answers.study.events if event.from_registers}
    closing = [
        event
        for event in answers.events
        if not event.is_settled
        and closed_for(after, event.target_on, from_registers=event.event_oid in registers) is not None
    ]
    if not closing:
        return []
    return [
        ngettext("%(n)s visit to come is closed.", "%(n)s visits to come are closed.", len(closing))
        % {"n": len(closing)}
    ]
