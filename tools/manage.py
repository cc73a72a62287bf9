"""`./run manage COMMAND …`: manage.py in the environment of the running demo."""

from __future__ import annotations

import os
import subprocess

from tools import state, venv
from tools.steps import ROOT, Problem

# These change or read the schema itself, which the app login may not.
OWNER_COMMANDS = {"migrate", "makemigrations", "showmigrations", "sqlmigrate", "createcachetable"}


def run(arguments: list[str]) -> int:
    environment = state.environment()
    if not environment:
        raise Problem("No demo is running. Start one in another terminal, ./run demo, then try again.")
    role = "owner" if OWNER_COMMANDS & set(arguments[:1]) else "app"
    variables = os.environ | environment | {"PALLSOFT_DB_ROLE": role}
    return subprocess.call([venv.PYTHON, "manage.py", *arguments], env=variables, cwd=ROOT)
