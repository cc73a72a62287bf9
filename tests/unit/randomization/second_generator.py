"""A second implementation of the generator, from the words of docs/decisions/randomization_generator.md alone.

It shares no line with randomization/: ChaCha20 is written out after RFC 8439, blocks are made by index arithmetic.
"""

import hashlib
import hmac

MASK = 0xFFFFFFFF


def chacha20_block(key: bytes, counter: int) -> list[int]:
    constants = [int.from_bytes(b"expand 32-byte k"[i : i + 4], "little") for i in range(0, 16, 4)]
    start = constants + [int.from_bytes(key[i : i + 4], "little") for i in range(0, 32, 4)] + [counter, 0, 0, 0]
    x = list(start)

    def mix(a, b, d, turn):
        x[a] = x[a] + x[b] & MASK
        x[d] ^= x[a]
        x[d] = (x[d] << turn | x[d] >> 32 - turn) & MASK

    for round_number in range(20):
        shift = round_number % 2
        for column in range(4):
            a, b, c, d = column, 4 + (column + shift) % 4, 8 + (column + 2 * shift) % 4, 12 + (column + 3 * shift) % 4
            mix(a, b, d, 16)
            mix(c, d, b, 12)
            mix(a, b, d, 8)
            mix(c, d, b, 7)
    return [word + begin & MASK for word, begin in zip(x, start, strict=True)]


def numbers(key: bytes):
    """Yield a function that draws below a limit."""
    queue, counter = [], 0

    def draw(limit: int) -> int:
        nonlocal counter
        while True:
            if not queue:
                queue.extend(chacha20_block(key, counter))
                counter += 1
            word = queue.pop(0)
            if word // limit < 2**32 // limit:
                return word % limit

    return draw


def arms_of_stratum(study, mode, purpose, stratum, ratios, sizes, least, seed) -> list[str]:
    label = f"permuted-blocks-chacha20/1\n{study}\n{mode}\n{purpose}\nstratum {stratum}"
    draw = numbers(hmac.new(seed, label.encode(), hashlib.sha256).digest())
    result = []
    while len(result) < least:
        size = sizes[draw(len(sizes))]
        per_unit = sum(ratio for _, ratio in ratios)
        block = "".join(code * (ratio * size // per_unit) for code, ratio in ratios)
        places = list(range(size))
        for top in reversed(range(1, size)):
            other = draw(top + 1)
            places[top], places[other] = places[other], places[top]
        result.extend(block[place] for place in places)
    return result
