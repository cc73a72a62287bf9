"""Accounts, roles and delegations. Nothing here is ever deleted: an end is a date."""

import re
from datetime import date, timedelta

from django.db.models import Q
from django.utils.translation import gettext as _

from pallsoft.accounts.models import Profession, User, Verification
from pallsoft.errors import InvalidInput, NotAllowedNow, NotPermitted
from pallsoft.outbox.models import Message
from pallsoft.outbox.services import owe
from sites.acting import acting
from sites.clock import database_now, local_today
from sites.models import Assignment, Delegation, Role, Site, Task
from sites.permissions import (
    PHYSICIAN_TASKS,
    SIGNING_TASKS,
    TASK_PERMISSION,
    Permission,
    has_permission,
    principal_investigators,
    studies_for,
    unites_apart,
)
from trials.models import Study

INVITATION = "invitation"
USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,59}")


def invite_user(
    *,
    study: Study | None,
    username: str,
    full_name: str,
    email: str,
    profession: Profession = Profession.OTHER,
    language: str = "nb",
    by: User | None,
) -> User:
    """A personal account without a password, and a mail with a link that sets one.

    Raises InvalidInput when the user name or the address was ever used: neither is given twice (SIG-06).
    """
    username, email = username.strip().lower(), email.strip().lower()
    with acting(Permission.MANAGE_USERS, study=study, by=by, action="sites.invite_user"):
        _check_new_account(username, email)
        user = User(username=username, full_name=full_name, email=email, profession=profession, language=language)
        user.set_unusable_password()
        user.save()
        _owe_invitation(study, user)
    return user


def send_invitation(*, study: Study, user: User, by: User) -> None:
    """Send the link again, for one that expired. Raises NotAllowedNow when the person has set a password."""
    with acting(Permission.MANAGE_USERS, study=study, by=by, action="sites.send_invitation"):
        if user.has_usable_password():
            raise NotAllowedNow(_("%(name)s has already set a password.") % {"name": user.full_name})
        _owe_invitation(study, user)


def verify_identity(*, study: Study, user: User, how: Verification, by: User | None) -> User:
    """Somebody has seen who the person is; needed before the right to sign is given (SIG-07).

    Raises NotPermitted for one's own identity, NotAllowedNow when it is verified already.
    """
    with acting(Permission.MANAGE_USERS, study=study, by=by, action="sites.verify_identity"):
        user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        if user == by:
            raise NotPermitted(_("Nobody verifies their own identity. Ask another user administrator."))
        if user.verified_at:
            raise NotAllowedNow(_("The identity of %(name)s is verified already.") % {"name": user})
        user.verified_by, user.verified_at, user.verified_how = by, database_now(), how
        user.save(update_fields=["verified_by", "verified_at", "verified_how"])
    return user


def assign_role(
    *,
    study: Study,
    user: User,
    role: Role,
    site: Site | None,
    valid_from: date | None = None,
    valid_until: date | None = None,
    by: User | None,
) -> Assignment:
    """A role at one site, or at all with `site` None, from today or `valid_from` to the end of `valid_until`.

    Raises InvalidInput for days in the wrong order or a role held already, NotPermitted when the person would
    unite duties that must stay apart (ACC-14) or assigns to themselves.
    """
    with acting(Permission.MANAGE_USERS, study=study, by=by, action="sites.assign_role", site=site):
        User.objects.select_for_update(no_key=True).get(pk=user.pk)  # two roles given at once must not slip past
        valid_from = valid_from or local_today(site.timezone if site else study.timezone)
        _check_period(valid_from, valid_until)
        _check_assignment(study, user, role, site, by)
        return Assignment.objects.create(
            study=study, user=user, role=role, site=site, valid_from=valid_from, valid_until=valid_until
        )


def end_assignment(*, assignment: Assignment, last_day: date, by: User | None, reason: str) -> Assignment:
    """The role ends with `last_day`, which still counts. Raises InvalidInput."""
    with acting(
        Permission.MANAGE_USERS,
        study=assignment.study,
        by=by,
        action="sites.end_assignment",
        reason=reason,
        site=assignment.site,
    ):
        _end(assignment, last_day)
    return assignment


def delegate_task(
    *, site: Site, user: User, task: Task, valid_from: date, valid_until: date | None, by: User
) -> Delegation:
    """The principal investigator gives a task to somebody of the site, for a time, last day included (ICH E6(R3) 2.3).

    Raises InvalidInput when the person's role or profession does not allow the task.
    """
    with acting(Permission.DELEGATE, study=site.study, by=by, action="sites.delegate_task", site=site):
        _check_period(valid_from, valid_until)
        _check_delegate(site, user, task)
        return Delegation.objects.create(
            study=site.study,
            site=site,
            user=user,
            task=task,
            valid_from=valid_from,
            valid_until=valid_until,
            delegated_by=by,
        )


