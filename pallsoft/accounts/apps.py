from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in


class AccountsConfig(AppConfig):
    name = "pallsoft.accounts"
    label = "accounts"

    def ready(self) -> None:
        from pallsoft.accounts import access  # noqa: F401 - connects the access log

        # A sign-in writes the access log and no regulated row (decision D2).
        user_logged_in.disconnect(dispatch_uid="update_last_login")
