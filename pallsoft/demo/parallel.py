"""Several processes at once, as a hospital has several nurses; what must be in turn waits for its turn."""

import multiprocessing
import sys
from collections.abc import Callable, Iterable, Sequence

from django.db import connections

FORK = multiprocessing.get_context("fork")
PATIENCE = 120.0  # seconds without any progress of the others


class Turns:
    """A line for each stratum: the list hands out its slots in the order of the randomisations, whoever is faster."""

    def __init__(self, names: Iterable[str]) -> None:
        self._past = {name: FORK.Value("i", 0) for name in names}
        self._moved = FORK.Condition()

    def wait(self, name: str, position: int) -> None:
        """Until all before `position` (from 1) are through. Raises TimeoutError when nobody moves any more."""
        with self._moved:
            if not self._moved.wait_for(lambda: self._past[name].value >= position - 1, PATIENCE):
                raise TimeoutError(f"{name}: the one before {position} never came")

    def next(self, name: str) -> None:
        with self._moved:
            self._past[name].value += 1
            self._moved.notify_all()


def run(tasks: Sequence[Callable[[], None]]) -> bool:
    """Each task in a process of its own. Returns whether all went well; one that fails says why."""
    connections.close_all()  # a child must not write into its parent's connection
    children = [FORK.Process(target=_alone, args=(task,)) for task in tasks]
    for child in children:
        child.start()
    for child in children:
        child.join()
    return all(child.exitcode == 0 for child in children)


def _alone(task: Callable[[], None]) -> None:
    try:
        task()
    finally:
        connections.close_all()
        sys.stdout.flush()
