"""How sign-in behaves here: accounts come by invitation only."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest

from pallsoft.accounts.models import User


class AccountAdapter(DefaultAccountAdapter):
    """Closes the public sign-up (SIG-06: an account belongs to a person whose identity somebody checked)."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False


def display_name(user: User) -> str:
    return user.full_name
