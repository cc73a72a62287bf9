"""Who read which subject, and who was refused (AUD-12)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.core.paginator import Page, Paginator
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy

from crf.entry import dates
from crf.entry.refusal import Refused
from pallsoft.accounts.models import User
from pallsoft.audit.models import Access
from sites.models import Subject
from sites.permissions import AnyUser, Permission, at_sites
from trials.models import Study

PAGE = 50
P = Permission
WHAT: dict[str, Any] = {  # the permissions with which a subject is looked up
    P.VIEW_SUBJECT: gettext_lazy("Subject, visit or form"),
    P.RECORD_CONSENT: gettext_lazy("Consent"),
    P.ENTER_DATA: gettext_lazy("Participation"),
    P.KEEP_CONTACT: gettext_lazy("Contact data"),
    P.RANDOMIZE: gettext_lazy("Randomisation"),
    P.CONFIRM_CORRECTION: gettext_lazy("Corrections of stratum and target"),
    P.VERIFY: gettext_lazy("Verification"),
    P.FREEZE: gettext_lazy("Freezing and locking"),
    P.CONFIRM_UNLOCK: gettext_lazy("Opening a lock"),
}
BEGINNINGS: dict[str, Any] = {  # of what else is noted
    "GET ": gettext_lazy("Page: %(what)s"),
    "POST ": gettext_lazy("Page: %(what)s"),
    "export ": gettext_lazy("File: %(what)s"),
    "discard draft of ": gettext_lazy("Draft thrown away: %(what)s"),
}
FILTERS = ("number", "user", "from", "until", "refused")


@dataclass(frozen=True)
class Reading:
    """One line. `who` empty: nobody was signed in."""

    at: datetime
    who: str
    number: str
    site: str
    what: str
    ok: bool

    @property
    def words(self) -> str:
        """What was looked at; the address of a refused page and the name of a file as they are."""
        for beginning, words in BEGINNINGS.items():
            if self.what.startswith(beginning):
                return str(words % {"what": self.what.removeprefix(beginning)})
        return str(WHAT.get(self.what, self.what))


@dataclass(frozen=True)
class AccessLog:
    page: Page[Access]
    readings: list[Reading]
    asked: dict[str, str]
    errors: list[dict[str, str]]


def access_log(user: AnyUser, study: Study, asked: Mapping[str, str]) -> AccessLog:
    """Readings of the subjects at the person's sites, the newest first. Three queries."""
    subjects = Subject.objects.filter(study=study, **at_sites(user, study, Permission.VIEW_ACCESS_LOG))
    wanted = {name: asked.get(name, "").strip()[:60] for name in FILTERS}
    errors: list[dict[str, str]] = []
    rows = _filtered(subjects, wanted, ZoneInfo(study.timezone), errors)
    page = Paginator(rows.order_by("-at", "-id"), PAGE).get_page(asked.get("page", "1"))
    return AccessLog(page, _readings(list(page)), wanted, errors)


def _filtered(
    subjects: QuerySet[Subject], wanted: dict[str, str], zone: ZoneInfo, errors: list[dict[str, str]]
) -> QuerySet[Access]:
    if wanted["number"]:
        subjects = subjects.filter(number__icontains=wanted["number"])
    rows = Access.objects.filter(subject_id__in=list(subjects.values_list("pk", flat=True)))
    if wanted["user"]:
        named = Q(full_name__icontains=wanted["user"]) | Q(username__icontains=wanted["user"])
        rows = rows.filter(user_id__in=list(User.objects.filter(named).values_list("pk", flat=True)))
    if wanted["refused"]:
        rows = rows.filter(ok=False)
    first, last = (_day(wanted[name], name, errors) for name in ("from", "until"))
    if first:
        rows = rows.filter(at__gte=datetime.combine(first, time.min, zone))
    if last:
        rows = rows.filter(at__lt=datetime.combine(last + timedelta(days=1), time.min, zone))
    return rows


def _day(typed: str, name: str, errors: list[dict[str, str]]) -> date | None:
    try:
        return dates.to_date(typed) if typed else None
    except Refused as refusal:
        errors.append({"target": f"id_{name}", "text": refusal.sentence})
        return None


def _readings(rows: list[Access]) -> list[Reading]:
    people = User.objects.in_bulk({row.user_id for row in rows if row.user_id})
    subjects = Subject.objects.select_related("site").in_bulk({row.subject_id for row in rows if row.subject_id})
    return [
        Reading(
            at=row.at,
            who=people[row.user_id].full_name if row.user_id in people else "",
            number=subjects[row.subject_id].number,
            site=subjects[row.subject_id].site.code,
            what=row.what,
            ok=row.ok,
        )
        for row in rows
        if row.subject_id
    ]
