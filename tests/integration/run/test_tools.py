"""The pieces of ./run, each by itself."""

import errno
import gettext
import importlib.util
import io
import os
import stat
import subprocess
import threading
from importlib.machinery import SourceFileLoader

import pytest

from tests.services import run_command
from tools import doctor, external, messages, state, supervisor, system, testing, venv
from tools.postgres import secret
from tools.steps import ROOT, Problem

loader = SourceFileLoader("run_command", str(ROOT / "run"))
run = importlib.util.module_from_spec(importlib.util.spec_from_loader("run_command", loader))
loader.exec_module(run)


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_an_old_python_is_told_what_to_do():
    assert "needs Python 3.11 or later, this is 3.9" in run.wrong_python((3, 9, 2))


def test_every_command_explains_itself():
    for command in ("demo", "test", "bench", "doctor", "manage"):
        assert run_command(command, "--help").stdout.startswith(f"usage: ./run {command}")


def test_a_misspelt_option_is_refused():
    refused = run_command("demo", "--prot", "9")
    assert refused.returncode == 2 and "--prot" in refused.stderr


def test_a_full_disk_is_one_sentence():
    assert run.sentence_for(OSError(errno.ENOSPC, "No space left on device")).startswith("The disk is full")


def test_another_users_file_is_named():
    assert "/srv/.demo/lock" in run.sentence_for(PermissionError(errno.EACCES, "denied", "/srv/.demo/lock"))


def test_an_error_of_ours_is_not_hidden_behind_a_sentence():
    with pytest.raises(ConnectionResetError):
        run.sentence_for(ConnectionResetError(errno.ECONNRESET, "reset"))


def test_too_little_disk_is_said_before_anything_starts(tmp_path):
    with pytest.raises(Problem, match="Make room"):
        system.need_disk(tmp_path, megabytes=10**9)


def test_a_taken_port_is_noticed():
    with system.socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert not system.port_is_free(taken.getsockname()[1])
    assert system.port_is_free(system.free_port())


def test_a_password_is_made_once_and_only_its_owner_reads_it(tmp_path):
    first = secret(tmp_path / "password")
    assert secret(tmp_path / "password") == first
    assert len(first) == 32 and mode(tmp_path / "password") == 0o600
    assert secret(tmp_path / "other") != first


def test_the_demos_environment_is_readable_by_its_owner_only(tmp_path, monkeypatch):
    monkeypatch.setattr(state, "ENVIRONMENT", tmp_path / "environment.json")
    state.remember_environment({"SECRET_KEY": "x"})
    assert mode(tmp_path / "environment.json") == 0o600


def test_without_a_demo_manage_says_how_to_start_one(tmp_path):
    refused = run_command("manage", "check", PALLSOFT_DEMO_DIR=str(tmp_path))
    assert refused.returncode == 1 and refused.stderr.startswith("No demo is running.")


def test_the_environment_of_a_dead_demo_is_not_used(tmp_path, monkeypatch):
    monkeypatch.setattr(state, "ENVIRONMENT", tmp_path / "environment.json")
    monkeypatch.setattr(state, "LOCK", tmp_path / "lock")
    (tmp_path / "environment.json").write_text('{"SECRET_KEY": "x"}')
    assert state.environment() == {}
    with state.demo_lock():
        assert state.environment() == {"SECRET_KEY": "x"}
    assert state.environment() == {}


def test_the_doctor_says_one_line_each():
    seen = run_command("doctor")
    assert seen.returncode == 0, seen.stdout
    assert [line.split()[1] for line in seen.stdout.splitlines()] == [
        "Python", "uv", ".venv", "PostgreSQL", "Valkey", "Pango", "Chromium", "disk", "demo",
    ]  # fmt: skip


def test_the_doctor_fails_when_something_needed_is_missing(monkeypatch, capsys):
    monkeypatch.setattr(doctor, "findings", lambda: [doctor.Finding("Valkey", False, "install it")])
    assert doctor.run() == 1
    assert "MISSING  Valkey" in capsys.readouterr().out


def test_the_lock_pins_the_tool_that_installs_it():
    lines = venv.lines_of("uv").splitlines()
    assert lines[0].startswith("uv==") and all("--hash=" in line for line in lines[1:-1])


def test_a_changed_lock_is_noticed(tmp_path, monkeypatch):
    monkeypatch.setattr(venv, "LOCK", tmp_path / "lock")
    monkeypatch.setattr(venv, "STAMP", tmp_path / "stamp")
    venv.LOCK.write_text("django==5.2.19\n")
    assert not venv.is_current()
    venv.mark_current()
    assert venv.is_current()
    venv.LOCK.write_text("django==5.2.20\n")
    assert not venv.is_current()


def test_a_database_url_is_taken_apart():
    plan = external.plan_from_url("postgresql://boss:p%40ss@db.local:6000/main", owner_password="o", app_password="a")
    assert (plan.host, plan.port, plan.admin, plan.admin_password, plan.admin_database) == (
        "db.local", 6000, "boss", "p@ss", "main",
    )  # fmt: skip


