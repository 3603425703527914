"""The median of durations, some still running, and its confidence interval.

This is the Kaplan-Meier estimate (1958, https://doi.org/10.1080/01621459.1958.10501452). A duration
that is still running counts for as long as it was seen. The median of the ended ones alone would be
too low, since slow ones are still running.

Durations that ended together are not independent, so whole groups are resampled (Davison and
Hinkley, Bootstrap Methods and their Application, 1997, section 3.8).
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

DRAWS, SEED = 1_999, 20_260_101
"""Number of resamples; a fixed seed makes runs reproducible."""

LEAST = 5
"""Fewer groups give no interval: resampling them adds little to the median."""

_HALF = 0.5 + 1e-9


def median(days: pd.Series, at_least: pd.Series) -> float | None:
    """Return after how many days half of the stays are over; None if not observed.

    >>> median(pd.Series([2, 4, 9, 30]), pd.Series([False, False, True, True]))
    4.0
    """
    found = _medians(*_tables(days, at_least, [0] * len(days)), np.ones((1, 1)))[0]
    return None if np.isinf(found) else float(found)


def interval(
    days: pd.Series, at_least: pd.Series, groups: Sequence[object] | pd.Series
) -> tuple[float | None, float | None]:
    """Return the 95% confidence interval of the median, from resampled groups.

    Both ends are None with fewer than `LEAST` groups; the upper end is None if not observed.
    """
    tables = _tables(days, at_least, groups)
    count = tables[1].shape[0]
    if count < LEAST:
        return None, None
    weights = np.random.default_rng(SEED).multinomial(count, [1 / count] * count, DRAWS)
    found = np.sort(_medians(*tables, weights))
    low, high = found[int(0.025 * (DRAWS + 1)) - 1], found[int(0.975 * (DRAWS + 1)) - 1]
    return tuple(None if np.isinf(each) else float(each) for each in (low, high))  # type: ignore[return-value]


Table = NDArray[np.float64]


def _tables(
    days: pd.Series, at_least: pd.Series, groups: Sequence[object] | pd.Series
) -> tuple[Table, Table, Table]:
    """Return the days on which stays ended, and per group how many ended and how many remained."""
    lengths, lasts = days.to_numpy("float64"), at_least.to_numpy("bool")
    ends = np.unique(lengths[~lasts])
    group = pd.factorize(pd.Series([*groups], dtype="object"))[0]
    shape = (int(group.max(initial=-1)) + 1, len(ends) + 1)
    ended, seen = np.zeros(shape), np.zeros(shape)
    np.add.at(ended, (group[~lasts], np.searchsorted(ends, lengths[~lasts])), 1)
    # Each remains on all days up to its own.
    np.add.at(seen, (group, np.searchsorted(ends, lengths, side="right")), 1)
    left = seen[:, ::-1].cumsum(axis=1)[:, ::-1]
    return ends, ended[:, :-1], left[:, 1:]


def _medians(ends: Table, ended: Table, left: Table, weights: NDArray[np.number]) -> Table:
    """Return the median for each row of group weights; infinite if not observed."""
    if not len(ends):
        return np.full(len(weights), np.inf)
    over, of = weights @ ended, weights @ left
    share = np.divide(over, of, out=np.zeros_like(over, dtype=float), where=of > 0)
    is_over = np.cumprod(1 - share, axis=1) <= _HALF
    return np.where(is_over.any(axis=1), ends[is_over.argmax(axis=1)], np.inf)
