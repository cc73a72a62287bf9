"""Anchors: the heads of the chains, noted in a file outside the database (AUD-08).

Who has full power over the database can make a whole new chain that holds in itself, or cut its end off; he cannot
make it agree with what was noted elsewhere before. The file is `anchors.jsonl` in ANCHOR_DIR and only ever grows: one
JSON object a line (docs/deploy.md, step 7), each with the SHA-256 of the line before it.
"""

import fcntl
import hashlib
import json
import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from pallsoft.audit.verification import Finding

SYSTEM = UUID(int=0)  # the chain of what belongs to no study
KEYS = {"study", "n", "hash", "rows", "at", "why", "prev"}
HEADS = """
    SELECT h.study_id::text, h.n, encode(h.hash, 'hex'),
        to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
    FROM audit.head h WHERE (%(study)s::uuid IS NULL OR h.study_id = %(study)s::uuid) AND h.n > 0
    ORDER BY h.study_id
"""
ROWS = """
    SELECT (SELECT count(*) FROM audit.baseline b WHERE b.change_set = ANY (c.ids))
        + (SELECT count(*) FROM audit.item_change i WHERE i.change_set = ANY (c.ids))
    FROM (SELECT array_agg(s.change_set) AS ids FROM audit.seal s WHERE s.study_id = %s AND s.n > %s AND s.n <= %s) c
"""


@dataclass(frozen=True)
class Line:
    """A line of the file. `number` counts from 1; `said` None: it is no anchor."""

    number: int
    sha256: str
    said: dict[str, Any] | None


def path() -> Path:
    return Path(settings.ANCHOR_DIR) / "anchors.jsonl"


def anchor(study: Any, why: str) -> None:
    """Note the head of the study's chain as soon as this transaction has committed. `why`: what was done.

    A file that cannot be written undoes nothing; the fault is logged, and the daily anchor follows.
    """
    transaction.on_commit(lambda: anchor_now(study.pk, why), robust=True)


def anchor_now(study: UUID | None, why: str) -> int:
    """Append a line for the head of this chain, of every chain for None; returns how many."""
    path().parent.mkdir(parents=True, exist_ok=True)
    with path().open("ab+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # the numbers and links of the lines are given to one writer at a time
        _close_torn_line(file)
        lines = _lines(file)
        added = [_append(file, lines, head, why) for head in _heads(study)]
        file.flush()
        os.fsync(file.fileno())
        with connection.cursor() as cursor:
            for line in added:
                cursor.execute("SELECT audit.note_anchor(%s, %s)", [line.number, bytes.fromhex(line.sha256)])
    return len(added)


def _append(file: BinaryIO, lines: list[Line], head: tuple[str, int, str, str], why: str) -> Line:
    study, n, hash_, at = head
    before = next((line.said for line in reversed(lines) if line.said and line.said["study"] == study), None)
    known = before if before and before["n"] <= n else {"n": 0, "rows": 0}
    said = {
        "study": study,
        "n": n,
        "hash": hash_,
        "rows": known["rows"] + _rows_between(study, known["n"], n),
        "at": at,
        "why": why,
        "prev": lines[-1].sha256 if lines else "",
    }
    raw = json.dumps(said, ensure_ascii=False).encode() + b"\n"
    file.write(raw)
    lines.append(Line(len(lines) + 1, hashlib.sha256(raw).hexdigest(), said))
    return lines[-1]


def _heads(study: UUID | None) -> list[tuple[str, int, str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(HEADS, {"study": study and str(study)})
        return list(cursor.fetchall())


def _rows_between(study: str, after: int, up_to: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(ROWS, [study, after, up_to])
        return int(cursor.fetchone()[0])


def _close_torn_line(file: BinaryIO) -> None:
    """A line that a crash or a hand cut short ends here, so that the next one stands by itself."""
    file.seek(0)
    raw = file.read()
    if raw and not raw.endswith(b"\n"):
        file.write(b"\n")


def _lines(file: BinaryIO) -> list[Line]:
    file.seek(0)
    raw = file.read().splitlines(keepends=True)
    return [Line(n, hashlib.sha256(line).hexdigest(), _said(line)) for n, line in enumerate(raw, 1)]


def _said(raw: bytes) -> dict[str, Any] | None:
    try:
        said = json.loads(raw) if raw.endswith(b"\n") else None
    except ValueError:
        return None
    return said if isinstance(said, dict) and set(said) == KEYS else None


def anchor_findings(study: UUID | None = None) -> Iterator[Finding]:
    """Where the chains are not what the file says, and where the file itself was touched. `study` None: all chains."""
    if not path().exists():
        yield Finding(0, f"there is no file of anchors at {path()}")
        return
    with path().open("rb") as file:
        lines = _lines(file)
    yield from _touched(lines)
    said: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        if line.said and study in (None, UUID(line.said["study"])):
            said[line.said["study"]].append(line)
    for chain, anchors in said.items():
        yield from _rewritten(chain, anchors)


def _touched(lines: list[Line]) -> Iterator[Finding]:
    before = ""
    for line in lines:
        if line.said is None:
            yield Finding(0, f"line {line.number} of the anchors is none")
        elif line.said["prev"] != before:
            yield Finding(0, f"line {line.number} of the anchors does not follow the one before")
        before = line.sha256
    yield from _cut_off(lines)


def _cut_off(lines: list[Line]) -> Iterator[Finding]:
    """Lines that the database remembers and the file has not. A restored database may remember fewer: no finding."""
    there = {line.sha256 for line in lines}
    with connection.cursor() as cursor:
        cursor.execute("SELECT line, encode(sha256, 'hex') FROM audit.anchor ORDER BY id")
        noted = cursor.fetchall()
    lost = [number for number, sha256 in noted if sha256 not in there]
    if lost:
        yield Finding(0, f"line {lost[0]} of the anchors is missing or altered ({len(lost)} in all)")


def _rewritten(chain: str, anchors: list[Line]) -> Iterator[Finding]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT * FROM audit.chain_at(%s, %s::bigint[])", [chain, [line.said["n"] for line in anchors if line.said]]
        )
        stored = {n: (hash_, rows) for n, hash_, rows in cursor.fetchall()}
    for said in (line.said for line in anchors if line.said):
        what = f"the chain {chain} as anchored {said['at']} ({said['why']})"
        if said["n"] not in stored:
            yield Finding(said["n"], f"{what} is gone: its end was cut off")
        elif stored[said["n"]][0] != said["hash"]:
            yield Finding(said["n"], f"{what} had another hash: it was rewritten")
        elif stored[said["n"]][1] != said["rows"]:
            yield Finding(said["n"], f"{what} held {said['rows']} rows of the trail, now {stored[said['n']][1]}")
