"""List and seal files: read back what was written, refuse anything else."""

import hashlib

import pytest

from randomization.generator import Plan
from randomization.list_file import (
    BadList,
    RandomizationList,
    Seal,
    commitment,
    read_list,
    read_seal,
    reproduces,
    write_list,
    write_seal,
)

PLAN = Plan("PALLSOFT", "test", "central", (("A", 1), ("B", 1)), ("GI|PAIN", "ØNH|OTHER"), (4, 6), 8)
SEAL = Seal(bytes(range(32)), (4, 6), 8)
CONTENT = write_list(PLAN, SEAL.seed)


def resealed(content):
    """The same file with a header hash that fits: a forger's work, or a fault of another program."""
    head, _, body = content.decode().partition("---\n")
    head = head[: head.index("sha256: ")]
    digest = hashlib.sha256((head + body).encode()).hexdigest()
    return f"{head}sha256: {digest}\n---\n{body}".encode()


def test_a_list_reads_back_as_it_was_written():
    found = read_list(CONTENT)
    assert (found.study, found.mode, found.purpose) == ("PALLSOFT", "test", "central")
    assert found.arms == PLAN.arms and found.strata == PLAN.strata
    assert found.sha256 == commitment(CONTENT) == hashlib.sha256(CONTENT).hexdigest()
    assert found.header.encode() == CONTENT[: len(found.header.encode())]
    assert [len(arms) >= 8 for arms in found.sequences.values()] == [True, True]


def test_neither_block_sizes_nor_seed_stand_in_the_list():
    assert b"block" not in CONTENT.replace(b"permuted-blocks-chacha20", b"")
    assert SEAL.seed.hex().encode() not in CONTENT


@pytest.mark.req("RND-05")
def test_every_altered_byte_is_refused():
    for place in range(len(CONTENT)):
        altered = CONTENT[:place] + bytes([CONTENT[place] ^ 1]) + CONTENT[place + 1 :]
        with pytest.raises(BadList):
            read_list(altered)


@pytest.mark.req("RND-05")
@pytest.mark.parametrize("cut", [1, 12, 200])
def test_a_cut_or_lengthened_file_is_refused(cut):
    for content in (CONTENT[:-cut], CONTENT + CONTENT[-cut:], b""):
        with pytest.raises(BadList):
            read_list(content)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (b"GI|PAIN 2 ", b"GI|PAIN 3 ", "slot line 2: the sequence is broken"),
        (b"strata: GI|PAIN ", b"strata: GI|NONE ", "strata of the slots"),
        (b"arms: A=1 B=1", b"arms: A=1 C=1", "an arm that the header does not"),
        (b"arms: A=1 B=1", b"arms: A B", "arms must look like"),
        (b"slots: ", b"slots: 1", "number of slots"),
        (b"mode: test", b"kind: test", "lines of the header must be"),
        (b"PALLSOFT randomisation list 1", b"PALLSOFT randomisation list 2", "must begin with"),
    ],
)
def test_a_list_with_a_fitting_hash_must_still_make_sense(old, new, says):
    with pytest.raises(BadList, match=says):
        read_list(resealed(CONTENT.replace(old, new, 1)))


def test_text_in_another_encoding_is_refused():
    with pytest.raises(BadList, match="UTF-8"):
        read_list(CONTENT.decode().encode("latin-1"))


def test_a_seal_reads_back_as_it_was_written():
    assert read_seal(write_seal(SEAL)) == SEAL


@pytest.mark.parametrize("wrong", [b"", b"seed: 00", write_seal(SEAL).replace(b"4 6", b"4 six")])
def test_a_broken_seal_is_refused(wrong):
    with pytest.raises(BadList):
        read_seal(wrong)


@pytest.mark.req("RND-10")
def test_the_seal_gives_the_list_again():
    assert reproduces(read_list(CONTENT), SEAL)


@pytest.mark.parametrize("seal", [Seal(bytes(32), (4, 6), 8), Seal(SEAL.seed, (4,), 8), Seal(SEAL.seed, (4, 6), 40)])
def test_another_seal_does_not_give_the_list(seal):
    assert not reproduces(read_list(CONTENT), seal)


def test_a_list_of_another_generator_is_not_compared():
    found = RandomizationList(**vars(read_list(CONTENT)) | {"generator": "dice/1"})
    with pytest.raises(BadList, match="made by dice/1"):
        reproduces(found, SEAL)


def test_a_seal_that_no_list_can_come_from_is_refused():
    with pytest.raises(BadList, match="the seal cannot be: the seed must be 32 bytes"):
        reproduces(read_list(CONTENT), Seal(b"short", (4, 6), 8))
