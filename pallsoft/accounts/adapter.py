"""How sign-in behaves here: accounts come by invitation only, and guessing is slowed without locking anybody out."""

from typing import Any
from urllib.parse import urljoin, urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest

from pallsoft.accounts.models import User


class AccountAdapter(DefaultAccountAdapter):
    """Closes the public sign-up (SIG-06) and counts wrong passwords per account *and* network (ACC-07)."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_reset_password_from_key_url(self, key: str) -> str:
        """On our own address: the one of the request is what its sender wrote into the Host header."""
        return urljoin(settings.BASE_URL, urlsplit(super().get_reset_password_from_key_url(key)).path)

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """A stranger elsewhere who guesses at an account must not lock its owner out at the hospital."""
        return f"{super()._get_login_attempts_cache_key(request, **credentials)}:{self.get_client_ip(request)}"


def display_name(user: User) -> str:
    return user.full_name
