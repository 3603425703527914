"""Counts alone as evidence: what each scan counted, not what it found."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import pandas as pd

from helpers import frames
from helpers.errors import EvidenceLacking
from helpers.fleet import table_parts, tally
from helpers.fleet.partition import Partition, Reduction
from helpers.frames import SEVERITIES
from helpers.studies import tables
from helpers.text.i18n import msg, word
from helpers.vulnerabilities.lenses import PLAIN, Lens
from helpers.vulnerabilities.once import FINDINGS, VULNERABILITIES

ONLY_COUNTS = msg("Only counts are known here, not what was found.")

_COLUMNS = {FINDINGS: "findings", VULNERABILITIES: "vulnerabilities"}
"""What a table of counts has of each way to count."""


class Counts(NamedTuple):
    """What questions of a fleet are asked of where only counts are known: the frame `counts`.

    What needs more than these raises `EvidenceLacking`.
    """

    table: pd.DataFrame

    @property
    def counted(self) -> str:
        """The way of counting that a question takes by default: what the table counts."""
        return VULNERABILITIES if self.table["vulnerabilities"].notna().all() else FINDINGS

    def check(self, lens: Lens) -> None:
        """Raise `EvidenceLacking` for a lens that looks at findings."""
        plain = PLAIN._replace(counted=lens.counted, fixable=lens.fixable)
        if lens.counted not in _COLUMNS or lens != plain:
            raise EvidenceLacking(word(ONLY_COUNTS))

    def images(self, lens: Lens) -> pd.DataFrame:
        """Return every scan with its counts under a lens, as `tally.images` does."""
        self.check(lens)
        rows = self.table
        scanned = tally.images(lens).of(_partition(rows))
        is_plain = lens.counted == FINDINGS
        unknown = pd.array([pd.NA] * len(rows), dtype="Int64")
        fixable = rows["fixable"].array if is_plain else unknown
        whole = fixable if lens.fixable else rows[_COLUMNS[lens.counted]].array
        levels = {
            level: rows[level].array if is_plain and not lens.fixable else unknown
            for level in SEVERITIES
        }
        return scanned.assign(count=whole, fixable=fixable, found=rows["findings"].array, **levels)

    def reduced(self, reduction: Reduction) -> pd.DataFrame:
        """Raise `EvidenceLacking`."""
        raise EvidenceLacking(word(ONLY_COUNTS))

    def kept(self, reduction: Reduction) -> list[Any]:
        """Raise `EvidenceLacking`."""
        raise EvidenceLacking(word(ONLY_COUNTS))

    def frame(self, name: str) -> Any:
        """Raise `EvidenceLacking`."""
        raise EvidenceLacking(word(ONLY_COUNTS))


def given(scans: str) -> Counts | None:
    """Return the counts in a folder or file of that name; `None` if it is something else.

    Raises `TableInvalid`, and `KitError` where Parquet needs PyArrow.
    """
    path = tables.counts_at(table_parts.folder(scans))
    return Counts(tables.counts(path)) if path else None


def _partition(rows: pd.DataFrame) -> Partition:
    """Return the scans as a part in which nothing is known to be found."""
    variants = [
        f"{reference}@{number}" for number, reference in enumerate(rows["reference"], start=1)
    ]
    common = {"variant": variants, "capture": [""] * len(rows)}
    images = {
        **common,
        **_lists(rows, frames.columns("images")),
        # Counts are given, whether or not the system is.
        "status": [frames.SCANNED] * len(rows),
    }
    fleet = {**common, "name": [*rows["reference"]], "packages_known": [False] * len(rows)}
    empty = {name: frames.make(name, {}) for name in ("findings", "packages")}
    return Partition(
        fleet=frames.make("fleet", fleet), images=frames.make("images", images), **empty
    )


def _lists(rows: pd.DataFrame, columns: list[str]) -> Mapping[str, list[Any]]:
    """Return the columns that the table has of a frame; its name is the reference."""
    shared = [name for name in columns if name in rows and name != "variant"]
    return {
        name: [None if each is pd.NaT or pd.isna(each) else each for each in rows[name]]
        for name in shared
    }
