"""The two files of the list holder: the list itself, and the seal that it can be made again from.

List: a title, nine header lines `name: value`, a line `---`, then one line `stratum seq arm` for each slot, strata in
the order of the header, seq from 1; UTF-8, "\\n" ends every line. The header's sha256 covers the lines above it and
the slots; the commitment is the SHA-256 of the whole file.
Seal: seed, block sizes and slots; with the list's header it is all that `generate` needs (RND-10).
"""

import hashlib
from dataclasses import dataclass

from randomization.generator import GENERATOR, Plan, generate, salt

TITLE = "PALLSOFT randomisation list 1"
SEAL_TITLE = "PALLSOFT randomisation seal 1"
_HEADER = ("generator", "study", "mode", "purpose", "arms", "strata", "slots", "salt", "sha256")
_RULE = "---\n"
_SEAL = ("generator", "seed", "block_sizes", "least_slots")


@dataclass(frozen=True)
class RandomizationList:
    """A list read back. `sequences`: {stratum: arms in order}; `header`: the text above the slots."""

    generator: str
    study: str
    mode: str
    purpose: str
    arms: tuple[tuple[str, int], ...]
    strata: tuple[str, ...]
    salt: str
    header: str
    sequences: dict[str, list[str]]
    sha256: str


@dataclass(frozen=True)
class Seal:
    """What must stay secret until the end of the trial, besides the list."""

    seed: bytes
    block_sizes: tuple[int, ...]
    least_slots: int


class BadList(ValueError):
    """The file is not a whole, unaltered list; `args[0]` says where."""


def write_list(plan: Plan, seed: bytes) -> bytes:
    """Generate and serialise, byte-exact."""
    body = "".join(_slot_lines(generate(plan, seed)))
    values = {
        "generator": GENERATOR,
        "study": plan.study,
        "mode": plan.mode,
        "purpose": plan.purpose,
        "arms": " ".join(f"{code}={ratio}" for code, ratio in plan.arms),
        "strata": " ".join(plan.strata),
        "slots": str(body.count("\n")),
        "salt": salt(plan, seed),
    }
    head = _head(TITLE, _HEADER[:-1], values)
    return f"{head}sha256: {_digest(head, body)}\n{_RULE}{body}".encode()


def commitment(content: bytes) -> str:
    """SHA-256 of the whole file, in hex: printed, filed and compared for ever."""
    return hashlib.sha256(content).hexdigest()


def read_list(content: bytes) -> RandomizationList:
    """Read a list file; every altered, missing or added byte raises BadList."""
    head, rule, body = _text(content).partition(_RULE)
    values = _values(head, TITLE, _HEADER)
    if _digest(head[: head.rindex("sha256: ")], body) != values["sha256"]:
        raise BadList("the sha256 of the header does not fit the rest of the file")
    sequences = _sequences(body)
    found = RandomizationList(
        generator=values["generator"],
        study=values["study"],
        mode=values["mode"],
        purpose=values["purpose"],
        arms=_arms(values["arms"]),
        strata=tuple(values["strata"].split(" ")),
        salt=values["salt"],
        header=head + rule,
        sequences=sequences,
        sha256=commitment(content),
    )
    _check_contents(found, values["slots"])
    return found


def write_seal(seal: Seal) -> bytes:
    """Serialise the secret inputs of `generate`."""
    values = {
        "generator": GENERATOR,
        "seed": seal.seed.hex(),
        "block_sizes": " ".join(map(str, seal.block_sizes)),
        "least_slots": str(seal.least_slots),
    }
    return _head(SEAL_TITLE, _SEAL, values).encode()


def read_seal(content: bytes) -> Seal:
    """Read a seal file; raises BadList when it is not one."""
    values = _values(_text(content), SEAL_TITLE, _SEAL)
    try:
        sizes = tuple(int(size) for size in values["block_sizes"].split(" "))
        return Seal(bytes.fromhex(values["seed"]), sizes, int(values["least_slots"]))
    except ValueError as error:
        raise BadList("the seal holds something that is not a number") from error


def reproduces(found: RandomizationList, seal: Seal) -> bool:
    """True when generator and seal give this very list, byte for byte."""
    if found.generator != GENERATOR:
        raise BadList(f"made by {found.generator}, this is {GENERATOR}")
    inputs = (found.study, found.mode, found.purpose, found.arms, found.strata, seal.block_sizes, seal.least_slots)
    try:
        return commitment(write_list(Plan(*inputs), seal.seed)) == found.sha256
    except ValueError as error:
        raise BadList(f"the seal cannot be: {error}") from error


def _digest(head: str, body: str) -> str:
    return hashlib.sha256((head + body).encode()).hexdigest()


def _slot_lines(sequences: dict[str, list[str]]) -> list[str]:
    return [f"{stratum} {seq} {arm}\n" for stratum, arms in sequences.items() for seq, arm in enumerate(arms, 1)]


def _head(title: str, names: tuple[str, ...], values: dict[str, str]) -> str:
    return f"{title}\n" + "".join(f"{name}: {values[name]}\n" for name in names)


def _text(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise BadList("not a text in UTF-8") from error


def _values(head: str, title: str, names: tuple[str, ...]) -> dict[str, str]:
    lines = head.split("\n")
    if lines[0] != title or lines[-1] != "" or len(lines) != len(names) + 2:
        raise BadList(f"the file must begin with “{title}” and {len(names)} lines")
    pairs = [line.partition(": ") for line in lines[1:-1]]
    if [name for name, _, _ in pairs] != list(names):
        raise BadList(f"the lines of the header must be {', '.join(names)}")
    return {name: value for name, _, value in pairs}


def _arms(text: str) -> tuple[tuple[str, int], ...]:
    try:
        return tuple((code, int(ratio)) for code, ratio in (arm.split("=") for arm in text.split(" ")))
    except ValueError as error:
        raise BadList("arms must look like A=1 B=1") from error


def _sequences(body: str) -> dict[str, list[str]]:
    sequences: dict[str, list[str]] = {}
    for number, line in enumerate(body.split("\n")[:-1], 1):
        stratum, _, rest = line.partition(" ")
        seq, _, arm = rest.partition(" ")
        arms = sequences.setdefault(stratum, [])
        if seq != str(len(arms) + 1):
            raise BadList(f"slot line {number}: the sequence is broken")
        arms.append(arm)
    return sequences


def _check_contents(found: RandomizationList, slots: str) -> None:
    if tuple(found.sequences) != found.strata:
        raise BadList("the strata of the slots are not those of the header")
    if str(sum(map(len, found.sequences.values()))) != slots:
        raise BadList("the number of slots is not that of the header")
    if {arm for arms in found.sequences.values() for arm in arms} - {code for code, _ in found.arms}:
        raise BadList("a slot names an arm that the header does not")
