"""How `./run` talks: one line per step with its seconds, one sentence per problem."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class Problem(Exception):
    """One sentence that says what to do; `./run` prints it and ends with exit code 1."""


def say(text: str) -> None:
    print(text, flush=True)


@contextlib.contextmanager
def step(name: str) -> Iterator[None]:
    """Prints `name` and the seconds that the block took; a failure prints its own sentence."""
    started = time.monotonic()
    yield
    say(f"  {name:<58}{time.monotonic() - started:6.1f} s")


def tail(text: str, lines: int = 15) -> str:
    return "\n".join(text.strip().splitlines()[-lines:])