def end_delegation(*, delegation: Delegation, last_day: date, by: User, reason: str) -> Delegation:
    """The task goes back after `last_day`, which still counts. Raises InvalidInput."""
    with acting(
        Permission.DELEGATE,
        study=delegation.study,
        by=by,
        action="sites.end_delegation",
        reason=reason,
        site=delegation.site,
    ):
        _end(delegation, last_day)
    return delegation


def deactivate_user(*, study: Study, user: User, by: User, reason: str) -> User:
    """Nobody signs in with this account again; it stays, with all that it did.

    Needs the right in every study in which the person has a role, since the account is one for all.
    """
    for other in studies_for(user):
        if other != study and not has_permission(by, Permission.MANAGE_USERS, other):
            raise NotPermitted(_("%(name)s also has a role in %(study)s.") % {"name": user, "study": other})
    with acting(Permission.MANAGE_USERS, study=study, by=by, action="sites.deactivate_user", reason=reason):
        user.is_active = False
        user.save(update_fields=["is_active"])
    return user


def _check_new_account(username: str, email: str) -> None:
    errors: dict[str, list[str]] = {}
    if not USERNAME.fullmatch(username):
        errors["username"] = [_("Use 2 to 60 letters a to z, digits, full stops, hyphens.")]
    elif User.objects.filter(username__iexact=username).exists():
        errors["username"] = [_("This user name has been used. A user name is never given to a second person.")]
    if User.objects.filter(email__iexact=email).exists():
        errors["email"] = [_("Somebody has an account with this address. Give that person a role instead.")]
    if errors:
        raise InvalidInput(errors)


def _owe_invitation(study: Study | None, user: User) -> None:
    already = Message.objects.filter(kind=INVITATION, recipient_id=user.pk).count()
    study_id = study.pk if study else None
    owe(kind=INVITATION, recipient_id=user.pk, study_id=study_id, ordinal=already + 1)


def _check_assignment(study: Study, user: User, role: Role, site: Site | None, by: User | None) -> None:
    if user == by:
        raise NotPermitted(_("Nobody gives a role to themselves. Ask another user administrator."))
    held = Assignment.objects.filter(_not_over(study.timezone), study=study, user=user)
    if held.filter(role=role, site=site).exists():
        raise InvalidInput({"role": [_("%(name)s already has this role there.") % {"name": user.full_name}]})
    if unites_apart({Role(other.role) for other in held} | {role}):
        raise NotPermitted(
            _("%(name)s would hold duties that must stay with two persons. Choose another person or role.")
            % {"name": user.full_name}
        )


def _not_over(timezone: str) -> Q:
    return Q(valid_until=None) | Q(valid_until__gte=local_today(timezone))


def _check_period(valid_from: date, valid_until: date | None) -> None:
    if valid_until and valid_until < valid_from:
        raise InvalidInput({"valid_until": [_("The last day lies before the first.")]})


def _check_delegate(site: Site, user: User, task: Task) -> None:
    errors = []
    if task in PHYSICIAN_TASKS and user.profession != Profession.PHYSICIAN:
        errors.append(_("Only a physician can get this task; %(name)s is not registered as one.") % {"name": user})
    if task in SIGNING_TASKS and not user.verified_at:
        errors.append(
            _("The identity of %(name)s is not verified yet. Ask the user administrator to do so first.")
            % {"name": user}
        )
    if not has_permission(user, TASK_PERMISSION[task], site.study, site):
        errors.append(_("%(name)s has no role at %(site)s that can do this.") % {"name": user, "site": site})
    if user in principal_investigators(site):
        errors.append(_("A principal investigator needs no delegation."))
    if errors:
        raise InvalidInput({"user": errors})


def _end(row: Assignment | Delegation, last_day: date) -> None:
    _check_last_day(row, last_day)
    row.valid_until = last_day
    row.save(update_fields=["valid_until"])


def _check_last_day(row: Assignment | Delegation, last_day: date) -> None:
    """Yesterday ends it at once; an earlier day would rewrite who was allowed what."""
    today = local_today(row.site.timezone if row.site else row.study.timezone)
    if last_day < today - timedelta(days=1):
        raise InvalidInput({"last_day": [_("Give yesterday's date to end it at once, or a later day.")]})
    if row.valid_until and last_day > row.valid_until:
        raise InvalidInput({"last_day": [_("It already ends before that day.")]})
