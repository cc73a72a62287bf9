"""Who may do what, where and when (decision D8): nothing unless a current assignment gives it.

Days are the site's own, by the database's clock; the last day counts until 24.00 local.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum, auto
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from pallsoft.accounts.models import Profession, User
from pallsoft.errors import NotPermitted
from pallsoft.request import once
from sites.clock import LocalDate
from sites.models import Assignment, Delegation, Role, Site, Task
from trials.models import Study

AnyUser = User | AnonymousUser


class Permission(StrEnum):
    """One act or one kind of view. Every page and every service names the one it needs."""

    VIEW_STUDY = auto()
    VIEW_SUBJECT = auto()
    VIEW_ARM = auto()
    VIEW_BY_ARM = auto()  # numbers of the whole trial by arm
    VIEW_TRAIL = auto()
    VIEW_RECRUITMENT = auto()
    LOG_SCREENING = auto()
    RECORD_CONSENT = auto()
    ENTER_DATA = auto()
    KEEP_CONTACT = auto()  # telephone and e-mail of a participant: nobody else sees that there are any
    CONFIRM_ELIGIBILITY = auto()
    RANDOMIZE = auto()
    SIGN = auto()
    REPORT_SAE = auto()
    ASSESS_EVENT = auto()  # the sponsor's own judgement of a serious event, and that its reports are read
    REQUEST_CORRECTION = auto()
    CONFIRM_CORRECTION = auto()
    DELEGATE = auto()
    EXPORT = auto()
    VIEW_USERS = auto()
    MANAGE_USERS = auto()
    MANAGE_SITES = auto()
    MANAGE_STUDY = auto()
    MOVE_FORM = auto()  # a form that is begun, to the version that its site uses now
    EMERGENCY_STOP = auto()
    RAISE_QUERY = auto()  # and close, cancel, open again; answering is ENTER_DATA
    RECORD_DEVIATION = auto()
    JUDGE_DEVIATION = auto()  # whether a proposed deviation is one
    VERIFY = auto()  # compare with the source
    FREEZE = auto()  # and lock; lifting a lock of a site or the study takes a second person
    CONFIRM_UNLOCK = auto()
    MASK = auto()  # identity typed by mistake; two persons
    ERASE = auto()  # after a withdrawal with deletion; two persons
    VIEW_ACCESS_LOG = auto()
    EXPORT_TRAIL = auto()
    HOLD_LIST = auto()  # generate, import and confirm the sealed list


P = Permission
READ = {P.VIEW_STUDY, P.VIEW_SUBJECT, P.VIEW_TRAIL, P.VIEW_RECRUITMENT}
ENTRY = READ | {
    P.VIEW_ARM, P.LOG_SCREENING, P.RECORD_CONSENT, P.ENTER_DATA, P.KEEP_CONTACT, P.RANDOMIZE, P.REPORT_SAE,
    P.RECORD_DEVIATION,
}  # fmt: skip

# The open label lets a site, its monitor and an inspector see the arm of each randomised subject. The sponsor's own
# people, who judge data and send queries, do not see it.
PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.STUDY_NURSE: frozenset(ENTRY),
    Role.INVESTIGATOR: frozenset(ENTRY | {P.CONFIRM_ELIGIBILITY, P.SIGN}),
    Role.PRINCIPAL_INVESTIGATOR: frozenset(
        ENTRY
        | {P.CONFIRM_ELIGIBILITY, P.SIGN, P.REQUEST_CORRECTION, P.DELEGATE, P.VIEW_USERS, P.VIEW_ACCESS_LOG}
        | {P.JUDGE_DEVIATION}
    ),
    Role.COORDINATOR: frozenset(
        READ
        | {P.CONFIRM_CORRECTION, P.VIEW_USERS, P.MANAGE_SITES, P.MANAGE_STUDY, P.MOVE_FORM, P.EMERGENCY_STOP}
        | {P.RAISE_QUERY, P.CONFIRM_UNLOCK, P.MASK, P.ERASE, P.VIEW_ACCESS_LOG, P.ASSESS_EVENT, P.RECORD_DEVIATION}
    ),
    Role.DATA_MANAGER: frozenset(
        READ | {P.EXPORT, P.EXPORT_TRAIL, P.RAISE_QUERY, P.FREEZE, P.MOVE_FORM, P.MASK, P.ERASE}
    ),
    Role.MONITOR: frozenset(READ | {P.VIEW_ARM, P.VIEW_USERS, P.RAISE_QUERY, P.VERIFY, P.RECORD_DEVIATION}),
    Role.INSPECTOR: frozenset(READ | {P.VIEW_ARM, P.VIEW_USERS, P.VIEW_ACCESS_LOG, P.EXPORT_TRAIL}),
    Role.UNBLINDED_STATISTICIAN: frozenset(
        {P.VIEW_STUDY, P.VIEW_RECRUITMENT, P.VIEW_ARM, P.VIEW_BY_ARM, P.EXPORT, P.HOLD_LIST}
    ),
    Role.DSMB_READER: frozenset({P.VIEW_STUDY, P.VIEW_RECRUITMENT, P.VIEW_ARM, P.VIEW_BY_ARM}),
    Role.USER_ADMINISTRATOR: frozenset({P.VIEW_STUDY, P.VIEW_USERS, P.MANAGE_USERS}),
}

# Duties that nobody may unite, in one role or in several (ACC-14).
APART: tuple[tuple[Permission, Permission], ...] = (
    (P.MANAGE_USERS, P.ENTER_DATA),
    (P.MANAGE_USERS, P.RANDOMIZE),
    (P.MANAGE_USERS, P.VIEW_ARM),
    (P.HOLD_LIST, P.RANDOMIZE),
    (P.HOLD_LIST, P.ENTER_DATA),
    (P.HOLD_LIST, P.MANAGE_USERS),
    (P.EXPORT, P.ENTER_DATA),
    (P.RAISE_QUERY, P.ENTER_DATA),
    (P.VERIFY, P.ENTER_DATA),
    (P.ASSESS_EVENT, P.ENTER_DATA),
    (P.VIEW_BY_ARM, P.ENTER_DATA),
    (P.VIEW_BY_ARM, P.RANDOMIZE),
    (P.FREEZE, P.CONFIRM_UNLOCK),
    (P.REQUEST_CORRECTION, P.CONFIRM_CORRECTION),
)

# What a delegation of a task needs besides: the role's permission.
TASK_PERMISSION: dict[Task, Permission] = {
    Task.CONFIRM_ELIGIBILITY: P.CONFIRM_ELIGIBILITY,
    Task.RANDOMIZE: P.RANDOMIZE,
    Task.SIGN: P.SIGN,
    Task.REPORT_SAE: P.REPORT_SAE,
}
PHYSICIAN_TASKS = frozenset({Task.CONFIRM_ELIGIBILITY})
SIGNING_TASKS = frozenset({Task.CONFIRM_ELIGIBILITY, Task.SIGN})  # identity verified first (SIG-07)


def has_permission(user: AnyUser, permission: Permission, study: Study, site: Site | None = None) -> bool:
    """May this person do it at `site`, or, without a site, for the study as a whole (all its sites)?"""
    return granting_role(user, permission, study, site) is not None


def require(user: AnyUser, permission: Permission, study: Study | None, site: Site | None = None) -> Role:
    """The role that gives the permission, for the change set. Raises NotPermitted without one."""
    role = granting_role(user, permission, study, site)
    if role is None:
        raise NotPermitted(_("Your role does not allow this. Ask the user administrator of the trial."))
    return role


def granting_role(user: AnyUser, permission: Permission, study: Study | None, site: Site | None = None) -> Role | None:
    """The role by which the person may; one held at the site goes before one held for all sites."""
    found = [held for held in roles_held(user) if held.covers(study, site) and permission in PERMISSIONS[held.role]]
    return min(found, key=lambda held: (held.site is None, held.role)).role if found else None


def rights_at(user: AnyUser, study: Study, site: Site) -> frozenset[Permission]:
    """Everything that the person may do at a site."""
    return frozenset().union(*(PERMISSIONS[held.role] for held in roles_held(user) if held.covers(study, site)))


def sites_for(user: AnyUser, study: Study, permission: Permission) -> QuerySet[Site]:
    """The sites of the study at which the person has the permission, by name of the city."""
    return study.sites.filter(**at_sites(user, study, permission, field="pk"))


def at_sites(user: AnyUser, study: Study, permission: Permission, field: str = "site") -> dict[str, set[UUID]]:
    """The same as a condition on rows of the study with a `field` that names their site; none for all sites."""
    held = {one.site for one in roles_held(user) if one.study == study and permission in PERMISSIONS[one.role]}
    return {} if None in held else {f"{field}__in": {site for site in held if site}}


def permissions_anywhere(user: AnyUser, study: Study) -> set[Permission]:
    """What the person may do at one site at least: which pages the navigation shows."""
    return set().union(*(PERMISSIONS[held.role] for held in roles_held(user) if held.study == study))


def require_anywhere(user: AnyUser, permission: Permission, study: Study) -> None:
    """For pages that show what `sites_for` finds. Raises NotPermitted when that is nothing by right."""
    if permission not in permissions_anywhere(user, study):
        raise NotPermitted(_("Your role does not allow this. Ask the user administrator of the trial."))


def studies_for(user: AnyUser) -> list[Study]:
    """The studies in which the person has any role today, by OID."""
    return sorted({held.study for held in roles_held(user)}, key=lambda study: study.oid)


def roles_with(permission: Permission) -> list[Role]:
    return [role for role, permissions in PERMISSIONS.items() if permission in permissions]


@dataclass(frozen=True)
class Held:
    """A role in force; `site` None: at all sites of the study."""

    study: Study
    site: UUID | None
    role: Role

    def covers(self, study: Study | None, site: Site | None) -> bool:
        """Does it hold at `site`; without a site, for the study as a whole?"""
        return study is not None and self.study == study and (self.site is None or (site and site.pk) == self.site)


# Each assignment holds by the day at its own site, that for all sites by the day of the study. In SQL of our own: every
# page asks, and Django needs longer to make the statement than PostgreSQL to answer it.
HELD = """SELECT s.*, a.role AS held_as, a.site_id AS held_at
    FROM sites_assignment a JOIN trials_study s ON s.id = a.study_id LEFT JOIN sites_site p ON p.id = a.site_id
    WHERE a.user_id = %s AND (statement_timestamp() AT TIME ZONE coalesce(p.timezone, s.timezone))::date
        BETWEEN a.valid_from AND coalesce(a.valid_until, 'infinity')"""


def roles_held(user: AnyUser) -> list[Held]:
    """The roles that hold today. All that a person may do follows from them, so a page asks for them once."""
    return once(("roles", user.pk), lambda: _roles_held(user))


def _roles_held(user: AnyUser) -> list[Held]:
    if not user.is_authenticated or not user.is_active:
        return []
    found: Iterable[Any] = Study.objects.raw(HELD, [user.pk])
    return [Held(study, study.held_at, Role(study.held_as)) for study in found]


def unites_apart(roles: set[Role]) -> bool:
    """Would one person with these roles hold duties that must stay with two (ACC-14)?"""
    held = set().union(*(PERMISSIONS[role] for role in roles))
    return any(one in held and other in held for one, other in APART)


def has_delegation(user: AnyUser, task: Task, site: Site, on: date | None = None) -> bool:
    """Is the task this person's at the site, today or on another of the site's days?

    Yes for the principal investigator and for who has it delegated, last day included; eligibility is confirmed by
    physicians only. Ask `has_permission` besides, or both at once with `require_task`.
    """
    return not _delegation_refusal(user, task, site, on)


def require_task(user: AnyUser, task: Task, site: Site) -> Delegation | None:
    """The delegation by which the person may act now; None for the principal investigator.

    Raises NotPermitted with a sentence that says whom to ring.
    """
    require(user, TASK_PERMISSION[task], site.study, site)
    refusal = _delegation_refusal(user, task, site, on=None)
    if refusal:
        raise NotPermitted(refusal)
    return delegations_to(user, task, site).first()


def may_perform(user: AnyUser, task: Task, site: Site) -> bool:
    """The yes or no of `require_task`, for buttons."""
    return has_permission(user, TASK_PERMISSION[task], site.study, site) and has_delegation(user, task, site)


def delegations_to(user: AnyUser, task: Task, site: Site, on: date | None = None) -> QuerySet[Delegation]:
    """What holds today, or on `on`, of what this person got delegated; the newest first."""
    if not user.is_authenticated or not user.is_active:
        return Delegation.objects.none()
    day = on or LocalDate(Now(), F("site__timezone"))
    return Delegation.objects.filter(_holds_on(day), user=user, task=task, site=site).order_by("-valid_from")


def principal_investigators(site: Site) -> QuerySet[User]:
    """Who holds that role at the site today."""
    today = LocalDate(Now(), F("assignments__site__timezone"))
    return User.objects.filter(
        _holds_on(today, "assignments__"),
        assignments__role=Role.PRINCIPAL_INVESTIGATOR,
        assignments__site=site,
        is_active=True,
    ).distinct()


def roles_at(site: Site) -> set[Role]:
    """The roles that somebody holds at the site itself today."""
    held = Assignment.objects.filter(_holds_on(LocalDate(Now(), F("site__timezone"))), site=site, user__is_active=True)
    return {Role(role) for role in held.values_list("role", flat=True)}


def _delegation_refusal(user: AnyUser, task: Task, site: Site, on: date | None) -> str:
    leaders = list(principal_investigators(site))
    if task in SIGNING_TASKS and not getattr(user, "verified_at", None):
        return _("Your identity has not been verified yet. Ask the user administrator of the trial to do so first.")
    if task in PHYSICIAN_TASKS and getattr(user, "profession", "") != Profession.PHYSICIAN:
        return _("Only a physician may do this. Ring %(name)s.") % {"name": _names(leaders)}
    if user in leaders or delegations_to(user, task, site, on).exists():
        return ""
    return _("This task is not delegated to you at %(site)s today. Ring %(name)s.") % {
        "site": site,
        "name": _names(leaders),
    }


def _names(leaders: list[User]) -> str:
    names = ", ".join(user.full_name for user in leaders)
    if not names:
        return _("the coordinator of the trial")
    return _("%(name)s, principal investigator") % {"name": names}


def _holds_on(day: date | F | LocalDate, prefix: str = "") -> Q:
    """The rows whose validity covers `day`; both ends included."""
    last = Q(**{f"{prefix}valid_until": None}) | Q(**{f"{prefix}valid_until__gte": day})
    return last & Q(**{f"{prefix}valid_from__lte": day})
