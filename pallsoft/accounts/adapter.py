"""How sign-in behaves here: accounts come by invitation only, and guessing is slowed without locking anybody out."""

from ipaddress import IPv4Address, ip_address, ip_network
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter, get_adapter
from django.http import HttpRequest

from pallsoft.accounts.models import User
from pallsoft.accounts.resets import owe_reset_mail


class AccountAdapter(DefaultAccountAdapter):
    """Closes the public sign-up (SIG-06) and counts wrong passwords per account *and* network (ACC-07)."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def send_password_reset_mail(self, user: User, email: str, context: dict[str, Any]) -> None:
        """Through the outbox, with a link on our own address: the request's Host header is its sender's to choose."""
        owe_reset_mail(user)

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """A stranger elsewhere who guesses at an account must not lock its owner out at the hospital."""
        return f"{super()._get_login_attempts_cache_key(request, **credentials)}:{self.get_client_ip(request)}"


def display_name(user: User) -> str:
    return user.full_name


def network_of(request: HttpRequest) -> str:
    """Whom the caller is counted as: an IPv4 address, or the /64 of an IPv6 address, which one household has whole.

    As our own proxy names it (PALLSOFT_CLIENT_IP_HEADER); a header of the caller's is not believed.
    """
    caller = ip_address(get_adapter().get_client_ip(request))
    caller = getattr(caller, "ipv4_mapped", None) or caller
    return str(caller if isinstance(caller, IPv4Address) else ip_network((caller, 64), strict=False))
