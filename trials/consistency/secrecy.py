"""Nothing in a definition may help to guess the next allocation (decision D5)."""

import re
from collections.abc import Iterator

from trials.loader import Node, Problem

_SECRET = re.compile(r"(^|_)(block_?(size|length)s?|seeds?)(_|$)|(^|_)blocks?$", re.IGNORECASE)
# In these stand words of medicine, such as a nerve block.
_FREE = ("tables", "code_lists", "forms")


def secrets(node: Node) -> Iterator[Problem]:
    """Keys and names of settings that belong to the list holder."""
    for key, child in node.mapping().items():
        named = child.value if key in ("key", "oid") and isinstance(child.value, str) else key
        if _SECRET.search(named):
            yield Problem(child.file, child.line, f"{named} must not be in a definition: the list holder keeps it")
        if key not in _FREE:
            yield from secrets(child)
    for child in node.sequence():
        yield from secrets(child)
