"""The confidence interval of a ratio over groups of images, by resampling the groups.

Images of one repository are not independent of one another, nor are repositories that share
packages. So a group of them is what is resampled: however many images it has, it counts once.

With few groups the percentiles of a resampled ratio are too narrow: with six and no difference
they find one in 13 to 21 of 100 cases, by simulation. So the interval reaches as far as the farther
of two that are known to do better:

- the wild bootstrap with the null hypothesis imposed, inverted (Cameron, Gelbach and Miller 2008,
  https://doi.org/10.1162/rest.90.3.414). Of a mean that is the test of random signs, and its
  interval goes between means of random subsets of the values (Hartigan 1969,
  https://doi.org/10.1080/01621459.1969.10501057). It is exact if values are symmetric around the
  mean, each in its own way.
- the bootstrap-t (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, section 12.5),
  which follows skewed values, but not beyond the least and the greatest value: with few values,
  some of them alike, it has no bounds of its own.
"""

from collections.abc import Iterator
from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

DRAWS, SEED = 19_999, 20_260_101
"""How often is resampled; the seed makes every run give the same."""

_ALL_SUBSETS = 14
"""Values of which all subsets are taken, instead of random ones."""

_MANY = 500
"""Values from which on a quarter of the draws is enough: their ratio is nearly normal."""

ROOM = 2_000_000
"""Numbers of a matrix at a time."""


class Estimate(NamedTuple):
    """A ratio, its interval and standard error; no ends where the values are too few for one."""

    ratio: float
    low: float | None
    high: float | None
    error: float


def least(level: float) -> int:
    """Return of how many values on there is an interval.

    Of fewer, even if all lie on one side of zero, that is too likely by chance: 2 of 2ⁿ.

    >>> least(0.95), least(0.995)
    (6, 9)
    """
    return int(np.ceil(1 - np.log2(1 - level) - 1e-9))


def ratio(above: Values, below: Values, level: float = 0.95) -> Estimate:
    """Return the sum of some values by that of others, with its interval at a level.

    Each group has one of both, that below is zero or more; the ratio to nothing at all is zero.
    Tests of random signs, of `above` less the ratio times `below`, go between ratios of subsets
    just as those of a mean do; errors are those of the ratio estimator (Cochran, Sampling
    Techniques, 1977, section 2.11).
    """
    both = np.array([above, below], dtype=np.float64)
    # A group that has nothing on either side has no ratio.
    both = both[:, both.any(axis=0)]
    return _ratio(both[:, np.lexsort(both[::-1])].tobytes(), level)


@lru_cache(maxsize=256)
def _ratio(data: bytes, level: float) -> Estimate:
    """Return `ratio` of sorted values; several questions ask for the same one."""
    both = np.frombuffer(data).reshape(2, -1)
    above, below = both
    size = len(above)
    if not below.any():
        return Estimate(0.0, None, None, 0.0)
    found = float(above.sum() / below.sum())
    rest = above - found * below
    error = float(np.sqrt((rest**2).sum() / max(size - 1, 1) / size) / below.mean())
    if size < least(level):
        return Estimate(found, None, None, error)
    with np.errstate(divide="ignore"):
        each = above / below
    if each.min() == each.max():
        return Estimate(found, found, found, error)
    tail = (1 - level) / 2
    ratios = _subset_ratios(both)
    # Both ends are ratios of subsets, so that the level is kept: no value between two of them.
    place = max(1, int(tail * (len(ratios) + 1) + 1e-9))
    low, high = ratios[place - 1], ratios[-place]
    lower, upper = np.quantile(_t(both), [tail, 1 - tail], method="inverted_cdf")
    low = min(low, max(each.min(), found - upper * error))
    high = max(high, min(each.max(), found - lower * error))
    return Estimate(found, float(low), float(high), error)


def shrunk(estimates: Values, errors: Values) -> Values:
    """Return estimates drawn toward zero, each the more the larger its standard error.

    The largest of several estimates is mostly too large, as it was chosen for that. The factor is
    the empirical Bayes one of true values that vary around zero (Efron and Morris 1975,
    https://doi.org/10.1080/01621459.1975.10479864), their variance by the method of moments. A
    single estimate was not chosen among others, so it stays.
    """
    if len(estimates) < 2:
        return estimates
    variance = max(0.0, float((estimates**2 - errors**2).mean()))
    whole = variance + errors**2
    return estimates * np.divide(variance, whole, out=np.ones_like(whole), where=whole > 0)


def _subset_ratios(both: Values) -> Values:
    """Return the ratios of all subsets of values, or of random ones, the least first."""
    above, below = both
    subsets = _subsets(len(above))
    with np.errstate(divide="ignore"):
        return np.sort(np.concatenate([(take @ above) / (take @ below) for take in subsets]))


def _subsets(size: int) -> Iterator[Values]:
    """Yield subsets that are not empty, as rows of ones and zeros."""
    if size <= _ALL_SUBSETS:
        yield _every_subset(size)
        return
    rng = np.random.default_rng(SEED)
    for draws in _steps(size):
        taken = rng.integers(0, 2, (draws, size)).astype(np.float64)
        yield taken[taken.any(axis=1)]


@cache
def _every_subset(size: int) -> Values:
    return (np.arange(1, 2**size)[:, None] >> np.arange(size) & 1).astype(np.float64)


def _t(both: Values) -> Values:
    """Return the studentized ratios of resampled values."""
    rng = np.random.default_rng(SEED)
    size = both.shape[1]
    whole = both[0].sum() / both[1].sum()
    found = []
    for draws in _steps(size):
        above, below = both[:, rng.integers(0, size, (draws, size))]
        with np.errstate(divide="ignore", invalid="ignore"):
            ratios = above.sum(axis=1) / below.sum(axis=1)
            rest = above - ratios[:, None] * below
            error = rest.std(axis=1, ddof=1) / np.sqrt(size) / below.mean(axis=1)
        away = ratios - whole
        # Of values that are all alike, or all of nothing below, the ratio is as far away as can be.
        alike = ~(error > 1e-12 * np.abs(both[0]).max() / both[1].max())
        surely = np.where(np.abs(away) <= 1e-12 * np.abs(whole), 0, np.copysign(np.inf, away))
        found.append(np.where(alike, surely, away / np.where(alike, 1, error)))
    return np.concatenate(found)


def _steps(size: int) -> list[int]:
    """Return how many draws are made at a time."""
    step = max(1, ROOM // size)
    draws = DRAWS if size < _MANY else (DRAWS + 1) // 4 - 1
    return [min(step, draws - start) for start in range(0, draws, step)]
