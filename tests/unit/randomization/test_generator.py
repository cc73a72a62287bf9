"""The generator gives the same bytes for ever, and what it gives is what the decision record says."""

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from randomization.generator import Plan, Stream, generate
from randomization.list_file import commitment, write_list
from tests.unit.randomization.second_generator import arms_of_stratum, chacha20_block

GOLDEN = Path(__file__).parent / "golden"
PALLSOFT_STRATA = ("GI|PAIN", "GI|OTHER", "URO|PAIN", "URO|OTHER", "GYN|PAIN", "GYN|OTHER")


def plan(**changes):
    base = {"study": "PALLSOFT", "mode": "test", "purpose": "central", "arms": (("A", 1), ("B", 1))}
    return Plan(**{**base, "strata": PALLSOFT_STRATA, "block_sizes": (4, 6), "slots": 10, **changes})


GOLDEN_PLANS = {
    "two_arms": plan(),
    "three_arms": plan(arms=(("A", 2), ("B", 1), ("C", 1)), strata=("ALL",), block_sizes=(4, 8), mode="live"),
    "one_size": plan(study="SMALL", strata=("ØST|A", "VEST|B"), block_sizes=(6,), purpose="fallback"),
}


def seed_number(n):
    return hashlib.sha256(f"test seed {n}".encode()).digest()


@pytest.mark.req("RND-10")
@pytest.mark.parametrize("name", GOLDEN_PLANS)
def test_the_golden_lists_come_out_byte_for_byte(name):
    assert write_list(GOLDEN_PLANS[name], seed_number(0)) == (GOLDEN / f"{name}.txt").read_bytes()


def test_the_second_implementation_knows_chacha20():
    key = bytes(range(32))
    # RFC 8439 appendix A.1, test vectors 1 and 2 (key zero, nonce zero), and a key of our own through OpenSSL.
    assert chacha20_block(bytes(32), 0)[:4] == [0xADE0B876, 0x903DF1A0, 0xE56A5D40, 0x28BD8653]
    assert chacha20_block(bytes(32), 1)[:4] == [0xBEE7079F, 0x7A385155, 0x7C97BA98, 0x0D082D73]
    stream = Stream(key)
    assert [stream.below(2**32) for _ in range(32)] == chacha20_block(key, 0) + chacha20_block(key, 1)


@pytest.mark.req("RND-10")
def test_an_independent_implementation_agrees_on_a_thousand_seeds():
    wanted = plan(strata=("GI|PAIN", "GYN|OTHER"), slots=8)
    for n in range(1000):
        seed = seed_number(n)
        second = {
            stratum: arms_of_stratum("PALLSOFT", "test", "central", stratum, wanted.arms, (4, 6), 8, seed)
            for stratum in wanted.strata
        }
        assert generate(wanted, seed) == second


@st.composite
def plans(draw):
    ratios = draw(st.lists(st.integers(1, 4), min_size=2, max_size=5))
    units = draw(st.sets(st.integers(1, 4), min_size=1, max_size=3))
    arms = tuple((f"ARM{i}", ratio) for i, ratio in enumerate(ratios))
    sizes = tuple(sorted(unit * sum(ratios) for unit in units))
    return plan(arms=arms, block_sizes=sizes, slots=draw(st.integers(1, 60)), strata=("X", "Y"))


@given(plans(), st.binary(min_size=32, max_size=32))
def test_any_ratio_of_any_arms_is_kept_within_every_block(wanted, seed):
    unit = sum(ratio for _, ratio in wanted.arms)
    for sequence in generate(wanted, seed).values():
        assert wanted.slots <= len(sequence) < wanted.slots + max(wanted.block_sizes)
        assert {code: sequence.count(code) * unit for code, _ in wanted.arms} == {
            code: ratio * len(sequence) for code, ratio in wanted.arms
        }


def test_each_stratum_mode_purpose_and_study_has_its_own_numbers():
    plans_apart = [plan(), plan(mode="live"), plan(purpose="fallback"), plan(study="OTHER")]
    sequences = [tuple(s) for p in plans_apart for s in generate(plan(**vars(p) | {"slots": 60}), bytes(32)).values()]
    assert len(set(sequences)) == len(sequences) == 24


def test_a_stratum_keeps_its_sequence_when_other_strata_come_and_go():
    assert generate(plan(), bytes(32))["GI|OTHER"] == generate(plan(strata=("GI|OTHER",)), bytes(32))["GI|OTHER"]


def test_draws_beyond_the_last_whole_multiple_are_rejected():
    stream = Stream(bytes(32))
    words = iter([2**32 - 1, 2**32 - 4, 5])
    stream._words = words
    assert stream.below(6) == 5  # 2**32 = 6 * 715827882 + 4: the four highest words are thrown away
    assert next(words, None) is None


def test_a_seed_of_another_length_is_refused():
    with pytest.raises(ValueError, match="32 bytes"):
        generate(plan(), b"short")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"arms": (("A", 1),)}, "arms: two or more"),
        ({"arms": (("A", 1), ("A", 1))}, "arms: two or more"),
        ({"arms": (("A", 0), ("B", 4))}, "ratio: whole numbers"),
        ({"arms": (("A", 0), ("B", 0))}, "ratio: whole numbers"),
        ({"strata": ()}, "strata: one or more"),
        ({"strata": ("X", "X")}, "strata: one or more"),
        ({"block_sizes": ()}, "block sizes: ascending"),
        ({"block_sizes": (6, 4)}, "block sizes: ascending"),
        ({"block_sizes": (4, 5)}, "block sizes and ratio"),
        ({"block_sizes": (0, 4)}, "block sizes and ratio"),
        ({"slots": 0}, "slots: at least 1"),
    ],
)
def test_a_plan_that_cannot_be_is_refused_with_the_reason(change, says):
    with pytest.raises(ValueError, match=says):
        plan(**change)


def test_the_salt_hides_a_list_so_short_that_its_hash_could_be_guessed_back():
    short = plan(strata=("ALL",), slots=1, block_sizes=(4,))
    same_slots = [s for s in map(seed_number, range(30)) if generate(short, s) == generate(short, seed_number(0))]
    assert len(same_slots) > 1
    assert len({commitment(write_list(short, seed)) for seed in same_slots}) == len(same_slots)
