"""Small things that pages of a form send beside the answers."""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime

from django.http import QueryDict

from crf.entry import dates
from crf.entry.drafted import TAB, WHY, Page
from crf.selectors.place import Place


def key_of(text: str) -> uuid.UUID:
    """The key of the request, or a new one: it then repeats nothing."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return uuid.uuid4()


def whole(text: str, digits: int = 9) -> int:
    """A whole number that is not negative; 0 for anything else."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= digits else 0


def page_of(post: Mapping[str, str], asked: frozenset[str] | None = None) -> Page:
    """The page that sends this (hidden fields of crf/_hidden.html)."""
    tab = post.get("tab", "")
    return Page(tab if TAB.fullmatch(tab) else "", whole(post.get("opened", ""), digits=16), asked)


def why_of(post: QueryDict) -> dict[str, str]:
    """{check OID: explanation}."""
    return {name.removeprefix(WHY): str(text) for name, text in post.items() if name.startswith(WHY)}


def observed_at_of(post: Mapping[str, str], place: Place) -> datetime | None:
    """When the answers were observed, if it was not now. Raises Refused for what cannot be read."""
    typed = post.get("observed_at", "").strip()
    if not typed:
        return None
    return datetime.strptime(dates.instant(typed, place.zone), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
