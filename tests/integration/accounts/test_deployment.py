"""In real use, over HTTPS: Django's own deployment check, and cookies that only this host gets."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
REAL_USE = {
    "PALLSOFT_MODE": "production",
    "PALLSOFT_BASE_URL": "https://pallsoft.example",
    "PALLSOFT_ALLOWED_HOSTS": "pallsoft.example",
}


def in_real_use(*arguments):
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=os.environ | REAL_USE, capture_output=True, text=True
    )


@pytest.mark.req("ACC-11")
def test_the_deployment_check_of_django_has_no_warning():
    checked = in_real_use("manage.py", "check", "--deploy", "--fail-level", "WARNING", "--tag", "security")
    assert checked.returncode == 0, checked.stderr


@pytest.mark.req("ACC-11")
def test_cookies_are_bound_to_the_host_and_hsts_lasts_a_year():
    names = "SESSION_COOKIE_NAME CSRF_COOKIE_NAME SESSION_COOKIE_SECURE CSRF_COOKIE_SECURE SECURE_HSTS_SECONDS"
    told = in_real_use("-c", f"from pallsoft import settings as s; print(*(getattr(s, n) for n in '{names}'.split()))")
    assert told.stdout.split() == ["__Host-session", "__Host-csrf", "True", "True", "31536000"], told.stderr


@pytest.mark.req("ACC-11")
def test_no_script_reads_the_session_and_no_other_site_sends_it():
    names = "SESSION_COOKIE_HTTPONLY CSRF_COOKIE_HTTPONLY SESSION_COOKIE_SAMESITE CSRF_COOKIE_SAMESITE"
    told = in_real_use("-c", f"from pallsoft import settings as s; print(*(getattr(s, n) for n in '{names}'.split()))")
    assert told.stdout.split() == ["True", "True", "Lax", "Lax"], told.stderr


@pytest.mark.req("ACC-12")
@pytest.mark.parametrize("name", ["DEBUG", "DJANGO_DEBUG", "PALLSOFT_DEBUG"])
def test_nothing_in_the_environment_turns_debugging_on(name, monkeypatch):
    monkeypatch.setenv(name, "1")
    told = in_real_use("-c", "from pallsoft import settings; print(settings.DEBUG)")
    assert told.stdout.split() == ["False"], told.stderr


@pytest.mark.req("ACC-11")
def test_a_page_over_https_says_that_only_https_is_used(client, settings):
    settings.SECURE_HSTS_SECONDS = 31_536_000
    assert "max-age=31536000" in client.get("/healthz", secure=True)["Strict-Transport-Security"]
