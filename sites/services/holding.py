"""The frame of every write about a subject's participation: the locked row, one change set, and what is asked."""

import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from pallsoft.accounts.models import User
from pallsoft.audit.context import change_set
from pallsoft.errors import InvalidInput
from sites.clock import local_today
from sites.days import first_day, last_day
from sites.models import Subject
from sites.participation import participation_of
from sites.permissions import Permission, require
from sites.policies import check_can_enter, check_not_erased
from sites.selectors import definition_at

PARTICIPATION = frozenset({"participation"})  # what followers hear (sites.following)


def lock_subject(subject: Subject) -> Subject:
    """The subject as it is now, its row held to the commit: changes of one subject are in order (data_model §3)."""
    (locked,) = lock_subjects([subject])
    return locked


def lock_subjects(subjects: Iterable[Subject]) -> list[Subject]:
    """Several, held in one order and before the first write for any of them."""
    rows = Subject.objects.select_for_update(no_key=True, of=["self"]).select_related("site", "study")
    locked = list(rows.filter(pk__in={subject.pk for subject in subjects}).order_by("pk"))
    for subject in locked:
        subject.site.study = subject.study
    return locked


def lock_kept_subject(subject: Subject) -> Subject:
    """The same of one whose data are kept. Raises NotAllowedNow once they are erased."""
    held = lock_subject(subject)
    check_not_erased(participation_of(held).is_erased)
    return held


@contextmanager
def changing(
    subject: Subject, *, permission: Permission, by: User, action: str, reason: str = ""
) -> Iterator[tuple[Subject, uuid.UUID]]:
    """The locked subject and the change set. Raises NotAllowedNow at a site that is closed out, after an erasure."""
    role = require(by, permission, subject.study, subject.site)
    with change_set(study=subject.study, by=by, action=action, reason=reason, role=role, site=subject.site) as change:
        held = lock_kept_subject(subject)
        check_can_enter(held.site)
        yield held, change


def needed(text: str, ask: str, name: str = "reason") -> str:
    """The text without blanks around it. Raises InvalidInput with the sentence `ask` when nothing is left."""
    if not text.strip():
        raise InvalidInput({name: [ask]})
    return text.strip()


def check_day(subject: Subject, day: str, name: str) -> None:
    """Raises InvalidInput for a day that certainly lies ahead, or certainly before the subject's consent."""
    if first_day(day) > local_today(subject.site.timezone):
        raise InvalidInput({name: [_("The day is in the future. Write the day on which it happened.")]})
    signed = subject.consents.standing().order_by("signed_at").first()
    if signed and last_day(day) < signed.signed_at.astimezone(zone_of(subject)).date():
        raise InvalidInput({name: [_("The day is before the consent was signed. Check subject and day.")]})


def zone_of(subject: Subject) -> ZoneInfo:
    return ZoneInfo(subject.site.timezone)


def setting_at(subject: Subject, key: str, otherwise: int) -> int:
    """A whole number among the settings of the definition in use at the subject's site."""
    settings = {setting.key: setting.value for setting in definition_at(subject.site).settings}
    return int(settings.get(key, otherwise))
