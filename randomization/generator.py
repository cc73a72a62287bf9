"""The generator of randomisation lists: pure, documented and versioned (docs/decisions/randomization_generator.md).

Permuted blocks whose sizes are drawn at random, one independent stream of random numbers for each stratum.
Nothing here knows Django, a database or a clock: the same plan and seed give the same list for ever (RND-10).
"""

import hashlib
import hmac
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20

GENERATOR = "permuted-blocks-chacha20/1"
SEED_BYTES = 32
_WORDS_PER_READ = 1024
_WORD_RANGE = 2**32


@dataclass(frozen=True)
class Plan:
    """What a list is made from, besides the seed.

    `arms`: (code, ratio) in the order of the definition; `strata`: codes such as "GI|PAIN";
    `block_sizes`: ascending, each a multiple of the ratio's sum; `slots`: fewest slots of a stratum
    (the last block is always whole, so a stratum may have more).
    """

    study: str
    mode: str
    purpose: str
    arms: tuple[tuple[str, int], ...]
    strata: tuple[str, ...]
    block_sizes: tuple[int, ...]
    slots: int

    def __post_init__(self) -> None:
        problems = _problems(self)
        if problems:
            raise ValueError("; ".join(problems))


def generate(plan: Plan, seed: bytes) -> dict[str, list[str]]:
    """Make the list: {stratum code: arm codes in the order in which they will be given out}.

    Raises ValueError when the seed is not 32 bytes.
    """
    if len(seed) != SEED_BYTES:
        raise ValueError(f"the seed must be {SEED_BYTES} bytes")
    return {stratum: _sequence(plan, Stream(stream_key(plan, seed, stratum))) for stratum in plan.strata}


def salt(plan: Plan, seed: bytes) -> str:
    """Make the hex text in the header that keeps anyone from guessing a short list back from its hash."""
    return _derive(plan, seed, "salt").hex()


def stream_key(plan: Plan, seed: bytes, stratum: str) -> bytes:
    """Derive the ChaCha20 key of one stratum. Study, mode and purpose are bound in: lists never share numbers."""
    return _derive(plan, seed, f"stratum {stratum}")


class Stream:
    """Uniform integers from the ChaCha20 keystream (RFC 8439 section 2.4; nonce zero, counter from zero)."""

    def __init__(self, key: bytes) -> None:
        self._words = _keystream_words(key)

    def below(self, limit: int) -> int:
        """Draw from 0 … limit-1. Words beyond the last whole multiple are rejected: no modulo bias."""
        last = _WORD_RANGE - _WORD_RANGE % limit
        word = next(self._words)
        while word >= last:
            word = next(self._words)
        return word % limit

    def shuffle(self, items: list[str]) -> None:
        """Permute in place (Fisher and Yates, from the last place down)."""
        for i in range(len(items) - 1, 0, -1):
            j = self.below(i + 1)
            items[i], items[j] = items[j], items[i]


def _sequence(plan: Plan, stream: Stream) -> list[str]:
    slots: list[str] = []
    while len(slots) < plan.slots:
        slots += _block(plan, stream)
    return slots


def _block(plan: Plan, stream: Stream) -> list[str]:
    size = plan.block_sizes[stream.below(len(plan.block_sizes))]
    units = size // sum(ratio for _, ratio in plan.arms)
    block = [code for code, ratio in plan.arms for _ in range(ratio * units)]
    stream.shuffle(block)
    return block


def _derive(plan: Plan, seed: bytes, use: str) -> bytes:
    label = "\n".join([GENERATOR, plan.study, plan.mode, plan.purpose, use])
    return hmac.digest(seed, label.encode(), hashlib.sha256)


def _keystream_words(key: bytes) -> Iterator[int]:
    encryptor = Cipher(ChaCha20(key, bytes(16)), mode=None).encryptor()
    while True:
        yield from struct.unpack(f"<{_WORDS_PER_READ}I", encryptor.update(bytes(4 * _WORDS_PER_READ)))


def _problems(plan: Plan) -> list[str]:
    unit = sum(ratio for _, ratio in plan.arms)
    checks = [
        (len({code for code, _ in plan.arms}) < 2 or len({c for c, _ in plan.arms}) < len(plan.arms), "arms"),
        (any(ratio < 1 for _, ratio in plan.arms), "ratio"),
        (not plan.strata or len(set(plan.strata)) < len(plan.strata), "strata"),
        (not plan.block_sizes or list(plan.block_sizes) != sorted(set(plan.block_sizes)), "block sizes"),
        (any(size < 1 or size % max(unit, 1) for size in plan.block_sizes), "block sizes and ratio"),
        (plan.slots < 1, "slots"),
    ]
    return [f"{what}: {_EXPLANATIONS[what]}" for wrong, what in checks if wrong]


_EXPLANATIONS = {
    "arms": "two or more, each once",
    "ratio": "whole numbers from 1",
    "strata": "one or more, each once",
    "block sizes": "ascending, each once",
    "block sizes and ratio": "each size must be a multiple of the sum of the ratio",
    "slots": "at least 1",
}
