"""Personal links: given out by the site, opened with the year of birth, worthless to anybody else (S07, S08).

A token has 128 bits and stands nowhere but in the link itself. Whether a link may be used is asked anew at each
request: with a death, a withdrawal or an erasure all of a participant's links end at once, without anybody's act.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from crf.answers import SubjectAnswers
from crf.epro.questionnaire import link_forms
from crf.models import LinkChannel, PersonalLink, StudyEvent
from crf.policies import check_may_be_asked
from pallsoft.accounts.models import User
from pallsoft.audit import access
from pallsoft.audit.context import change_set
from pallsoft.errors import NotAllowedNow
from sites.clock import database_now
from sites.participation import participation_of
from sites.permissions import Permission, require
from sites.policies import can_enter, check_can_enter
from sites.selectors import definition_at
from sites.services.holding import lock_subject

BITS = 128
TRIES, LOCKED = 5, timedelta(hours=1)
OPENED = "open personal link"  # in the access log, with the link


@dataclass(frozen=True)
class IssuedLink:
    """`url` is told once: what is stored does not give it back."""

    link: PersonalLink
    url: str

    @property
    def expires_at(self) -> datetime:
        return self.link.expires_at


def issue_link(*, event: StudyEvent, channel: LinkChannel, by: User | None, token: str = "") -> IssuedLink:
    """A new link to the questionnaires of a visit; one of the same channel that was given before ends.

    A message cuts off nobody who has begun to answer: then the earlier link goes on besides. `by` and `token`: None and
    its own for a message that the system sends (crf.epro.sending). Raises NotPermitted, NotAllowedNow.
    """
    subject = event.subject
    role = require(by, Permission.ENTER_DATA, subject.study, subject.site) if by else ""
    token = token or secrets.token_urlsafe(BITS // 8)
    with change_set(study=subject.study, by=by, action="crf.issue_link", role=role, site=subject.site) as change:
        event.subject = lock_subject(subject)
        check_can_be_asked(event)
        before = PersonalLink.objects.filter(event=event, channel=channel, revoked_in=None)
        (before if by else before.filter(answered_by=None)).update(revoked_in=change)
        link = PersonalLink.objects.create(
            study=subject.study,
            subject=subject,
            event=event,
            channel=channel,
            token_sha256=_digest(token),
            expires_at=_expires_at(event),
        )
    return IssuedLink(link, settings.BASE_URL + reverse("link", args=[token]))


def may_issue(event: StudyEvent) -> bool:
    """The yes or no of what `issue_link` asks of the visit."""
    try:
        check_can_be_asked(event)
    except NotAllowedNow:
        return False
    return True


def link_for(token: str) -> PersonalLink | None:
    """The link of a token, as long as it may be used; None for one that is unknown, ended or of no use any more."""
    found = (
        PersonalLink.objects.filter(token_sha256=_digest(token), revoked_in=None)
        .select_related("event", "subject__site", "subject__study")
        .first()
    )
    return found if found and is_usable(found) else None


def is_usable(link: PersonalLink) -> bool:
    """Not expired, of a visit that is still asked about, and of somebody who may be asked."""
    if link.expires_at <= database_now() or link.event.not_done_reason:
        return False
    link.subject.site.study = link.subject.study
    link.event.subject = link.subject
    return can_enter(link.subject.site) and participation_of(link.subject).may_be_written_to


def try_to_open(link: PersonalLink, year: str) -> bool:
    """Is this the participant's year of birth? Each try is counted, and no more than five in an hour are answered."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"link {link.pk}"])
        if locked_until(link):
            return False
        right = year.strip() == str(link.subject.birth_year)
        access.record_access(user=None, subject=link.subject, what=what_of(link), ok=right)
    return right


def locked_until(link: PersonalLink) -> datetime | None:
    """When the year of birth may be tried again; None when it may be now."""
    return access.locked_until(what=what_of(link), tries=TRIES, lock=LOCKED, subject=link.subject)


def what_of(link: PersonalLink) -> str:
    return f"{OPENED} {link.pk}"


def check_can_be_asked(event: StudyEvent) -> None:
    """Raises NotAllowedNow when nothing is to be answered by link at the visit, or not any more."""
    check_can_enter(event.subject.site)
    check_may_be_asked(participation_of(event.subject))
    if event.not_done_reason:
        raise NotAllowedNow(_("The visit is marked as not done. Take that mark away first."))
    if event.window_from is None:
        raise NotAllowedNow(_("The visit has no day yet, so its questionnaires cannot be sent."))
    if _expires_at(event) <= database_now():
        raise NotAllowedNow(_("The time for these questionnaires is over: those of the next visit are due."))
    answers = SubjectAnswers(event.subject, definition_at(event.subject.site))
    finished = PersonalLink.objects.filter(event=event.pk).exclude(finished_at=None).exists()
    if finished or not link_forms(answers, event):
        raise NotAllowedNow(_("This visit has no questionnaire that can be answered by link, or all are answered."))


def _expires_at(event: StudyEvent) -> datetime:
    """When the next questionnaires' window opens; of the last ones, so many days after the window (a setting)."""
    study = definition_at(event.subject.site)
    asked = {one.oid for one in study.events if study.has_link(one.oid)}
    later = event.subject.events.filter(event_oid__in=asked, window_from__gt=event.window_from)
    following = later.order_by("window_from").values_list("window_from", flat=True).first()
    last = study.links.days_after_window if study.links else 0
    day: date = following or (event.window_to or date.max) + timedelta(days=last + 1)
    return datetime.combine(day, time(), ZoneInfo(event.subject.site.timezone)).astimezone(UTC)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
