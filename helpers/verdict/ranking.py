"""Which candidate is better than which, by stated weights: pair by pair, whoever else is there."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from helpers.answers.answer import Answer
from helpers.frames import SCANNED, Frames
from helpers.text.i18n import Listing, msg
from helpers.text.units import MB
from helpers.verdict.tradeoff import CRITERIA, ENDED, EXPLOITED
from helpers.vulnerabilities import counting
from helpers.vulnerabilities.lenses import Lens

OR = msg(" or ")
"""What stands between variants of which none is better."""

NEGLIGIBLE = 1e-9
"""A weight, or a difference of points, that counts as zero."""

DOUBLING = 0.1
"""Points that each doubling of a number costs, at a weight of 1: 0, 1, 3, 7 … vulnerabilities, and
so of megabytes. This scale is fixed: an image has the same points beside any other."""

REBUILD = 2.0
"""One rebuild of an image changes a count by less than this times the square root of the larger.

Measured on 1,638 rebuilds of 104 official tags in 2016 to 2018 that changed packages, all scanned
with one database: nine of ten changed the distinct ids by at most 1.0 times that root, and the
findings by at most 1.5 times. Of 227 rebuilds of images in spring 2026, each scanned with the
database of its day, three of four changed the total by at most 1.4 times that root, and nine of
ten by at most 2.6 times. Where a study's own captures hold enough rebuilds, `of_history` takes
theirs."""

REBUILD_SIZE = 0.02
"""The same of sizes, as a share of the larger: nine of ten of those rebuilds changed it by at most
1.2 % (930 with a known size), and by at most 0.3 % in 2026."""

ENOUGH = 10
"""Rebuilds that a study's own captures need to hold."""


class Pairs(NamedTuple):
    """The candidates, and by how many points each is better than each other, per criterion.

    `better[criterion][i, j]` is how many points fewer the i-th has than the j-th at a weight of 1;
    0 where one of the two is not known. `sure` is the same without what one rebuild may bring.
    `ended` are those past the support of each criterion of `ENDED`, and `unfixed` those with what
    is known to be exploited and has no fix.
    """

    variants: list[str]
    ended: Mapping[str, np.ndarray]
    unfixed: np.ndarray
    better: Mapping[str, np.ndarray]
    sure: Mapping[str, np.ndarray]

    def lead(self, weights: Mapping[str, float]) -> tuple[np.ndarray, np.ndarray]:
        """Return by how many points each is better than each other: by all, and by what is sure."""
        none = np.zeros((len(self.variants),) * 2)
        both = [
            sum((weights[c] * each[c] for c in each if weights.get(c)), none)
            for each in (self.better, self.sure)
        ]
        return both[0], both[1]

    def supported(self, weights: Mapping[str, float]) -> np.ndarray:
        """Return which are not past their support, as far as is known.

        Only support that has a weight counts: without one, nobody minds that it has ended.
        """
        past = np.zeros(len(self.variants), bool)
        for criterion in ENDED:
            past |= self.ended[criterion] & bool(weights.get(criterion))
        return ~past

    def tiers(self, weights: Mapping[str, float]) -> np.ndarray:
        """Return what comes before all points: 2 is supported, what is exploited of it has a fix.

        1 is supported, 0 is not. Exploitation without a weight makes no difference.
        """
        supported = self.supported(weights)
        is_less = self.unfixed & bool(weights.get(EXPLOITED))
        return np.where(supported, np.where(is_less, 1, 2), 0)

    def beats(self, weights: Mapping[str, float]) -> np.ndarray:
        """Return which is better than which: [i, j] if the i-th is better than the j-th.

        What comes first by its tier is. Of equals in that it is the one with fewer points, by all
        that is known of both, and also by that alone in which they differ by more than one rebuild
        brings.
        """
        every, sure = self.lead(weights)
        tiers = self.tiers(weights)
        above = tiers[:, None] > tiers[None, :]
        alike = tiers[:, None] == tiers[None, :]
        found: np.ndarray = above | (alike & (every > NEGLIGIBLE) & (sure > NEGLIGIBLE))
        return found

    def best(self, weights: Mapping[str, float]) -> list[str]:
        """Return the one that beats every other; or all between which that cannot be said."""
        if not self.variants:
            return []
        beats = self.beats(weights)
        reach = beats
        # Where not the same is known of all, three can beat each other in a circle.
        while (more := reach | (reach.astype(int) @ reach.astype(int) > 0)).sum() > reach.sum():
            reach = more
        first = ~(reach & ~reach.T).any(axis=0)
        if first.sum() == 1:
            (at,) = np.flatnonzero(first)
            first |= ~beats[at]
        return [name for name, is_first in zip(self.variants, first, strict=True) if is_first]


