"""Accounts: the mail for a forgotten password, and the access log of every sign-in."""

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in


class AccountsConfig(AppConfig):
    name = "pallsoft.accounts"
    label = "accounts"

    def ready(self) -> None:
        from pallsoft.accounts import access, idle, resets  # noqa: F401 - the first two connect to signals
        from pallsoft.outbox.registry import register

        register(resets.KIND, still_owed=resets.still_owed, render=resets.render)

        # A sign-in writes the access log and no regulated row (decision D2).
        user_logged_in.disconnect(dispatch_uid="update_last_login")
