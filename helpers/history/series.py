"""A series: what is kept of many captures, read in batches to bound memory."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import pandas as pd

from helpers.changes import scans
from helpers.changes.scans import SCAN, Scans
from helpers.frames import UNKNOWN_COUNT, Frames
from helpers.vulnerabilities import counting
from helpers.vulnerabilities.lenses import Lens

BATCH = 25
"""Captures that are in memory at once."""


class Series(NamedTuple):
    """What is kept of a series: the parts of `Scans`, and the frame `images` of all captures.

    `scans` also has `at, findings, count`. `at` is the day in the capture's name; scan and database
    may be later. `findings` counts all, including suppressed ones, `count` what the lens counts.
    """

    scans: pd.DataFrame
    presence: pd.DataFrame
    installed: pd.DataFrame
    images: pd.DataFrame


def batches(captures: Sequence[str], size: int = BATCH) -> Iterator[list[str]]:
    """Yield the names of captures, `size` at a time.

    >>> [*batches("abc", 2)]
    [['a', 'b'], ['c']]
    """
    for start in range(0, len(captures), size):
        yield [*captures[start : start + size]]


def series(parts: Iterable[Frames], lens: Lens) -> Series:
    """Return what is kept of batches of captures, read one after the other."""
    kept: list[Scans] = []
    images: list[pd.DataFrame] = []
    for frames in parts:
        kept.append(_reduced(frames, lens))
        images.append(frames.images)
    whole = scans.together(kept)
    order = whole.scans.sort_values("at", kind="stable").index
    found = whole.scans.loc[order].reset_index(drop=True)
    return Series(found, whole.presence, whole.installed, pd.concat(images, ignore_index=True))


def measured(scans: pd.DataFrame) -> pd.DataFrame:
    """Return the scans that have a count; the others are unknown, not zero."""
    return scans[~scans["status"].isin(UNKNOWN_COUNT) & scans["findings"].notna()]


def _reduced(frames: Frames, lens: Lens) -> Scans:
    """Return what is kept of one batch."""
    kept, images = scans.kept(frames), frames.images
    counts = counting.image_counts(frames.findings, images, lens)
    found = frames.findings.groupby(SCAN).size().rename("findings").astype("Int64")
    ours = (
        kept.scans.assign(at=_days(images))
        .merge(found.reset_index(), how="left", on=SCAN)
        .merge(counts[[*SCAN, "count"]], on=SCAN)
    )
    unknown = ours["status"].isin(UNKNOWN_COUNT)
    return kept._replace(scans=ours.assign(findings=ours["findings"].fillna(0).mask(unknown)))


def _days(images: pd.DataFrame) -> pd.Series:
    """Return the days of captures: from their names, else from database or scan.

    A name with only a month means the database's day if it is in that month, else the first day.
    """
    named = images["capture"].str.extract(r"^(\d{4}-\d{2}(?:-\d{2})?)")[0]
    days = pd.to_datetime(named, format="ISO8601", utc=True).astype("datetime64[us, UTC]")
    known = images["db_updated_at"].fillna(images["scanned_at"]).dt.floor("D")
    in_month = named.str.len().eq(7) & known.dt.strftime("%Y-%m").eq(named)
    return known.where(days.isna() | in_month, days)