def scores_answer(ranked: pd.DataFrame) -> Answer:
    """Answer what penalty the weights give each candidate, and from which criterion."""
    return Answer("scores", table=ranked)


def pairs(candidates: pd.DataFrame, rebuild: float = REBUILD) -> Pairs:
    """Return the candidates as pairs."""
    able = candidates[candidates["candidate"]]
    better, sure = {}, {}
    for criterion in CRITERIA:
        values = _numbers(able, criterion)
        points = _points(values, criterion)
        better[criterion] = np.nan_to_num(points[None, :] - points[:, None])
        sure[criterion] = np.where(_within(values, criterion, rebuild), 0.0, better[criterion])
    ended = {criterion: _numbers(able, criterion) == 1 for criterion in ENDED}
    unfixed = _numbers(able, "exploited_unfixed") > 0
    return Pairs([str(variant) for variant in able["variant"]], ended, unfixed, better, sure)


def scores(
    candidates: pd.DataFrame, weights: Mapping[str, float], rebuild: float = REBUILD
) -> pd.DataFrame:
    """Return the candidates' points, the best first: `variant, supported, score`, and their parts.

    Fewer points are better. A part is its weight times `DOUBLING` for each doubling of the
    variant's number, and times the number itself for what is known to be exploited and what has
    ended; NA if it is not known. The score is the sum of what is known. Those of `best` come first,
    what is `supported` before what is not.
    """
    able = candidates[candidates["candidate"]]
    parts = {
        criterion: pd.array(
            _points(_numbers(able, criterion), criterion) * float(weights[criterion]),
            dtype="Float64",
        )
        for criterion in weighed(candidates, weights)
    }
    table = pd.DataFrame({"variant": able["variant"].array, **parts})
    for criterion in parts:
        table[criterion] = table[criterion].mask(able[criterion].isna().to_numpy())
    found = pairs(candidates, rebuild)
    table.insert(1, "supported", found.supported(weights))
    score = table[list(parts)].sum(axis=1).astype("float64") if parts else 0.0
    table.insert(2, "score", score)
    # Of what is not known of all, no sum says which of them is better.
    shared = [criterion for criterion in parts if table[criterion].notna().all()]
    order = pd.DataFrame(
        {
            "tier": -found.tiers(weights),
            "first": ~table["variant"].isin(found.best(weights)),
            "score": table[shared].sum(axis=1) if shared else 0.0,
        }
    ).sort_values(["tier", "first", "score"], kind="stable")
    return table.loc[order.index].reset_index(drop=True)


def best(
    candidates: pd.DataFrame, weights: Mapping[str, float], rebuild: float = REBUILD
) -> list[str]:
    """Return the variant that beats every other; or all between which that cannot be said."""
    return pairs(candidates, rebuild).best(weights)


def weighed(candidates: pd.DataFrame, weights: Mapping[str, float]) -> list[str]:
    """Return the criteria that count: those with a weight that are known of two candidates.

    Of one, if there is one only.
    """
    able = candidates[candidates["candidate"]]
    least = min(2, len(able))
    return [c for c in CRITERIA if weights.get(c) and least and able[c].notna().sum() >= least]


def alike(first: object, second: object, criterion: str, rebuild: float = REBUILD) -> bool:
    """Return whether two values of a criterion differ by less than one rebuild brings.

    Also where one of them is not known.
    """
    values = pd.array([first, second], dtype="Float64").to_numpy(float, na_value=np.nan)
    return bool(_within(values, criterion, rebuild)[0, 1])


def leads(
    candidates: pd.DataFrame,
    weights: Mapping[str, float],
    first: str,
    second: str,
    rebuild: float = REBUILD,
) -> dict[str, float]:
    """Return by how many points one candidate is surely better than another, per criterion."""
    two = candidates[candidates["variant"].isin([first, second])]
    found = pairs(two, rebuild)
    at, other = found.variants.index(first), found.variants.index(second)
    return {c: weights[c] * float(found.sure[c][at, other]) for c in weighed(candidates, weights)}


