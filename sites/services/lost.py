"""Tries in vain to reach a participant, and the day when contact counts as lost (S08)."""

import uuid
from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from pallsoft.accounts.models import User
from pallsoft.errors import NotAllowedNow
from sites.models import ContactAttempt, ContactWay, Stop, StopKind, Subject, ToldBy
from sites.participation import latest_day, participation_of
from sites.permissions import Permission
from sites.services.holding import changing, check_day, setting_at
from sites.services.withdrawal import Withdrawal, follow_stops, store_stops

ATTEMPTS = "contact_attempts"  # setting of a definition


def log_attempt(*, subject: Subject, tried_on: date, way: ContactWay, key: uuid.UUID, by: User) -> ContactAttempt:
    """A try that failed; the same key logs it once. Raises InvalidInput, NotAllowedNow."""
    with changing(subject, permission=Permission.ENTER_DATA, by=by, action="sites.log_attempt") as (subject, _change):
        made = ContactAttempt.objects.filter(request_key=key, subject=subject).first()
        if made:
            return made
        check_day(subject, tried_on.isoformat(), "tried_on")
        return ContactAttempt.objects.create(
            study=subject.study, subject=subject, tried_on=tried_on, way=way, request_key=key
        )


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
    """How many failed tries are still to be logged; those before an earlier loss of contact were used for that one."""
    earlier = [latest_day(stop) for stop in subject.stops.filter(kind=StopKind.LOST).exclude(ended_in=None)]
    attempts = subject.contact_attempts.filter(tried_on__gt=max(earlier, default=date.min))
    return max(0, setting_at(subject, ATTEMPTS, 0) - attempts.count())
