"""Is the generator fair, and how much could somebody guess? (faults: allocation concealment, points 1 and 11)

Seeds are fixed: these tests give the same answer each time. Expected shares of right guesses are exact values for
permuted blocks under the convergence strategy (Blackwell and Hodges 1957).
"""

import hashlib
from collections import Counter
from math import comb, sqrt

import pytest
from scipy import stats

from randomization.generator import Plan, generate

RIGHT_GUESSES = {(1, 1, 4): 17 / 24, (1, 1, 6): 41 / 60, (1, 1, 8): 0.6660714285714285, (2, 1, 6): 0.7444444444444445}


def seed_number(n):
    return hashlib.sha256(f"statistics {n}".encode()).digest()


def sequence(*, sizes, slots, n=0, ratios=(1, 1), stratum="ALL"):
    arms = tuple(zip("ABC", ratios, strict=False))
    wanted = Plan("S", "test", "central", arms, (stratum,), tuple(sizes), slots)
    return "".join(generate(wanted, seed_number(n))[stratum])


def cut(text, size):
    return [text[i : i + size] for i in range(0, len(text), size)]


@pytest.mark.parametrize("size", [4, 6])
def test_each_permutation_of_a_block_comes_equally_often(size):
    blocks = Counter(cut(sequence(sizes=[size], slots=100_000 * size), size))
    assert len(blocks) == comb(size, size // 2)
    assert stats.chisquare(list(blocks.values())).pvalue > 0.001


def test_both_block_sizes_come_equally_often():
    # A list of at least one slot is exactly one block, so its length is the size drawn.
    lengths = [len(sequence(sizes=[4, 6], slots=1, n=n)) for n in range(4000)]
    assert stats.chisquare(list(Counter(lengths).values())).pvalue > 0.001


def test_the_first_place_of_a_block_is_balanced():
    first = Counter(block[0] for block in cut(sequence(sizes=[6], slots=300_000), 6))
    assert stats.binomtest(first["A"], first.total()).pvalue > 0.001


def test_neighbouring_blocks_do_not_depend_on_each_other():
    blocks = cut(sequence(sizes=[4], slots=200_000), 4)
    kinds = sorted(set(blocks))
    pairs = Counter(zip(blocks[::2], blocks[1::2], strict=True))
    table = [[pairs[a, b] for b in kinds] for a in kinds]
    assert stats.chi2_contingency(table).pvalue > 0.001


def test_strata_do_not_depend_on_each_other():
    one = cut(sequence(sizes=[4], slots=100_000, stratum="X"), 4)
    other = cut(sequence(sizes=[4], slots=100_000, stratum="Y"), 4)
    pairs = Counter(zip(one, other, strict=True))
    kinds = sorted(set(one))
    assert stats.chi2_contingency([[pairs[a, b] for b in kinds] for a in kinds]).pvalue > 0.001


def test_p_values_over_many_seeds_are_spread_evenly():
    p_values = []
    for n in range(1000):
        blocks = Counter(cut(sequence(sizes=[4], slots=4 * 240, n=n), 4))
        p_values.append(stats.chisquare([blocks[kind] for kind in KINDS_OF_FOUR]).pvalue)
    assert stats.kstest(p_values, "uniform").pvalue > 0.001


KINDS_OF_FOUR = ["AABB", "ABAB", "ABBA", "BAAB", "BABA", "BBAA"]


def test_arms_never_differ_by_more_than_half_the_largest_block():
    difference, worst = 0, 0
    for arm in sequence(sizes=[4, 6], slots=100_000):
        difference += 1 if arm == "A" else -1
        worst = max(worst, abs(difference))
    assert worst == 3


@pytest.mark.parametrize(("ratios", "size"), [((1, 1), 4), ((1, 1), 6), ((1, 1), 8), ((2, 1), 6)])
def test_guessing_with_the_block_size_known_succeeds_as_often_as_theory_says(ratios, size):
    blocks = cut(sequence(sizes=[size], slots=50_000 * size, ratios=ratios), size)
    shares = [guesses_right(block, ratios) / size for block in blocks]
    mean, error = sum(shares) / len(shares), stats.sem(shares)
    assert abs(mean - RIGHT_GUESSES[*ratios, size]) < 4 * error


def guesses_right(block, ratios):
    """Right guesses of somebody who always names the arm with more places left; a tie counts half."""
    left = {arm: ratio * len(block) // sum(ratios) for arm, ratio in zip("AB", ratios, strict=True)}
    right = 0.0
    for arm in block:
        most = max(left.values())
        favourites = [a for a in left if left[a] == most]
        right += (arm in favourites) / len(favourites)
        left[arm] -= 1
    return right


def guess_by_convergence(arms):
    """Share right of somebody who knows all past arms and names the one that is behind; a tie counts half."""
    lead, right = 0, 0.0
    for arm in arms:
        right += 0.5 if lead == 0 else (arm == "A") == (lead < 0)
        lead += 1 if arm == "A" else -1
    return right / len(arms)


@pytest.mark.parametrize("lists", [3000, pytest.param(100_000, marks=[pytest.mark.long, pytest.mark.timeout(900)])])
def test_somebody_who_sees_every_past_arm_guesses_no_better_than_theory(lists):
    """The product shows past arms and never sizes: mixed 4 and 6 must stay below the worst single size, 4."""
    shares = [guess_by_convergence(sequence(sizes=[4, 6], slots=33, n=n)[:33]) for n in range(lists)]
    mean, error = sum(shares) / len(shares), stats.tstd(shares) / sqrt(len(shares))
    assert mean < RIGHT_GUESSES[1, 1, 4] + 3 * error
    assert mean > 0.5
