"""What belongs to the request being answered: its number, and what was asked already on its behalf."""

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

Found = TypeVar("Found")

# For error pages, change sets and the access log.
request_id: ContextVar[str] = ContextVar("request_id", default="")
# The subject whom the request is about, for the log of a refusal.
asked_for: ContextVar[Any] = ContextVar("asked_for", default=None)
# Answers by question, while a request is answered that only reads; None elsewhere.
answers: ContextVar[dict[Hashable, Any] | None] = ContextVar("answers", default=None)


def once(question: Hashable, find: Callable[[], Found]) -> Found:
    """`find()`, asked once for a page. What writes always gets a fresh answer: the truth may change under its locks."""
    known = answers.get()
    if known is None:
        return find()
    if question not in known:
        known[question] = find()
    found: Found = known[question]
    return found


@contextmanager
def asking_once() -> Iterator[None]:
    """For a small message that writes nothing on which an answer depends: each question is asked once here too."""
    token = answers.set({})
    try:
        yield
    finally:
        answers.reset(token)