@pytest.mark.parametrize("url", ["mysql://a:b@c/d", "postgresql:///pallsoft", "postgresql://host/x", ""])
def test_a_wrong_database_url_is_told_how_it_should_look(url):
    with pytest.raises(Problem, match="must look like"):
        external.plan_from_url(url, owner_password="o", app_password="a")


PO = r"""
msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\n"

msgid "Save"
msgstr "Lagre"
msgid "Close"
msgstr "Lukk"
#~ msgid "Gone"
#~ msgstr "Borte"

msgctxt "month"
msgid "May"
msgstr "mai"

#, fuzzy
msgid "Guess"
msgstr "Gjett"

msgid "Untranslated"
msgstr ""

msgid ""
"Two lines, "
"\"quoted\""
msgstr ""
"To linjer, "
"«sitert» – æøå"

#: somewhere.py:3
msgid "%(n)s query"
msgid_plural "%(n)s queries"
msgstr[0] "%(n)s avvik"
msgstr[1] "%(n)s avvikene"
"""


def test_translations_compile_to_what_gettext_reads():
    read = gettext.GNUTranslations(io.BytesIO(messages.binary(messages.entries(PO))))
    assert [read.gettext(text) for text in ("Save", "Close", "Gone")] == ["Lagre", "Lukk", "Gone"]
    assert read.pgettext("month", "May") == "mai"
    assert read.gettext("Guess") == "Guess"
    assert read.gettext("Untranslated") == "Untranslated"
    assert read.gettext('Two lines, "quoted"') == "To linjer, «sitert» – æøå"
    assert [read.ngettext("%(n)s query", "%(n)s queries", n) for n in (1, 2)] == ["%(n)s avvik", "%(n)s avvikene"]


def test_only_changed_translations_are_compiled(tmp_path):
    po = tmp_path / "locale" / "nb" / "LC_MESSAGES" / "django.po"
    po.parent.mkdir(parents=True)
    po.write_text(PO, encoding="utf-8")
    assert messages.compile_all(tmp_path) == [po]
    assert messages.compile_all(tmp_path) == []
    os.utime(po, ns=(2**62, 2**62))
    assert messages.compile_all(tmp_path) == [po]
    assert {path.name for path in po.parent.iterdir()} == {"django.po", "django.mo"}


def test_what_a_killed_run_left_is_swept_away(tmp_path, monkeypatch):
    ended = subprocess.Popen(["true"])
    ended.wait()
    monkeypatch.setattr(testing.tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(testing.processes, "other_user", lambda: None)
    (tmp_path / f"pallsoft-test-{ended.pid}-x").mkdir()
    (tmp_path / f"pallsoft-test-{os.getpid()}-y").mkdir()
    with testing.temporary_directory() as mine:
        assert {path.name for path in tmp_path.iterdir()} == {f"pallsoft-test-{os.getpid()}-y", mine.name}
    assert not mine.exists()


@pytest.mark.parametrize("missing", ["chromium", "has_pango"])
def test_in_ci_a_missing_library_fails_instead_of_skipping(missing, monkeypatch):
    monkeypatch.setattr(system, missing, lambda: None)
    monkeypatch.setattr(system, "may_install", lambda: False)
    with pytest.raises(Problem, match="CI may skip nothing"):
        testing.need_libraries(strict=True)
    testing.need_libraries(strict=False)


def test_the_closing_line_adds_up_all_phases(tmp_path):
    (tmp_path / "1").write_text('<testsuites><testsuite tests="5" failures="1" errors="0" skipped="2"/></testsuites>')
    (tmp_path / "2").write_text('<testsuites><testsuite tests="3" failures="0" errors="1" skipped="0"/></testsuites>')
    total = testing.add_up([tmp_path / "1", tmp_path / "2", tmp_path / "never written"])
    assert total == {"tests": 8, "failures": 1, "errors": 1, "skipped": 2}


def test_a_program_that_ends_is_started_again_with_growing_pauses(tmp_path, monkeypatch):
    monkeypatch.setattr(supervisor, "LONGEST_WAIT", 0.2)
    log = tmp_path / "log"
    program = supervisor.Program("Worker", ["sh", "-c", "echo started"], dict(os.environ), log)
    program.start()
    stop = threading.Event()
    threading.Timer(1.5, stop.set).start()
    supervisor.watch_until(stop, [program], every=0.02)
    program.stop()
    assert 3 <= log.read_text().count("started") <= 9


def test_a_steady_program_is_left_alone(tmp_path):
    program = supervisor.Program("Web", ["sh", "-c", "echo started; exec sleep 60"], dict(os.environ), tmp_path / "log")
    program.start()
    stop = threading.Event()
    threading.Timer(0.3, stop.set).start()
    supervisor.watch_until(stop, [program], every=0.02)
    program.stop()
    assert (tmp_path / "log").read_text() == "started\n"
    assert program.process.returncode == -15
