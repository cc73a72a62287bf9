"""The demo as a whole: it starts, it is found by the other commands, it ends, and leaves nothing."""

import json
import os
import signal
import subprocess
import sys

import pytest

from tests import services
from tools import processes, system, testing
from tools.steps import ROOT

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]


class Demo:
    """`./run demo` in a folder of its own."""

    def __init__(self, folder):
        self.port = system.free_port()
        self.environment = services.outside_environment() | {"PALLSOFT_DEMO_DIR": str(folder)}
        self.command = [sys.executable, ROOT / "run", "demo", "--no-open", "--port", str(self.port)]

    def start(self):
        self.process = subprocess.Popen(
            self.command, env=self.environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        self.said = ""
        for line in self.process.stdout:
            self.said += line
            if line.startswith("PALLSOFT: http"):
                break
        assert f"http://127.0.0.1:{self.port}" in self.said, self.said
        testing.wait_for(lambda: len(processes.children(self.process.pid)) == 5, 60, "Five programs")
        self.family = list(descendants(self.process.pid))

    def end(self, signum):
        self.process.send_signal(signum)
        self.process.communicate(timeout=90)

    def status(self):
        return services.fetch(f"http://127.0.0.1:{self.port}/readyz")

    def is_gone(self):
        return self.status() == 0 and not any(processes.lives(pid) for pid in self.family)


def descendants(pid):
    for child in processes.children(pid):
        yield child
        yield from descendants(child)


@pytest.fixture(scope="module")
def folder():
    with testing.temporary_directory() as directory:
        yield directory / "demo"


@pytest.fixture(scope="module")
def demo(folder):
    folder.mkdir(mode=0o711)
    running = Demo(folder)
    running.start()
    yield running
    if running.process.poll() is None:
        running.end(signal.SIGINT)


def test_the_demo_lives_ends_and_starts_again(demo, folder):
    """One story, because each start costs seconds: start, look, kill -9, start, Ctrl-C."""
    assert demo.status() == 200
    accounts = json.loads((folder / "accounts.json").read_text(encoding="utf-8"))
    assert len(accounts) > 3 and all(len(account) >= 4 for account in accounts)
    assert all(str(value) in demo.said for value in accounts[0].values())

    readable_by_others = [p.name for p in folder.iterdir() if p.is_file() and p.stat().st_mode & 0o077]
    assert not {"password_app", "password_owner", "secret_key", "environment.json"} & set(readable_by_others)

    second = services.run_command("demo", "--no-open", PALLSOFT_DEMO_DIR=str(folder))
    assert second.returncode == 1 and second.stderr.startswith("A demo is already running")

    managed = services.run_command("manage", "check", PALLSOFT_DEMO_DIR=str(folder))
    assert managed.returncode == 0, managed.stderr

    bystander = subprocess.Popen(["sleep", "120"])
    demo.end(signal.SIGKILL)
    testing.wait_for(demo.is_gone, 60, "The end of every program after kill -9")

    demo.start()
    assert demo.status() == 200
    demo.end(signal.SIGINT)
    assert demo.process.returncode == 0
    assert demo.is_gone()
    assert bystander.poll() is None
    bystander.kill()
    bystander.wait()
    assert not (folder / "environment.json").exists()


def test_a_taken_port_is_said_before_anything_starts(folder, tmp_path):
    with system.socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused = services.run_command("demo", "--port", str(port), PALLSOFT_DEMO_DIR=str(tmp_path))
    assert refused.returncode == 1
    assert refused.stderr == f"Port {port} is taken. Choose another one: ./run demo --port {port + 1}\n"
    assert os.listdir(tmp_path) == ["lock"]
