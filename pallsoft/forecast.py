"""When the target is reached: the Poisson-gamma model of recruitment over sites. Numbers in, numbers out.

Anisimov and Fedorov, "Modelling, prediction and adaptive adjustment of recruitment in multicentre trials", Statistics
in Medicine 2007;26:4958-75. Each site includes at a steady rate of its own, and the rates are drawn from one gamma
distribution, which is estimated from all sites (empirical Bayes). Given what a site has included in its days, its rate
is gamma again; the sum over sites is taken as gamma with the same mean and variance, so that what will be included is
negative binomial. How uncertain the estimated mean is counts too (Kass and Steffey, JASA 1989;84:717-26, first order):
without it the bands of a young trial are too narrow.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from statistics import variance

DAYS_IN_MONTH = 365.25 / 12
LONGEST = 3653  # days: further ahead than ten years nothing is forecast [D]
# With less than this nobody can tell how much sites differ, and the shape is taken as 1: the rates of sites spread as
# widely as they are high [D].
FEWEST_SITES, FEWEST_INCLUSIONS, USUAL_SHAPE = 3, 10, 1.0
SHAPES = [0.25 * 1.1**step for step in range(56)]  # to 47, where sites hardly differ


@dataclass(frozen=True)
class SiteRecord:
    """What a site has included in the days on which it was open; `recruits`: does it go on?"""

    inclusions: int
    days: int
    recruits: bool


@dataclass(frozen=True)
class Prior:
    """The gamma distribution of the rates of sites (inclusions a day); `uncertainty`: the variance of its mean."""

    mean: float
    shape: float
    uncertainty: float
    is_usual: bool  # too few data: the shape is ours


@dataclass(frozen=True)
class Pace:
    """The rate of all sites together (inclusions a day) from now on: gamma with this shape and rate."""

    shape: float
    rate: float

    def counts(self, days: int, levels: Sequence[float], most: int) -> list[int]:
        """The quantiles, at `levels` in ascending order, of how many are included in so many days; `most` at most."""
        found: list[int] = []
        for n, chance in zip(range(most), self._at_most(days), strict=False):
            found += [n] * sum(chance >= level for level in levels[len(found) :])
        return found + [most] * (len(levels) - len(found))

    def days_until(self, needed: int, level: float) -> int | None:
        """The first day by which `needed` more are included with a chance of `level`; None when it is too far away."""
        low, high = 0, LONGEST
        if self._reaches(needed, high) < level:
            return None
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self._reaches(needed, middle) >= level else (middle, high)
        return high

    def _reaches(self, needed: int, days: int) -> float:
        """The chance that `needed` or more are included in so many days."""
        fewer = [chance for _, chance in zip(range(needed), self._at_most(days), strict=False)]
        return 1 - fewer[-1]

    def _at_most(self, days: int) -> Iterator[float]:
        """The chances that at most 0, 1, 2 … are included in so many days (negative binomial)."""
        none, one_more = -math.log1p(days / self.rate), math.log(days / (self.rate + days))
        total = 0.0
        for n in count():
            ways = math.lgamma(self.shape + n) - math.lgamma(self.shape) - math.lgamma(n + 1)
            total += math.exp(ways + self.shape * none + n * one_more)
            yield total


def prior_of(records: Iterable[SiteRecord]) -> Prior:
    """The distribution under which what the sites have included is likeliest. Raises ValueError without an inclusion
    in the days of any site."""
    seen = [one for one in records if one.days > 0]
    total = sum(one.inclusions for one in seen)
    if not total:
        raise ValueError("nothing was included while a site was open")
    is_usual = len(seen) < FEWEST_SITES or total < FEWEST_INCLUSIONS
    shape = USUAL_SHAPE if is_usual else max(SHAPES, key=lambda shape: _likelihood(seen, shape))
    mean = _mean(seen, shape)
    information = sum(one.days / (1 + mean * one.days / shape) for one in seen) / mean
    return Prior(mean, shape, 1 / information, is_usual)


def pace_of(records: Iterable[SiteRecord], prior: Prior, *, opened: int = 0, closed: int = 0) -> Pace | None:
    """The pace of the sites that recruit, when `opened` more open now and any `closed` of them, whichever, close.

    None when no site is left. Raises ValueError when more close than recruit.
    """
    going = [one for one in records if one.recruits and one.days > 0]
    if closed > len(going):
        raise ValueError("more sites close than recruit")
    kept = 1 - closed / len(going) if going else 0.0
    if not opened and not kept:
        return None
    beta = prior.shape / prior.mean
    means = [(prior.shape + one.inclusions) / (beta + one.days) for one in going]
    spreads = [mean / (beta + one.days) for mean, one in zip(means, going, strict=True)]
    # How much each estimate moves when the mean of all sites does; a site that has not begun moves as much as it.
    slopes = [mean * beta / prior.mean / (beta + one.days) for mean, one in zip(means, going, strict=True)]
    mean = kept * sum(means) + opened * prior.mean
    spread = kept * sum(spreads) + opened * prior.mean**2 / prior.shape
    spread += (kept * sum(slopes) + opened) ** 2 * prior.uncertainty
    if closed and len(going) > 1:  # nobody knows which: the variance of a sum over sites drawn at random
        spread += kept * closed * variance(means)
    return Pace(mean**2 / spread, mean / spread)


def poisson_interval(inclusions: int, level: float = 0.95) -> tuple[float, float]:
    """The exact interval of the mean of a Poisson count (Garwood, Biometrika 1936;28:437-42)."""
    outside = (1 - level) / 2
    low, high = 0.0, float(inclusions)
    if inclusions:
        low = _root(lambda mean: _at_least(inclusions, mean) > outside, 0.0, high)
    ceiling = inclusions + 6 * math.sqrt(inclusions + 1) + 6
    return low, _root(lambda mean: _at_most(inclusions, mean) < outside, high, ceiling)


def _likelihood(seen: list[SiteRecord], shape: float) -> float:
    """The logarithm of it at the best mean for this shape, but for what does not depend on either."""
    beta = shape / _mean(seen, shape)
    return sum(
        math.lgamma(shape + one.inclusions)
        - math.lgamma(shape)
        - shape * math.log1p(one.days / beta)
        - one.inclusions * math.log(beta + one.days)
        for one in seen
    )


def _mean(seen: list[SiteRecord], shape: float) -> float:
    """The likeliest mean for this shape: the root of the score, by Newton's method.

    The score falls and is convex, so that from 0 each step comes nearer and none goes beyond.
    """
    mean = 0.0
    while True:
        spread = [(one, 1 + mean * one.days / shape) for one in seen]
        score = sum((one.inclusions - mean * one.days) / by for one, by in spread)
        slope = sum(one.days * (1 + one.inclusions / shape) / by**2 for one, by in spread)
        step = score / slope
        mean += step
        if step <= mean * 1e-10:
            return mean


def _root(is_beyond: Callable[[float], bool], low: float, high: float) -> float:
    """Where it begins to be beyond, by halving."""
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if is_beyond(middle) else (middle, high)
    return high


def _at_most(inclusions: int, mean: float) -> float:
    return _summed(inclusions, mean, (n / mean for n in range(inclusions, 0, -1)))


def _at_least(inclusions: int, mean: float) -> float:
    return _summed(inclusions, mean, (mean / n for n in count(inclusions + 1)))


def _summed(inclusions: int, mean: float, ratios: Iterable[float]) -> float:
    """The Poisson chance of `inclusions` and of those beside it, each by its ratio to the one before."""
    term = total = math.exp(inclusions * math.log(mean) - mean - math.lgamma(inclusions + 1))
    for ratio in ratios:
        term *= ratio
        total += term
        if term <= total * 1e-15:
            break
    return total
