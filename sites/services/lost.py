"""Tries to reach a participant, and the day when contact counts as lost (S08)."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from pallsoft.accounts.models import User
from pallsoft.errors import InvalidInput, NotAllowedNow
from sites.clock import database_now
from sites.models import ContactAttempt, ContactResult, ContactWay, Stop, StopKind, Subject, ToldBy
from sites.participation import latest_day, participation_of
from sites.permissions import Permission
from sites.services.holding import changing, check_day, setting_at, zone_of
from sites.services.withdrawal import Withdrawal, follow_stops, store_stops

ATTEMPTS = "contact_attempts"  # setting of a definition


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One try. `next_on`: the day, at the site, on which to try again."""

    tried_at: datetime
    way: ContactWay
    result: ContactResult
    next_on: date | None = None


def log_attempt(*, subject: Subject, said: Attempt, key: uuid.UUID, by: User) -> ContactAttempt:
    """A try to reach the participant; the same key logs it once. Raises InvalidInput, NotAllowedNow."""
    with changing(subject, permission=Permission.ENTER_DATA, by=by, action="sites.log_attempt") as (subject, _change):
        made = ContactAttempt.objects.filter(request_key=key, subject=subject).first()
        if made:
            return made
        _check(subject, said)
        facts = {"tried_at": said.tried_at, "way": said.way, "result": said.result, "next_on": said.next_on}
        return ContactAttempt.objects.create(study=subject.study, subject=subject, request_key=key, **facts)


def _check(subject: Subject, said: Attempt) -> None:
    tried_on = said.tried_at.astimezone(zone_of(subject)).date()
    check_day(subject, tried_on.isoformat(), "tried_on")
    if said.tried_at > database_now():
        raise InvalidInput({"tried_clock": [_("The time is in the future. Write when it was tried.")]})
    if said.next_on and said.next_on < tried_on:
        raise InvalidInput({"next_on": [_("The next try is before this one. Write a day to come, or leave it empty.")]})


def record_lost(*, subject: Subject, day: str, by: User) -> Stop:
    """Lost to follow-up from a day on. Raises NotAllowedNow when tries are missing or nobody is to be reached."""
    with changing(subject, permission=Permission.ENTER_DATA, by=by, action="sites.record_lost") as (subject, change):
        check_day(subject, day, "day")
        if participation_of(subject).state:
            raise NotAllowedNow(_("It is recorded already why there is no contact. Open the page again to see it."))
        left = attempts_left(subject)
        if left:
            raise NotAllowedNow(
                ngettext(
                    "Log %(n)s more failed attempt first. Then the contact counts as lost.",
                    "Log %(n)s more failed attempts first. Then the contact counts as lost.",
                    left,
                )
                % {"n": left}
            )
        stops = store_stops(subject, Withdrawal(kinds=frozenset({StopKind.LOST}), day=day, told_by=ToldBy.RECORD))
        follow_stops(subject, stops, change, by)
    return stops[0]


def attempts_left(subject: Subject) -> int:
    """How many tries in vain are still to be logged: those since the participant was last reached count,
    but not those before an earlier loss of contact, which were used for that one."""
    zone = zone_of(subject)
    earlier = [latest_day(stop) for stop in subject.stops.filter(kind=StopKind.LOST).exclude(ended_in=None)]
    since = max(earlier, default=date.min)
    failed = 0
    for attempt in subject.contact_attempts.order_by("tried_at"):
        if attempt.tried_at.astimezone(zone).date() > since:
            failed = failed + 1 if ContactResult(attempt.result).failed else 0
    return max(0, setting_at(subject, ATTEMPTS, 0) - failed)
