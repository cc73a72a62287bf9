from django.db import migrations

from pallsoft.audit.operations import Grant, Regulated

# The columns that Django's DatabaseCache wants (createcachetable makes the same).
CACHE = """
    CREATE TABLE pallsoft_cache (
        cache_key varchar(255) PRIMARY KEY,
        value text NOT NULL,
        expires timestamptz NOT NULL
    );
    CREATE INDEX pallsoft_cache_expires ON pallsoft_cache (expires);
"""
ALL = "SELECT, INSERT, UPDATE, DELETE"


class Migration(migrations.Migration):
    """Accounts are trailed but for secrets; sign-in, sessions and rate limits have their own tables."""

    dependencies = [
        ("accounts", "0001_initial"),
        ("account", "0009_emailaddress_unique_primary_email"),
        ("mfa", "0003_authenticator_type_uniq"),
        ("sessions", "0001_initial"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        Regulated("accounts_user", exclude=["password", "last_login"], reason_free=["language"]),
        Grant("accounts_user", "SELECT, INSERT, UPDATE"),
        migrations.RunSQL(CACHE, "DROP TABLE pallsoft_cache"),
        Grant("pallsoft_cache", ALL),
        Grant("django_session", ALL),
        Grant("account_emailaddress", ALL),
        Grant("account_emailconfirmation", ALL),
        Grant("mfa_authenticator", ALL),
        Grant("django_content_type", "SELECT"),
        Grant("auth_permission", "SELECT"),
        Grant("django_migrations", "SELECT"),
    ]
