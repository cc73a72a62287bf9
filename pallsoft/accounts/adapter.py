"""How sign-in behaves here: accounts come by invitation only, and guessing is slowed without locking anybody out."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest

from pallsoft.accounts.models import User


class AccountAdapter(DefaultAccountAdapter):
    """Closes the public sign-up (SIG-06) and counts wrong passwords per account *and* network (ACC-07)."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """A stranger elsewhere who guesses at an account must not lock its owner out at the hospital."""
        return f"{super()._get_login_attempts_cache_key(request, **credentials)}:{self.get_client_ip(request)}"


def display_name(user: User) -> str:
    return user.full_name
