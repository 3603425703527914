"""The sum that images without a pair would change by, predicted from groups of pairs.

A sum over these images is not a mean: it differs from what the mean share says also by what is
particular to each group of them. So its interval is one of a prediction: the groups of pairs are
resampled for the share, and each group without pairs draws a residual. Errors are studentized
(Davison and Hinkley, Bootstrap Methods and their Application, 1997, sections 6.3.3 and 7.2.4), so
that few groups and skewed shares make it wider. Variances are those of the ratio estimator with
leverages (Royall and Cumberland 1981, https://doi.org/10.1080/01621459.1981.10477604). Residuals
are shares, drawn by how large a group's count is: of a small count a share says little.

Images without a pair of a group that has pairs count as a group of their own. They are more like
these pairs than that, so there the interval is wider than needed.
`tests/fleet/test_coverage.py` holds how often it is right.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from helpers.fleet import bootstrap
from helpers.fleet.bootstrap import Values

DRAWS = 9_999

_LARGEST = 200
"""Groups without pairs that draw one by one; the sum over all smaller ones is nearly normal."""


class Prediction(NamedTuple):
    """A sum of changes, its interval, and the standard error of what the mean share says of it.

    Both ends are None where the groups are too few for one.
    """

    change: float
    low: float | None
    high: float | None
    error: float


def total(first: Values, difference: Values, rest: Values, level: float = 0.95) -> Prediction:
    """Return the change of a sum of counts, with its prediction interval at a level.

    `first` and `difference` have a row a group of pairs and a column a source: the mean count there
    and the mean change; both are 0 where a group has no pair. `rest` has a row a group of images
    without pairs: the sum of their counts on each source. A group that is on several sources is
    taken to be off to the same side on all.
    """
    arrays = [np.ascontiguousarray(each, dtype=np.float64) for each in (first, difference, rest)]
    return _total(*(each.tobytes() for each in arrays), arrays[0].shape[1], level)


@lru_cache(maxsize=256)
def _total(first: bytes, difference: bytes, rest: bytes, sources: int, level: float) -> Prediction:
    above, below, left = (
        np.frombuffer(each).reshape(-1, sources) for each in (difference, first, rest)
    )
    sums = left.sum(axis=0)
    once = np.ones((1, len(below)))
    shares, mean_variance, spread = _fit(above, below, sums, once)
    change = float(shares[0] @ sums)
    error = float(np.sqrt(mean_variance[0]))
    if (below > 0).sum(axis=0).min() < bootstrap.least(level):
        return Prediction(change, None, None, error)
    together = left.T @ left
    scale = np.sqrt(mean_variance[0] + spread[0] @ together @ spread[0])
    if scale <= 1e-12 * sums.sum():
        return Prediction(change, change, change, error)
    rng = np.random.default_rng(bootstrap.SEED)
    residuals = [_residuals(above[:, s], below[:, s], shares[0, s]) for s in range(sources)]
    found = []
    step = max(1, bootstrap.ROOM // max(len(below), min(len(left), _LARGEST)))
    for start in range(0, DRAWS, step):
        draws = min(step, DRAWS - start)
        times = rng.multinomial(len(below), np.full(len(below), 1 / len(below)), draws)
        drawn, variance, spreads = _fit(above, below, sums, times.astype(np.float64))
        away = change + _drawn(residuals, left, spread[0], draws, rng) - drawn @ sums
        errors = np.sqrt(variance + np.einsum("bs,st,bt->b", spreads, together, spreads))
        is_none = errors <= 1e-12 * sums.sum()
        surely = np.where(np.abs(away) <= 1e-12 * sums.sum(), 0, np.copysign(np.inf, away))
        t = np.where(is_none, surely, away / np.where(is_none, 1, errors))
        # A source of which no group is drawn says nothing.
        found.append(t[np.isfinite(drawn).all(axis=1)])
    tail = (1 - level) / 2
    lower, upper = np.quantile(np.concatenate(found), [tail, 1 - tail], method="inverted_cdf")
    # No further away than the groups are from one another, and nothing loses more than it has.
    reach = 2 * float(sums @ [np.ptp(residuals[s][0]) for s in range(sources)])
    low = max(change + scale * lower, change - reach, -float(sums.sum()))
    high = min(change + scale * upper, change + reach)
    return Prediction(change, float(low), float(high), error)


def _fit(
    above: Values, below: Values, sums: Values, times: Values
) -> tuple[Values, Values, Values]:
    """Return the share of each source, the variance of their sum, and how far shares are spread.

    `times` has a row a sample: how often each group is in it. NA is the share of a source of which
    no group is there.
    """
    whole = times @ below
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = (times @ above) / whole
    shares = np.where(whole > 0, shares, np.nan)
    influence = np.zeros_like(times)
    spread = np.zeros_like(whole)
    for s in range(below.shape[1]):
        of = np.maximum(whole[:, s : s + 1], 1e-300)
        weight = below[:, s] / of
        rest = np.nan_to_num(above[:, s] - shares[:, s : s + 1] * below[:, s])
        # A group that is nearly all of the sum has hardly a residual of its own.
        rest /= np.sqrt(np.maximum(1 - weight, 1e-9))
        influence += sums[s] * rest / of
        each = rest / np.where(below[:, s] > 0, below[:, s], np.inf)
        mean = (times * weight * each).sum(axis=1)
        square = (times * weight * each**2).sum(axis=1)
        spread[:, s] = np.sqrt(np.maximum(square - mean**2, 0))
    return shares, (times * influence**2).sum(axis=1), spread


def _residuals(above: Values, below: Values, share: float) -> tuple[Values, Values]:
    """Return the residual shares of groups in order, and up to which part of one each is drawn."""
    above, below = above[below > 0], below[below > 0]
    weight = below / below.sum()
    each = (above / below - share) / np.sqrt(np.maximum(1 - weight, 1e-9))
    each -= weight @ each
    order = np.argsort(each)
    return each[order], np.cumsum(weight[order])


def _drawn(
    residuals: list[tuple[Values, Values]],
    left: Values,
    spread: Values,
    draws: int,
    rng: np.random.Generator,
) -> Values:
    """Return what the sum of groups without pairs is off by, so many times."""
    order = np.argsort(-left.sum(axis=1), kind="stable")
    largest, others = left[order[:_LARGEST]], left[order[_LARGEST:]]
    part = rng.random((draws, len(largest)))
    found: Values = np.sqrt(((others @ spread) ** 2).sum()) * rng.standard_normal(draws)
    for s, (each, until) in enumerate(residuals):
        place = np.minimum(np.searchsorted(until, part), len(each) - 1)
        found += each[place] @ largest[:, s]
    return found
