"""The Poisson-gamma forecast: against scipy, against known limits, and over simulated trials."""

import itertools
from random import Random

import pytest
from scipy import stats

from pallsoft.forecast import (
    LONGEST,
    SHAPES,
    USUAL_SHAPE,
    Pace,
    Prior,
    SiteRecord,
    pace_of,
    poisson_interval,
    prior_of,
)

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
ALIKE = [SiteRecord(10, 300, True)] * 6
UNLIKE = [SiteRecord(n, 300, True) for n in (0, 1, 1, 4, 12, 31)]


@pytest.mark.parametrize("inclusions", [0, 1, 2, 7, 40, 9000])
@pytest.mark.parametrize("level", [0.9, 0.95])
def test_the_interval_of_a_rate_is_the_exact_one(inclusions, level):
    low, high = poisson_interval(inclusions, level)
    outside = (1 - level) / 2
    assert low == pytest.approx(stats.chi2.ppf(outside, 2 * inclusions) / 2 if inclusions else 0)
    assert high == pytest.approx(stats.chi2.ppf(1 - outside, 2 * inclusions + 2) / 2)


def test_counts_are_the_quantiles_of_the_negative_binomial():
    pace = Pace(shape=7.5, rate=20.0)
    exact = stats.nbinom(7.5, 20 / (20 + 90))
    assert pace.counts(90, LEVELS, most=1000) == [exact.ppf(level) for level in LEVELS]


def test_counts_stop_at_what_is_still_needed():
    assert Pace(shape=7.5, rate=20.0).counts(900, LEVELS, most=12) == [12] * 5


@pytest.mark.parametrize("level", LEVELS)
def test_the_day_is_the_first_on_which_the_chance_is_great_enough(level):
    pace = Pace(shape=7.5, rate=20.0)
    day = pace.days_until(50, level)
    chances = [stats.nbinom.sf(49, 7.5, 20 / (20 + days)) for days in (day - 1, day)]
    assert chances[0] < level <= chances[1]


def test_a_day_beyond_ten_years_is_none():
    assert Pace(shape=7.5, rate=20.0 * LONGEST).days_until(200, 0.5) is None


def test_the_prior_is_the_likeliest_one():
    """Of any mean and any shape of the grid, by scipy's negative binomial."""

    def likelihood(mean, shape):
        beta = shape / mean
        return sum(stats.nbinom.logpmf(one.inclusions, shape, beta / (beta + one.days)) for one in UNLIKE)

    prior = prior_of(UNLIKE)
    best = likelihood(prior.mean, prior.shape)
    assert all(best >= likelihood(prior.mean * by, shape) for by in (0.97, 1, 1.03) for shape in SHAPES)
    assert not prior.is_usual


def test_sites_that_hardly_differ_get_the_greatest_shape_and_others_a_small_one():
    assert prior_of(ALIKE).shape == SHAPES[-1]
    assert prior_of(UNLIKE).shape < 1


def test_sites_with_the_same_days_have_the_plain_mean():
    assert prior_of(ALIKE).mean == pytest.approx(10 / 300)


@pytest.mark.parametrize("few", [ALIKE[:2], [SiteRecord(3, 300, True)] * 3], ids=["two sites", "nine inclusions"])
def test_with_few_data_the_shape_is_the_usual_one(few):
    prior = prior_of(few)
    assert (prior.shape, prior.is_usual) == (USUAL_SHAPE, True)


def test_a_site_that_never_opened_changes_nothing():
    assert prior_of([*UNLIKE, SiteRecord(0, 0, False)]) == prior_of(UNLIKE)


@pytest.mark.parametrize("records", [[], [SiteRecord(0, 300, True)], [SiteRecord(3, 0, False)]])
def test_without_an_inclusion_while_open_there_is_no_prior(records):
    with pytest.raises(ValueError):
        prior_of(records)


def mean_of(pace):
    return pace.shape / pace.rate


def spread_of(pace):
    return pace.shape / pace.rate**2


def test_when_sites_do_not_differ_the_pace_is_as_uncertain_as_their_count():
    """With an endless shape 60 inclusions in 1800 days tell the rate of all as one Poisson count does."""
    prior = Prior(mean=1 / 30, shape=1e9, uncertainty=(1 / 30) / 1800, is_usual=False)
    pace = pace_of(ALIKE, prior)
    assert mean_of(pace) == pytest.approx(6 / 30)
    assert pace.shape == pytest.approx(60, rel=1e-3)