def flips(
    candidates: pd.DataFrame, weights: Mapping[str, float], rebuild: float = REBUILD
) -> pd.DataFrame:
    """Return at which weight of one criterion, all else equal, the choice is another.

    `criterion, weight, above, variant`: with a weight above it (else below it), `variant` is
    chosen, or there is no choice between several. A weight of 0 that is not above is none at all.
    Leads are linear in each weight, so the point where one is zero is exact.
    """
    names = ["criterion", "weight", "above", "variant"]
    able = candidates[candidates["candidate"]]
    found = pairs(able, rebuild)
    now = found.best(weights)
    ours = [found.variants.index(variant) for variant in now]
    rows = []
    for criterion in CRITERIA if len(able) > 1 else ():
        if able[criterion].notna().sum() < 2:
            continue
        weight = float(weights.get(criterion, 0))
        meets: set[float] = set()
        for every, each in zip(found.lead(weights), (found.better, found.sure), strict=True):
            slope = each[criterion][ours].ravel()
            rest = every[ours].ravel() - weight * slope
            steep = abs(slope) > NEGLIGIBLE
            meets |= {float(at) for at in -rest[steep] / slope[steep] if at > -NEGLIGIBLE}
        for above in (True, False):
            beyond = sorted(
                (max(at, 0.0) for at in meets if (at >= weight if above else at <= weight)),
                reverse=not above,
            )
            if CRITERIA[criterion].by_number and above == (not weight):
                # Whether these weigh at all says what comes first.
                beyond = [0.0, *beyond] if above else [*beyond, 0.0]
            for at, after in zip(beyond, [*beyond, None][1:], strict=True):
                tried = _between(at, after, above)
                chosen = found.best({**weights, criterion: tried})
                if set(chosen) != set(now):
                    rows.append((criterion, at, above, Listing(chosen, OR)))
                    break
    table = pd.DataFrame(rows, columns=names)
    return table.astype({"criterion": "str", "weight": "float64", "above": "bool"})


def of_history(frames: Frames, lens: Lens) -> float:
    """Return what one rebuild brings, as `REBUILD`, by all captures of a study.

    Nine of ten rebuilds in them brought at most that. A rebuild is an image of a variant with
    another id than in the capture before. `REBUILD` if there are fewer than `ENOUGH`.
    """
    images = frames.images.sort_values(["variant", "capture"], kind="stable")
    plain = Lens(lens.counted)
    counts = counting.image_counts(frames.findings, images, plain)["count"].to_numpy()
    table = images[["variant", "image_id"]].assign(count=counts, status=images["status"])
    table = table[table["status"].eq(SCANNED)]
    before = table.groupby("variant", sort=False)[["image_id", "count"]].shift()
    known = table["image_id"].notna() & before["image_id"].notna()
    rebuilt = table[known & table["image_id"].ne(before["image_id"])]
    if len(rebuilt) < ENOUGH:
        return REBUILD
    count = rebuilt["count"].astype("float64")
    earlier = before["count"][rebuilt.index].astype("float64")
    root = np.sqrt(np.maximum(np.maximum(count, earlier), 1))
    return float(((count - earlier).abs() / root).quantile(0.9))


def without_each(
    candidates: pd.DataFrame, weights: Mapping[str, float], rebuild: float = REBUILD
) -> pd.DataFrame:
    """Return what is chosen if one candidate is left out: `without, choice`, a row each.

    Of fewer than three nothing is left to choose.
    """
    able = candidates[candidates["candidate"]]
    rows = [
        (str(variant), Listing(best(able[able["variant"].ne(variant)], weights, rebuild), OR))
        for variant in able["variant"]
        if len(able) > 2
    ]
    return pd.DataFrame(rows, columns=["without", "choice"]).astype({"without": "str"})


def _between(at: float, after: float | None, above: bool) -> float:
    """Return a weight beyond one at which leads meet, and before the next such weight."""
    if after is not None and after != at:
        return (at + after) / 2
    if above:
        return at + (1.0 if after is None else NEGLIGIBLE)
    return at / 2 if after is None else max(at - NEGLIGIBLE, 0.0)


def _numbers(candidates: pd.DataFrame, criterion: str) -> np.ndarray:
    found: np.ndarray = candidates[criterion].astype("Float64").to_numpy(float, na_value=np.nan)
    return found


def _points(values: np.ndarray, criterion: str) -> np.ndarray:
    """Return the points of numbers at a weight of 1."""
    if CRITERIA[criterion].by_number:
        return values
    found: np.ndarray = DOUBLING * np.log2(1 + (values / MB if criterion == "size" else values))
    return found


def _within(values: np.ndarray, criterion: str, rebuild: float) -> np.ndarray:
    """Return which pairs of values differ by less than one rebuild brings, or are not known."""
    apart = abs(values[None, :] - values[:, None])
    larger = np.maximum(values[None, :], values[:, None])
    if CRITERIA[criterion].by_number:
        step = np.zeros_like(larger)
    else:
        step = REBUILD_SIZE * larger if criterion == "size" else rebuild * np.sqrt(larger)
    found: np.ndarray = ~(apart >= step)
    return found
