from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "pallsoft.accounts"
    label = "accounts"
