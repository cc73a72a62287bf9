"""The one-time link with which a person sets a password: for the invited and the forgetful."""

from urllib.parse import urljoin

from allauth.account import app_settings
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.urls import reverse

from pallsoft.accounts.models import User


def set_password_link(user: User) -> str:
    """Works until a password is set with it, or PASSWORD_RESET_TIMEOUT has passed. Names the account by its id only."""
    token = app_settings.PASSWORD_RESET_TOKEN_GENERATOR().make_token(user)
    path = reverse("account_reset_password_from_key", kwargs={"uidb36": user_pk_to_url_str(user), "key": token})
    return urljoin(str(settings.BASE_URL), path)
