"""What the weights choose of the images of one capture."""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

import pandas as pd

from helpers.comparability import confounders
from helpers.frames import Frames
from helpers.sizes import image_sizes
from helpers.verdict import tradeoff
from helpers.verdict.tradeoff import EXPLOITED, LIKELY
from helpers.vulnerabilities.lenses import Lens

MEASURED = (EXPLOITED, LIKELY, "fixable", "serious", "unfixed", "size")
"""Criteria that are numbers of vulnerabilities, and the size."""


class Decision(NamedTuple):
    """What is weighed of the images of one capture, and how.

    `day` is that of the database, or of the scan if `by_scan`; empty if neither is known. `kind` is
    the kind of size that counts, `candidates` and `ranked` are those of `tradeoff`.
    """

    capture: str
    day: str
    by_scan: bool
    lens: Lens
    kind: str
    weights: Mapping[str, float]
    candidates: pd.DataFrame
    ranked: pd.DataFrame

    @property
    def used(self) -> list[str]:
        """Return the criteria that count."""
        return tradeoff.weighed(self.candidates, self.weights)

    @property
    def can_choose(self) -> bool:
        """Return whether anything is weighed, of images that were scanned alike."""
        return bool(self.used) and not self.candidates["mixed"].any()

    @property
    def best(self) -> list[str]:
        """Return the variants that come first: several on a tie, none without a choice."""
        return tradeoff.best(self.ranked) if self.can_choose else []

    @property
    def ships(self) -> bool:
        """Return whether one comes first and is not past its support, as far as that counts."""
        return len(self.best) == 1 and bool(self.ranked["supported"].iloc[0])

    @property
    def outcome(self) -> tuple[tuple[str, ...], bool]:
        """Return what two decisions have alike that choose the same."""
        return tuple(self.best), self.ships

    def past_support(self, variant: str) -> str:
        """Return what of a variant is past its support, a message; empty if nothing is."""
        found: str = self.candidates.set_index("variant")["past_support"][variant]
        return found

    @property
    def rivals(self) -> pd.DataFrame:
        """Return the candidates that the first is compared with, the best first.

        Those that are supported if it is, unless there are none.
        """
        if self.ranked.empty:
            return self.candidates.iloc[:0]
        others = self.ranked[~self.ranked["variant"].isin(self.best[:1])]
        alike = others[others["supported"].eq(self.ranked["supported"].iloc[0])]
        order = alike if len(alike) else others
        return self.candidates.set_index("variant", drop=False).loc[order["variant"]]


def decide(
    frames: Frames,
    published: pd.DataFrame,
    size: str,
    lens: Lens,
    weights: Mapping[str, float],
    today: date | None = None,
) -> Decision:
    """Return what is chosen of the images of one capture.

    `size` is the wanted kind, empty the first that all have. Support is judged by `today`, if that
    is given, else by the day of the evidence. Raises `ParameterInvalid` for an unknown size.
    """
    images = frames.images
    sizes = image_sizes.table(images, published)
    kind = image_sizes.known_size(sizes, size)
    support = confounders.confounders(images, today)
    table = tradeoff.candidates(frames.findings, images, sizes, support, kind, lens)
    databases, scans = images["db_updated_at"].dropna(), images["scanned_at"].dropna()
    days = databases if len(databases) else scans
    return Decision(
        str(images["capture"].iloc[0]) if len(images) else "",
        f"{days.max():%Y-%m-%d}" if len(days) else "",
        not len(databases),
        lens,
        kind,
        weights,
        table,
        tradeoff.scores(table, weights),
    )


def decisive(decision: Decision) -> str:
    """Return the criterion of `MEASURED` in which the first leads the next most; empty if none."""
    rivals = decision.rivals
    if not decision.best or rivals.empty:
        return ""
    parts = decision.ranked.set_index("variant")
    leads = {
        criterion: parts[criterion][rivals.index[0]] - parts[criterion][decision.best[0]]
        for criterion in MEASURED
        if criterion in decision.used
    }
    best = max(leads, key=lambda criterion: leads[criterion], default="")
    return best if best and leads[best] > tradeoff.NEGLIGIBLE else ""
