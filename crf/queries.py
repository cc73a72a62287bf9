"""The life of a query: which step leads where, and who takes it."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from crf.models import MessageKind, QueryStatus
from sites.permissions import Permission

S, K = QueryStatus, MessageKind

STANDING = (S.OPEN, S.ANSWERED)

# {status: {step: the status that it leads to}}
TRANSITIONS: dict[QueryStatus, dict[MessageKind, QueryStatus]] = {
    S.OPEN: {K.ANSWER: S.ANSWERED, K.CLOSE: S.CLOSED, K.CANCEL: S.CANCELLED},
    S.ANSWERED: {K.ANSWER: S.ANSWERED, K.CLOSE: S.CLOSED, K.REOPEN: S.OPEN, K.CANCEL: S.CANCELLED},
    S.CLOSED: {K.REOPEN: S.OPEN},
    S.CANCELLED: {},
}

# The site answers; who asks for the sponsor does the rest. Nobody may do both (sites.permissions.APART).
PERMISSION: dict[MessageKind, Permission] = {
    K.ANSWER: Permission.ENTER_DATA,
    K.CLOSE: Permission.RAISE_QUERY,
    K.REOPEN: Permission.RAISE_QUERY,
    K.CANCEL: Permission.RAISE_QUERY,
}

STORED_IN = "nb"  # the language in which the system writes into threads
# What the system says of its own steps. The first word of a thread is the message of its check.
SAID: dict[MessageKind, Promise] = {
    K.CLOSE: gettext_lazy("The answer is right now, so the query closed by itself."),
    K.REOPEN: gettext_lazy(
        "The answers have changed and need a second look again. What was said was about the old ones."
    ),
    K.CANCEL: gettext_lazy("The form was removed, and its queries with it."),
}


def diagram() -> str:
    """The table as a Mermaid diagram, for docs/queries.md."""
    lines = ["stateDiagram-v2", f"    [*] --> {S.OPEN}: {K.OPEN}"]
    for status, steps in TRANSITIONS.items():
        lines += [f"    {status} --> {after}: {step}" for step, after in steps.items()]
        lines += [] if steps else [f"    {status} --> [*]"]
    return "\n".join(lines)
