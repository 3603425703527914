"""The two images that the claims are tested on, and what the evidence knows of them."""

from typing import NamedTuple

import pandas as pd

from helpers import compare, tools
from helpers.frames import SCANNED, Frames
from helpers.languages import t
from helpers.lenses import Lens


class Pair(NamedTuple):
    """What the claims are tested on: the frames, and which variant plays which part."""

    every: Frames
    chosen: Frames
    published: pd.DataFrame
    files: pd.DataFrame
    alpine: str
    distroless: str
    known_by: str

    def totals(self, of: Frames) -> pd.DataFrame:
        """Return `totals_by_lens` of what was scanned whole, as known by the day."""
        # Where no operating system was recognised, the count is not that of the image.
        known = of.images[of.images["status"].eq(SCANNED)]
        return compare.totals_by_lens(of.findings, known, Lens(known_by=self.known_by))

    def are_in(self, known: pd.Index) -> bool:
        """Return whether both variants are among those of which something is known."""
        return {self.alpine, self.distroless} <= set(known)

    def tools(self, variant: str, kinds: tuple[str, ...]) -> frozenset[str] | None:
        """Return the tools of some kinds in a variant; `None` if its files are not known."""
        own = self.files[self.files["variant"].eq(variant)]
        return None if own.empty else tools.names(tools.found(own), variant, kinds)

    def packages(self, variant: str) -> frozenset[str] | None:
        """Return the names of a variant's packages, `None` if its report does not list them."""
        images = self.chosen.images
        if images.loc[images["variant"].eq(variant), "packages"].isna().all():
            return None
        return tools.packages(self.chosen.packages, variant)

    def started(self, variant: str) -> str | None:
        """Return the shell that could be started, empty if none could; `None` if not tried."""
        images = self.chosen.images
        row = images[images["variant"].eq(variant)].iloc[0]
        if pd.isna(row["shell_starts"]):
            return None
        return str(row["shell"]) if row["shell_starts"] else ""

    def printed(self, metric: str) -> dict[str, float]:
        """Return what was published of a metric, of findings the total; empty if not of both."""
        rows = self.published[self.published["metric"].eq(metric)]
        rows = rows[rows["severity"].isna() | rows["severity"].eq(compare.TOTAL)]
        value = rows.set_index("variant")["value"].dropna()
        if not self.are_in(value.index):
            return {}
        return {"alpine": value[self.alpine], "distroless": value[self.distroless]}

    def dated(self) -> str:
        """Return by which day is counted, for the end of a text; nothing if by none."""
        return t(", published by {day}", day=self.known_by) if self.known_by else ""
