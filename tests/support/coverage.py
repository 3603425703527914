"""How often the intervals of a fleet hold, in simulated fleets of which the truth is known.

A fleet has groups of images; what an image would have on the other base is known of all, and shown
of the paired ones.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from helpers.fleet import bootstrap, moving, pairs, prediction

Values = NDArray[np.float64]
Random = np.random.Generator

EFFECTS: dict[str, Callable[[Random, int], Values]] = {
    "normal": lambda rng, n: np.clip(0.7 + 0.15 * rng.standard_normal(n), 0, None),
    "none": lambda rng, n: np.exp(0.25 * rng.standard_normal(n) - 0.25**2 / 2),
    "skewed": lambda rng, n: np.exp(0.5 * rng.standard_normal(n) - 0.5),
    "heavy": lambda rng, n: np.clip(0.7 + 0.15 * rng.standard_t(3, n), 0, None),
    "two kinds": lambda rng, n: (
        np.where(rng.random(n) < 0.7, 0.95, 0.2) * np.exp(0.1 * rng.standard_normal(n))
    ),
}
"""What part of a group's vulnerabilities is there on the other base."""

PAIRINGS: dict[str, Callable[[Values, Values], Values]] = {
    "at random": lambda base, part: np.zeros(len(base)),
    "the larger ones": lambda base, part: np.log(base),
    "those that gain most": lambda base, part: -4 * part,
}
"""Which groups are paired: those with the highest of this and noise.

By size, unpaired groups still change by the same share as paired ones; by gain they do not.
"""


class Groups(NamedTuple):
    """Groups of a fleet: their images, and the sums of their counts on both bases."""

    images: Values
    first: Values
    second: Values

    def means(self) -> tuple[Values, Values]:
        """Return the mean counts on both bases."""
        return self.first / self.images, self.second / self.images


def fleet(
    rng: Random, effect: str, paired: int, unpaired: int, pairing: str
) -> tuple[Groups, Groups]:
    """Return the groups that are paired, and those that are not: counts are skewed, lognormal."""
    whole = paired + unpaired
    images = np.minimum(rng.geometric(0.2, whole), 40)
    part = EFFECTS[effect](rng, whole)
    base = 100 * np.exp(0.8 * rng.standard_normal(whole))
    of = np.repeat(np.arange(whole), images)
    first = rng.poisson(base[of] * np.exp(0.3 * rng.standard_normal(len(of)))) + 1.0
    second = rng.poisson(first * part[of] * np.exp(0.1 * rng.standard_normal(len(of))))
    sums = (np.bincount(of, each, whole) for each in (first, second))
    columns = [np.asarray(each, dtype=np.float64) for each in (images, *sums)]
    order = np.argsort(-PAIRINGS[pairing](base, part) - rng.gumbel(size=whole))
    one, other = (
        Groups(*(each[of] for each in columns)) for of in (order[:paired], order[paired:])
    )
    return one, other


def share_of(effect: str) -> float:
    """Return by which share groups change in the mean, of very many."""
    return float(EFFECTS[effect](np.random.default_rng(99), 2_000_000).mean() - 1)


def held(
    effect: str, paired: int, unpaired: int, pairing: str = "at random", *, fleets: int
) -> dict[str, float]:
    """Return in which part of fleets an interval has the truth in it.

    `pairs` is of the share, `moves` of the sum that unpaired images change by, `mean` of that sum
    by the interval of the share alone.
    """
    rng = np.random.default_rng(1)
    true, found = share_of(effect), []
    for _ in range(fleets):
        known, others = fleet(rng, effect, paired, unpaired, pairing)
        first, second = known.means()
        share = bootstrap.ratio(second - first, first, 0.95)
        left = others.first[:, None]
        made = prediction.total(first[:, None], (second - first)[:, None], left, 0.95)
        change, whole = (others.second - others.first).sum(), others.first.sum()
        assert share.low is not None
        assert share.high is not None
        assert made.low is not None
        assert made.high is not None
        found.append(
            (
                share.low <= true <= share.high,
                made.low <= change <= made.high,
                share.low * whole <= change <= share.high * whole,
            )
        )
    return dict(zip(("pairs", "moves", "mean"), np.mean(found, axis=0), strict=True))


FAMILIES = tuple(f"base {number}" for number in range(8))


def eight(rng: Random) -> tuple[pd.DataFrame, Values]:
    """Return the images of apps on eight bases that differ by chance alone, and all their counts.

    Two fifths are on one base only; of the others each base has about two thirds.
    """
    groups = 80
    base = 100 * np.exp(0.8 * rng.standard_normal(groups))
    noise = 0.3 * rng.standard_normal((groups, len(FAMILIES)))
    counts = 1 + rng.poisson(base[:, None] * np.exp(noise)).astype(np.float64)
    there = rng.random(counts.shape) < 0.65
    there[groups * 3 // 5 :] = False
    there[np.arange(groups), rng.integers(0, len(FAMILIES), groups)] = True
    app, family = np.nonzero(there)
    day = pd.Timestamp("2026-01-01", tz="UTC")
    images = pd.DataFrame(
        {
            "variant": [f"{a} {b}" for a, b in zip(app, family, strict=True)],
            "app": [f"app{a}:1" for a in app],
            "repository": [f"app{a}" for a in app],
            "family": [FAMILIES[b] for b in family],
            "count": pd.array(counts[app, family], dtype="Int64"),
        }
    ).assign(architecture="amd64", measured=True, unknown_to_db=False)
    return images.assign(created_at=day, scanned_at=day), counts


def largest(fleets: int) -> dict[str, float]:
    """Return what is said of the best of eight moves, and what is true of it.

    `plain` and `likely` are the mean change that images without a pair are said to have by the
    best move, before it is shrunk and after, and `true` is what they have.
    """
    rng = np.random.default_rng(2)
    found = []
    for _ in range(fleets):
        images, counts = eight(rng)
        table = moving.totals(images, pairs.found(images), {})
        table = table[table["low"].notna() & table["unknown"].eq(0)]
        if table.empty:
            continue
        app, family = (
            np.array([int(text.split()[place]) for text in images["variant"]]) for place in (0, 1)
        )
        real = table["target"].map(
            {
                target: (counts[app, place] - counts[app, family]).sum()
                for place, target in enumerate(FAMILIES)
            }
        )
        best = moving.best(table)
        top = table["likely"].astype("float64").idxmin() if best is None else best.name
        row, seen = table.loc[top], table.loc[top, "observed_change"]
        found.append((row["change"] - seen, row["likely"] - seen, real[top] - seen))
    return dict(zip(("plain", "likely", "true"), np.mean(found, axis=0), strict=True))
