"""Two people on one form: what each changed since the version that the second one saw (DAT-02, PC044)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from crf.entry.document import Answer, Document


@dataclass(frozen=True)
class Clash:
    """One item that both changed, to different answers."""

    item_oid: str
    seen: Answer
    theirs: Answer
    mine: Answer


@dataclass(frozen=True)
class Merge:
    """`mine`: the answers that I changed; `clashes`: those that somebody else changed to something else meanwhile."""

    mine: Mapping[str, Answer]
    clashes: list[Clash]


def merge(seen: Document, current: Document, given: Mapping[str, Answer]) -> Merge:
    """What to do with `given`, typed by somebody who looked at `seen`, now that the form stands at `current`.

    An answer that was left as it was seen is no change, so the newer one stays.
    """
    mine = {oid: answer for oid, answer in given.items() if answer != seen.given(oid)}
    return Merge(mine, list(_clashes(seen, current, mine)))


def _clashes(seen: Document, current: Document, mine: Mapping[str, Answer]) -> Iterable[Clash]:
    for oid, answer in mine.items():
        before, now = seen.given(oid), current.given(oid)
        if now not in (before, answer):
            yield Clash(oid, before, now, answer)
