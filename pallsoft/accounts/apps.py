"""Accounts: their mails, and the access log of every sign-in."""

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in


class AccountsConfig(AppConfig):
    name = "pallsoft.accounts"
    label = "accounts"

    def ready(self) -> None:
        from pallsoft.accounts import access, idle, locked_mail, resets  # noqa: F401 - the first two connect to signals
        from pallsoft.outbox.registry import register

        register(resets.KIND, still_owed=resets.still_owed, render=resets.render)

        for kind, render in (
            (locked_mail.TO_PERSON, locked_mail.render_for_person),
            (locked_mail.TO_SECURITY, locked_mail.render_for_security),
        ):
            register(kind, still_owed=locked_mail.still_owed, render=render)

        # A sign-in writes the access log and no regulated row (decision D2).
        user_logged_in.disconnect(dispatch_uid="update_last_login")
