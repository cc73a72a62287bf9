"""Signing in and out goes to the access log, not to the trail of data (decision D2, AUD-12)."""

from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver

from pallsoft.accounts.models import User
from pallsoft.audit.access import record_access


@receiver(user_logged_in)
def signed_in(user: User, **kwargs: Any) -> None:
    record_access(user=user, subject=None, what="sign in")


@receiver(user_logged_out)
def signed_out(user: User | None, **kwargs: Any) -> None:
    record_access(user=user, subject=None, what="sign out")


@receiver(user_login_failed)
def failed_to_sign_in(credentials: dict[str, Any], **kwargs: Any) -> None:
    """What was typed is not stored: people type passwords into the field of the name."""
    record_access(user=_account_of(credentials), subject=None, what="sign in", ok=False)


def _account_of(credentials: dict[str, Any]) -> User | None:
    if "email" in credentials:
        return User.objects.filter(email__iexact=credentials["email"]).first()
    return User.objects.filter(username__iexact=credentials.get("username", "")).first()
