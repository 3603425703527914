"""How often the intervals of a fleet hold, in simulated fleets of which the truth is known.

`python -m tests.support.coverage [FLEETS]` prints a table of pairs and moves for skewed and
heavy-tailed effects, few and many groups, and one of the largest of eight moves. A fleet has groups
of images; what an image would have on the other base is known of all, and shown of the paired ones.
"""

import sys
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from helpers.fleet import bootstrap, moving, pairs, prediction

Values = NDArray[np.float64]
Random = np.random.Generator

DRAWS = 999

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

SIZES: dict[str, Callable[[Random, int], NDArray[np.int64]]] = {
    "one": lambda rng, n: np.ones(n, dtype=np.int64),
    "three": lambda rng, n: np.full(n, 3),
    "mixed": lambda rng, n: np.minimum(rng.geometric(0.2, n), 40),
}
"""How many images a group has."""

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
    rng: Random,
    effect: str,
    paired: int,
    unpaired: int,
    sizes: str = "mixed",
    pairing: str = "at random",
) -> tuple[Groups, Groups]:
    """Return the groups that are paired, and those that are not: counts are skewed, lognormal."""
    whole = paired + unpaired
    images = SIZES[sizes](rng, whole)
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
    effect: str,
    paired: int,
    unpaired: int,
    sizes: str = "mixed",
    pairing: str = "at random",
    fleets: int = 400,
    level: float = 0.95,
) -> dict[str, float]:
    """Return in which part of fleets an interval has the truth in it.

    `pairs` is of the share, `moves` of the sum that unpaired images change by, `mean` of that sum
    by the interval of the share alone; `width` is the median width of `moves`, as a share.
    """
    rng = np.random.default_rng(1)
    true, found = share_of(effect), []
    for _ in range(fleets):
        known, others = fleet(rng, effect, paired, unpaired, sizes, pairing)
        first, second = known.means()
        share = bootstrap.ratio(second - first, first, level)
        left = others.first[:, None]
        made = prediction.total(first[:, None], (second - first)[:, None], left, level)
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
                (made.high - made.low) / whole,
            )
        )
    table = np.array(found, dtype=np.float64)
    names = ("pairs", "moves", "mean")
    return dict(zip(names, table.mean(axis=0), strict=False)) | {"width": np.median(table[:, 3])}


FAMILIES = tuple(f"base {number}" for number in range(8))


def eight(rng: Random, effect: float, groups: int = 80) -> tuple[pd.DataFrame, Values]:
    """Return the images of apps on eight bases that differ by an effect, and all their counts.

    Two fifths are on one base only; of the others each base has about two thirds.
    """
    base = 100 * np.exp(0.8 * rng.standard_normal(groups))
    noise = 0.3 * rng.standard_normal((groups, len(FAMILIES)))
    differ = effect * rng.standard_normal(len(FAMILIES))
    counts = 1 + rng.poisson(base[:, None] * np.exp(differ + noise)).astype(np.float64)
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


def largest(effect: float, fleets: int) -> dict[str, float]:
    """Return what is said of the best of eight moves, and what is true of it.

    `together`: the part of fleets in which all intervals hold; `claimed`: in which a move is sure.
    `plain` and `likely` are the mean change that images without a pair are said to have by the
    best move, before it is shrunk and after, and `true` is what they have; `claimed_…`: the same of
    the fleets in which it is sure.
    """
    rng = np.random.default_rng(2)
    found = []
    for _ in range(fleets):
        images, counts = eight(rng, effect)
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
        whole = (table["low"].le(real) & table["high"].ge(real)).all()
        best = moving.best(table)
        top = table["likely"].astype("float64").idxmin() if best is None else best.name
        row, seen = table.loc[top], table.loc[top, "observed_change"]
        said = (row["change"] - seen, row["likely"] - seen, real[top] - seen)
        found.append((whole, best is not None, *said))
    names = ["plain", "likely", "true"]
    rows = pd.DataFrame(found, columns=["together", "claimed", *names], dtype="float64")
    claimed = rows.loc[rows["claimed"].eq(1), names].mean().add_prefix("claimed_")
    return {"fleets": len(rows), **rows.mean(), **claimed}


def main() -> None:
    fleets = int(sys.argv[1]) if sys.argv[1:] else 400
    bootstrap.DRAWS = prediction.DRAWS = DRAWS
    rows = []
    for effect in EFFECTS:
        for paired, unpaired, sizes, pairing in (
            (6, 1, "one", "at random"),
            (6, 4, "mixed", "at random"),
            (6, 12, "three", "at random"),
            (9, 20, "mixed", "at random"),
            (15, 15, "one", "at random"),
            (15, 60, "mixed", "the larger ones"),
            (25, 5, "mixed", "at random"),
            (25, 40, "mixed", "at random"),
            (15, 30, "mixed", "those that gain most"),
        ):
            case = {"effect": effect, "paired": paired, "unpaired": unpaired, "images": sizes}
            found = held(effect, paired, unpaired, sizes, pairing, fleets)
            rows.append(case | {"pairing": pairing} | found)
    print(pd.DataFrame(rows).round(3).to_string(index=False), flush=True)
    eights = [{"effect": effect} | largest(effect, fleets // 4) for effect in (0, 0.05, 0.15, 0.4)]
    print(pd.DataFrame(eights).round(2).to_string(index=False))


if __name__ == "__main__":
    main()
