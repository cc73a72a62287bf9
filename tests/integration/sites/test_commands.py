"""The commands of the server: the first administrator, the list of centres."""

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

import sites.centres
from pallsoft.accounts.models import User
from pallsoft.audit.models import ChangeSet
from sites.models import Assignment, Role, Site

PALLSOFT = Path(sites.centres.__file__).parent / "pallsoft.yaml"


@pytest.fixture
def person():
    return ["admin1", "--name", "Første Administrator", "--email", "admin1@sykehus.example"]


@pytest.mark.req("ACC-12")
def test_the_first_administrator_comes_in_by_a_link(client, study, person, capsys):
    call_command("invite", *person, "--study", study.oid, "--role", "user_administrator")
    link = capsys.readouterr().out.split()[-1]
    assert client.get(link, follow=True).status_code == 200
    assert Assignment.objects.get(user__username="admin1").role == Role.USER_ADMINISTRATOR


def test_without_a_study_there_is_an_account_and_no_role(db, person):
    call_command("invite", *person)
    assert not Assignment.objects.exists()
    assert not User.objects.get().has_usable_password()


def test_a_role_at_one_site(bodo, study, person):
    call_command("invite", *person, "--study", study.oid, "--role", "study_nurse", "--site", "BOD")
    assert Assignment.objects.get().site == bodo


def test_the_command_is_the_author(db, person):
    call_command("invite", *person)
    assert ChangeSet.objects.get(pk=User.objects.get().created_in_id).actor_name == "sites.invite_user"


@pytest.mark.req("SIG-06")
def test_the_same_name_again_is_refused_and_nothing_is_half_done(db, person):
    call_command("invite", *person)
    with pytest.raises(CommandError):
        call_command("invite", *person)
    assert User.objects.count() == 1


@pytest.mark.parametrize("more", [["--role", "monitor"], ["--study", "INGEN"]])
def test_what_is_not_there_is_said(db, person, more):
    with pytest.raises(CommandError):
        call_command("invite", *person, *more)
    assert not User.objects.exists()


def test_the_eleven_centres_are_made_once(study, capsys):
    call_command("load_sites", PALLSOFT)
    call_command("load_sites", PALLSOFT)
    assert Site.objects.count() == 11
    assert "0 new site(s), 11 known" in capsys.readouterr().out
    assert Site.objects.get(code="BOD").name == "Nordlandssykehuset HF, Bodø"


def test_centres_of_a_study_that_is_not_there_are_refused(db):
    with pytest.raises(CommandError, match="PALLSOFT"):
        call_command("load_sites", PALLSOFT)


def test_a_file_with_errors_writes_nothing(study, tmp_path, capsys):
    file = tmp_path / "sites.yaml"
    file.write_text("study: PALLSOFT\nsites:\n  - {code: BOD, city: Bodø, name: N}\n  - {code: x}\n", encoding="utf-8")
    with pytest.raises(CommandError, match="nothing was written"):
        call_command("load_sites", file)
    assert "sites.yaml:4" in capsys.readouterr().err
    assert not Site.objects.exists()
