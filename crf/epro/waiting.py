"""What questionnaires by link add to the worklist of the site: whom to ring, and why (S07, S08)."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils.translation import gettext as _

from crf.epro.links import LOCKED, TRIES, locked_until
from crf.models import PersonalLink, StopWish
from crf.selectors.effort import MINUTES_A_TRY
from pallsoft.accounts.models import User
from pallsoft.templatetags.ui import moment
from sites.clock import database_now
from sites.models import ContactAttempt, ContactResult, Site, StopKind
from sites.participation import participations
from sites.permissions import Permission, sites_for
from sites.working_days import working_day_from
from sites.worklist import WorkItem
from trials.models import Study


def to_ring(user: User, study: Study) -> Iterator[WorkItem]:
    """High scores and wishes to stop, until a contact is logged as reached; links that are closed for an hour."""
    for site in sites_for(user, study, Permission.ENTER_DATA):
        zone = ZoneInfo(site.timezone)
        links = list(_unanswered(site))
        taking_part = participations({link.subject_id for link in links})
        for link in links:
            stops = taking_part[link.subject_id].stops
            if not taking_part[link.subject_id].state and StopKind.QUESTIONNAIRES not in stops:
                yield _call(link, study, zone)
        yield from _closed(site, study)


def _unanswered(site: Site) -> list[PersonalLink]:
    reached = ContactAttempt.objects.filter(
        subject=OuterRef("subject"), result=ContactResult.REACHED, tried_at__gte=OuterRef("finished_at")
    )
    asks = PersonalLink.objects.filter(Q(asks_call=True) | Q(stop_wish=StopWish.FOR_GOOD), subject__site=site)
    return list(asks.exclude(Exists(reached)).select_related("subject").order_by("finished_at"))


def _call(link: PersonalLink, study: Study, zone: ZoneInfo) -> WorkItem:
    """Due on the working day after the answers came."""
    if link.stop_wish == StopWish.FOR_GOOD:
        sentence = _("%(number)s: wants no more questionnaires. Talk it over, and record what stops.")
    else:
        sentence = _("%(number)s: a high score came by link. Ring the participant, and log the call.")
    finished: datetime = link.finished_at or link.expires_at
    day = working_day_from(finished.astimezone(zone).date() + timedelta(days=1))
    url = reverse("record-lost", args=[study.oid, link.subject.number])
    return WorkItem(sentence % {"number": link.subject.number}, url, "due", day, MINUTES_A_TRY)


def _closed(site: Site, study: Study) -> Iterator[WorkItem]:
    recent = PersonalLink.objects.filter(subject__site=site, revoked_in=None, expires_at__gt=database_now())
    for link in recent.filter(finished_at=None).select_related("subject"):
        if until := locked_until(link):
            told = {"number": link.subject.number, "n": TRIES, "time": moment(until)}
            sentence = _("%(number)s: the year of birth was wrong %(n)s times; the link is closed until %(time)s.")
            url = reverse("subject", args=[study.oid, link.subject.number])
            yield WorkItem(sentence % told, url, "due", (until - LOCKED).date())
