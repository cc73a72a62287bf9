"""What is frozen or locked: the path that a lock closes, who closed it and when, and the pages that say so."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from crf.models import Lock, LockKind, StudyEvent
from crf.selectors.secrets import secrets_of
from pallsoft.audit.models import ChangeSet
from sites.models import Site, Subject
from sites.permissions import AnyUser, Permission, has_permission, rights_at
from sites.selectors import definition_at
from trials.definition import FormDef, StudyDef
from trials.models import Study

ORDER = (LockKind.LOCK, LockKind.FREEZE)  # the stronger one first
CHIPS = {LockKind.LOCK: "locked", LockKind.FREEZE: "frozen"}


@dataclass(frozen=True)
class Target:
    """A path to close, from a whole study down to one form at one visit, with all its repeats."""

    study: Study
    site: Site | None = None
    subject: Subject | None = None
    event: StudyEvent | None = None
    form: FormDef | None = None

    @property
    def takes_two(self) -> bool:
        return self.subject is None

    @property
    def place(self) -> Site | None:
        """Where the permission is asked; None for the study as a whole."""
        return self.subject.site if self.subject else self.site

    @property
    def path(self) -> dict[str, Any]:
        """The columns of a lock on exactly this."""
        return {
            "study": self.study,
            "site": None if self.subject else self.site,
            "subject": self.subject,
            "event": self.event,
            "form_oid": self.form.oid if self.form else "",
        }

    @property
    def url(self) -> str:
        """Of the page where it is closed and opened."""
        if self.subject is None:
            return (
                reverse("lock-site", args=[self.study.oid, self.site.code])
                if self.site
                else reverse("lock-study", args=[self.study.oid])
            )
        address = [self.study.oid, self.subject.number, *(self.event.key if self.event else ())]
        if self.event is None:
            return reverse("lock-subject", args=address)
        return (
            reverse("lock-form", args=[*address, self.form.oid]) if self.form else reverse("lock-visit", args=address)
        )

    def covers(self) -> Q:
        """The standing locks that cover all of this, wider ones among them."""
        return Q(
            Q(site=None) | Q(site=self.place),
            Q(subject=None) | Q(subject=self.subject),
            Q(event=None) | Q(event=self.event if self.event and not self.event._state.adding else None),
            Q(form_oid="") | Q(form_oid=self.form.oid if self.form else ""),
            study=self.study,
            lifted_in=None,
        )


def locks_over(target: Target) -> list[Lock]:
    """The standing locks that cover the target: the stronger kind first, then the wider path."""
    rows = Lock.objects.filter(target.covers()).select_related("created_in", "site", "subject", "event")
    return sorted(rows, key=lambda lock: (ORDER.index(LockKind(lock.kind)), lock.form_oid != "", lock.created_in.at))


def still_possible(locks: Iterable[Lock]) -> list[LockKind]:
    """How that which these cover can still be closed: a lock leaves nothing, a freeze only the lock."""
    kinds = {lock.kind for lock in locks}
    return [kind for kind in LockKind if kinds.isdisjoint({kind, LockKind.LOCK})]


def strongest(locks: Iterable[Lock]) -> Lock | None:
    return min(locks, key=lambda lock: ORDER.index(LockKind(lock.kind)), default=None)


def lock_sentence(lock: Lock, what: str, **more: Any) -> str:
    """`what`, filled in with `state`, `day` and `name`: "The form is locked, 25.11.2026 by Tor Ås. Ask …"."""
    state = _("frozen") if lock.kind == LockKind.FREEZE else _("locked")
    zone = lock.subject.site.timezone if lock.subject else lock.study.timezone
    day = lock.created_in.at.astimezone(ZoneInfo(zone))
    return what % {"state": state, "day": f"{day:%d.%m.%Y}", "name": lock.created_in.actor_name, **more}


@dataclass(frozen=True)
class ShownLock:
    """A standing lock in words. `asked`: who wants a wide one lifted; `may_lift`: is it this person's turn?
    `may_withdraw`: did this person ask?
    """

    lock: Lock
    where: str
    url: str
    asked: ChangeSet | None
    may_lift: bool
    may_withdraw: bool

    @property
    def chip(self) -> str:
        return CHIPS[LockKind(self.lock.kind)]


def shown_locks(study: Study, user: AnyUser, over: Target | None = None) -> list[ShownLock]:
    """The standing locks of a study that the person may see, the newest first; `over`: those that cover a target."""
    rows = Lock.objects.filter(over.covers() if over else Q(study=study, lifted_in=None))
    locks = list(rows.select_related("created_in", "site", "subject__site", "event").order_by("-created_in__at"))
    asked = ChangeSet.objects.in_bulk([lock.lift_requested_in for lock in locks if lock.lift_requested_in])
    names = _Names(study)
    shown = []
    for lock in locks:
        place = lock.subject.site if lock.subject else lock.site
        rights = _rights(user, study, place)
        seen = lock.takes_two or rights & {Permission.FREEZE, Permission.CONFIRM_UNLOCK}
        if seen and (Permission.VIEW_ARM in rights or not names.tells_arm(lock)):
            request = asked.get(lock.lift_requested_in) if lock.lift_requested_in else None
            asks = request is not None and request.actor_id == user.pk
            turns = _may_lift(request, user, rights), asks and Permission.FREEZE in rights
            shown.append(ShownLock(lock, *names.of(lock), request, *turns))
    return shown


def closed_places(study: Study, sites: Iterable[Site]) -> list[dict[str, Any]]:
    """[{site, url, chip}]: the sites and whether one of them is closed as a whole."""
    locks = Lock.objects.filter(study=study, subject=None, event=None, form_oid="", lifted_in=None)
    kinds: dict[UUID | None, list[Lock]] = defaultdict(list)
    for lock in locks:
        kinds[lock.site_id].append(lock)
    places = []
    for site in sites:
        found = strongest([*kinds[None], *kinds[site.pk]])
        url = reverse("lock-site", args=[study.oid, site.code])
        places.append({"site": site, "url": url, "chip": CHIPS[LockKind(found.kind)] if found else ""})
    return places


def _rights(user: AnyUser, study: Study, place: Site | None) -> frozenset[Permission]:
    if place is None:
        wide = (Permission.FREEZE, Permission.CONFIRM_UNLOCK)
        return frozenset(one for one in wide if has_permission(user, one, study))
    return rights_at(user, study, place)


def _may_lift(asked: ChangeSet | None, user: AnyUser, rights: frozenset[Permission]) -> bool:
    if asked is None:
        return Permission.FREEZE in rights
    return Permission.CONFIRM_UNLOCK in rights and asked.actor_id != user.pk


class _Names:
    """Paths in the words of the definition, which is read once for each site."""

    def __init__(self, study: Study) -> None:
        self.study = study
        self.definitions: dict[UUID, StudyDef] = {}

    def of(self, lock: Lock) -> tuple[str, str]:
        """(words, address of the page where it is closed and opened)."""
        if lock.subject is None:
            return (str(lock.site) if lock.site else _("The whole study")), Target(self.study, lock.site).url
        lock.subject.study = lock.subject.site.study = self.study
        study = self._definition(lock.subject.site)
        event = lock.event
        form = study.form(lock.form_oid) if lock.form_oid and study.has_form(lock.form_oid) else None
        target = Target(self.study, lock.subject.site, lock.subject, event, form)
        parts = [lock.subject.number]
        if event:
            label = str(study.event(event.event_oid).label) if study.has_event(event.event_oid) else event.event_oid
            parts.append(f"{label} {event.ordinal}" if event.ordinal > 1 else label)
        return ", ".join([*parts, *([str(form.title)] if form else [])]), target.url

    def tells_arm(self, lock: Lock) -> bool:
        if lock.subject is None:
            return False
        secret = secrets_of(self.study)
        return lock.form_oid in secret.forms or bool(lock.event and lock.event.event_oid in secret.events)

    def _definition(self, site: Site) -> StudyDef:
        if site.pk not in self.definitions:
            self.definitions[site.pk] = definition_at(site)
        return self.definitions[site.pk]
