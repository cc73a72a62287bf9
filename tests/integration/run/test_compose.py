"""docker-compose.yml keeps the promises of docs/deploy.md."""

import re

import pytest
from django.core.management import get_commands
from ruamel.yaml import YAML

from docker import make_secrets
from tools.steps import ROOT

COMPOSE = YAML(typ="safe").load(ROOT / "docker-compose.yml")
SERVICES = COMPOSE["services"]
OURS = [name for name, service in SERVICES.items() if service["image"].startswith("pallsoft:")]
each_service = pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)


def variables_that_settings_read():
    source = (ROOT / "pallsoft" / "settings.py").read_text(encoding="utf-8")
    names = set(re.findall(r'env\.\w+\(\s*f?"([A-Z_]+)["{]', source))
    return names | {f"{name}{role}" for name in names if name.endswith("_") for role in ("OWNER", "APP")}


def test_all_parts_are_there():
    assert set(SERVICES) == {"db", "valkey", "prepare", "web", "worker", "beat", "proxy"}


@each_service
def test_every_service_is_read_only_and_without_privileges(service):
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]


@each_service
def test_no_service_runs_as_root(service):
    assert str(service["user"]).split(":")[0] not in ("0", "root")


@each_service
def test_every_service_that_stays_has_a_health_check(service):
    ends_by_itself = service["restart"] == "no"
    assert ends_by_itself or service["healthcheck"]["test"]


@each_service
def test_images_are_pinned_to_a_version(service):
    assert re.fullmatch(r"[\w./-]+:(\$\{PALLSOFT_VERSION:-local\}|\d[\w.-]+)", service["image"])


@pytest.mark.req("OPS-15")
@each_service
def test_secrets_come_from_files_only(service):
    secret = re.compile(r"PASSWORD|SECRET|REDIS_URL")
    for name, value in (service.get("environment") or {}).items():
        if secret.search(name):
            assert name.endswith("_FILE") and value.removeprefix("/run/secrets/") in service["secrets"]


@each_service
def test_a_service_gets_only_secrets_that_exist(service):
    assert set(service.get("secrets", [])) <= set(COMPOSE["secrets"])


@pytest.mark.parametrize("name", OURS)
def test_every_variable_is_one_that_settings_read(name):
    known = variables_that_settings_read() | {"POSTGRES_PASSWORD"}  # docker/prepare.py
    given = {variable.removesuffix("_FILE") for variable in SERVICES[name]["environment"]}
    assert given - known == set()


def test_only_the_migrating_service_knows_the_owner():
    assert [name for name, s in SERVICES.items() if "owner_password" in s.get("secrets", [])] == ["prepare"]


def test_only_the_proxy_can_be_reached_from_outside():
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]
    assert COMPOSE["networks"]["inside"]["internal"] and COMPOSE["networks"]["edge"]["internal"]
    assert SERVICES["db"]["networks"] == SERVICES["valkey"]["networks"] == ["inside"]


def test_the_proxy_names_the_caller_itself():
    """Else a caller could choose the address that the rate limits count."""
    proxy = (ROOT / "docker" / "nginx.conf").read_text()
    header = SERVICES["web"]["environment"]["PALLSOFT_CLIENT_IP_HEADER"]
    assert f"proxy_set_header {header} $remote_addr;" in proxy
    assert "proxy_set_header X-Forwarded-Proto https;" in proxy


def test_the_made_secrets_are_those_that_compose_wants(tmp_path):
    make_secrets.main(tmp_path / "secrets")
    from_elsewhere = {"tls.crt", "tls.key", "mail_password", "sms_token"}
    assert {path.name for path in (tmp_path / "secrets").iterdir()} == set(COMPOSE["secrets"]) - from_elsewhere
    assert (tmp_path / "secrets").stat().st_mode & 0o077 == 0


def test_made_secrets_are_never_overwritten(tmp_path):
    make_secrets.main(tmp_path / "secrets")
    before = {path: path.read_text() for path in (tmp_path / "secrets").iterdir()}
    assert "already there" in make_secrets.main(tmp_path / "secrets")
    assert {path: path.read_text() for path in (tmp_path / "secrets").iterdir()} == before


def test_two_installations_share_no_secret():
    first, second = make_secrets.contents(), make_secrets.contents()
    assert all(first[name] != second[name] for name in first)


def test_every_command_and_file_that_the_page_on_deploying_names_exists():
    page = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    commands = set(re.findall(r"manage\.py (\w+)", page))
    assert len(commands) >= 4 and commands <= set(get_commands())
    files = set(re.findall(r"(?:trials|sites|docker|pallsoft)/[\w./]+\w", page))
    assert [name for name in files if not (ROOT / name).exists()] == []