def test_a_site_closed_to_recruitment_informs_the_prior_only():
    closed = [SiteRecord(31, 300, False), *UNLIKE[:-1]]
    prior = prior_of(closed)
    assert prior == prior_of(UNLIKE)
    assert mean_of(pace_of(closed, prior)) < mean_of(pace_of(UNLIKE, prior)) / 2


def test_each_site_opened_adds_the_mean_of_sites():
    prior = prior_of(UNLIKE)
    more = mean_of(pace_of(UNLIKE, prior, opened=2)) - mean_of(pace_of(UNLIKE, prior))
    assert more == pytest.approx(2 * prior.mean)


def test_closing_a_site_whichever_is_the_mean_over_all_choices():
    """The same as drawing the sites that stay, each choice as likely: mean, and variance within and between."""
    prior = Prior(mean=0.02, shape=1.5, uncertainty=0.0, is_usual=False)
    paces = [pace_of(kept, prior) for kept in itertools.combinations(UNLIKE, 4)]
    within = sum(map(spread_of, paces)) / len(paces)
    mean = sum(map(mean_of, paces)) / len(paces)
    between = sum((mean_of(pace) - mean) ** 2 for pace in paces) / len(paces)
    pace = pace_of(UNLIKE, prior, closed=2)
    assert mean_of(pace) == pytest.approx(mean)
    assert spread_of(pace) == pytest.approx(within + between)


def test_when_no_site_is_left_there_is_no_pace():
    prior = prior_of(UNLIKE)
    assert pace_of([SiteRecord(9, 300, False)], prior) is None
    assert pace_of(UNLIKE, prior, closed=6) is None
    assert mean_of(pace_of(UNLIKE, prior, opened=1, closed=6)) == pytest.approx(prior.mean)


def test_more_sites_cannot_close_than_recruit():
    with pytest.raises(ValueError):
        pace_of(UNLIKE, prior_of(UNLIKE), closed=7)


class Trial:
    """A simulated one: eleven sites open three weeks apart, each at a rate drawn from a gamma distribution."""

    SITES, APART, TARGET = 11, 21, 200

    def __init__(self, seed, shape, months=16):
        draw = Random(seed)
        mean = self.TARGET / (self.SITES * months * 30)
        self.days = [list(self._days(draw, site * self.APART, draw.gammavariate(shape, mean / shape)))
                     for site in range(self.SITES)]  # fmt: skip

    def _days(self, draw, day, rate):
        while (day := day + draw.expovariate(rate)) < LONGEST:
            yield day

    def record(self, site, today):
        opened = site * self.APART
        return SiteRecord(sum(day < today for day in self.days[site]), today - opened, True)

    def records(self, today):
        return [self.record(site, today) for site in range(self.SITES) if site * self.APART < today]

    @property
    def end(self):
        every = sorted(itertools.chain(*self.days))
        return every[self.TARGET - 1] if len(every) >= self.TARGET else LONGEST


def is_covered(trial, today, low, high):
    records = trial.records(today)
    pace = pace_of(records, prior_of(records))
    needed = trial.TARGET - sum(one.inclusions for one in records)
    earliest, latest = (pace.days_until(needed, level) for level in (low, high))
    return today + (earliest or LONGEST) - 1 <= trial.end <= today + (latest or LONGEST)


@pytest.mark.long
@pytest.mark.parametrize("shape", [1.2, 4.0])
def test_the_90_percent_band_covers_the_true_day_in_about_90_of_100_trials(shape):
    """After eight months, when all sites are open."""
    trials = [Trial(seed, shape) for seed in range(500)]
    waiting = [trial for trial in trials if trial.end > 250]
    covered = sum(is_covered(trial, 250, 0.05, 0.95) for trial in waiting)
    assert len(waiting) > 490
    assert 0.85 <= covered / len(waiting) <= 0.95


@pytest.mark.long
def test_the_50_percent_band_covers_the_true_day_in_about_half_of_the_trials():
    trials = [trial for trial in (Trial(seed, 1.2) for seed in range(500)) if trial.end > 250]
    assert 0.43 <= sum(is_covered(trial, 250, 0.25, 0.75) for trial in trials) / len(trials) <= 0.57
