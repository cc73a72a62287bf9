"""Who signs proves at that moment who it is: password, and second factor where one is enrolled (21 CFR 11.200, SIG-02).

A proof belongs to one act of signing; an earlier one, or having signed in, counts for nothing. Failed attempts are
counted in the access log, which no restart and no other process forgets (SIG-08).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db import connection, transaction
from django.utils.translation import gettext as _

from pallsoft.accounts.locked_mail import tell_of_lock
from pallsoft.accounts.models import User
from pallsoft.audit import access
from pallsoft.audit.access import record_access
from pallsoft.errors import InvalidInput, NotAllowedNow
from pallsoft.templatetags.ui import clock

ATTEMPT = "prove identity to sign"


@dataclass(frozen=True)
class Proof:
    """Made by `prove` alone: this person has just shown who they are."""

    user: User


def prove(*, user: User, password: str, code: str = "") -> Proof:
    """Check the password, and the code of the second factor when one is enrolled.

    Raises InvalidInput at "password" or "code", NotAllowedNow while signing is locked for the account.
    """
    _check_filled(user, password, code)
    with transaction.atomic():
        _one_at_a_time(user)
        until = locked_until(user)
        errors = {} if until else _errors(user, password, code)
        if not until:
            record_access(user=user, subject=None, what=ATTEMPT, ok=not errors)
            until = locked_until(user)
            if until:
                tell_of_lock(user)
    if until:
        raise NotAllowedNow(
            _("Signing is locked for your account until %(time)s, after too many failed attempts.")
            % {"time": clock(until)}
        )
    if errors:
        raise InvalidInput(errors)
    return Proof(user)


def needs_code(user: User) -> bool:
    """Has the person enrolled a second factor?"""
    return bool(Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).exists())


def locked_until(user: User) -> datetime | None:
    """When signing is possible again; None when it is now."""
    lock = timedelta(minutes=int(settings.SIGNING_LOCK_MINUTES))
    return access.locked_until(what=ATTEMPT, tries=settings.SIGNING_ATTEMPTS, lock=lock, user=user)


def _check_filled(user: User, password: str, code: str) -> None:
    """An empty field is no attempt at guessing."""
    errors = {}
    if not password:
        errors["password"] = [_("Type your password.")]
    if not code.strip() and needs_code(user):
        errors["code"] = [_("Type the code that your authenticator app shows now.")]
    if errors:
        raise InvalidInput(errors)


def _errors(user: User, password: str, code: str) -> dict[str, list[str]]:
    if not (user.is_active and user.check_password(password)):
        return {"password": [_("This is not your password. Nothing was signed.")]}
    if needs_code(user) and not _is_code_of(user, code.strip()):
        return {"code": [_("The code is wrong or was used already. Wait for the next one. Nothing was signed.")]}
    return {}


def _is_code_of(user: User, code: str) -> bool:
    """Of the app, or one of the recovery codes; each works once."""
    return any(
        factor.wrap().validate_code(code)
        for factor in Authenticator.objects.filter(
            user=user, type__in=[Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES]
        )
    )


def _one_at_a_time(user: User) -> None:
    """Many guesses sent at once are counted like many sent one after another."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"prove {user.pk}"])
