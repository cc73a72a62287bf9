"""Who acts, for commands that are given a user name."""

from django.core.management.base import CommandError

from pallsoft.accounts.models import User


def user_named(username: str | None) -> User | None:
    """None, the system, without a name. Raises CommandError for a name that nobody has."""
    if username is None:
        return None
    try:
        return User.objects.get_by_natural_key(username)
    except User.DoesNotExist:
        raise CommandError(f"There is no user {username}") from None
