"""The entries that published numbers count: an app on a base, or a reference on a day."""

from collections.abc import Mapping

import pandas as pd

from helpers.fleet import drift, image_table
from helpers.frames import SEVERITIES
from helpers.vulnerabilities import once

KINDS = (once.FINDINGS, once.VULNERABILITIES)

PARTS = ("", "fixable", "serious", *SEVERITIES)
"""What is counted of a kind: all, those with a fix, HIGH and CRITICAL ones, or one severity."""

QUANTITIES = tuple(f"{part} {kind}".strip() for kind in KINDS for part in PARTS)


def table(counts: Mapping[str, pd.DataFrame], scanned: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return entries: `variant, app, family, is_day`, a column for each of `QUANTITIES`.

    `counts` (`image_table.once`) and `scanned` (`tally.images`) are by kind. An image is an entry
    for each app that it is, on its group or else its base. Where scans are of several days, each
    newest scan of a reference and day is one, too: its app is the reference, its family the day.
    """
    placed = {kind: _placed(images) for kind, images in counts.items()}
    dated = {kind: _dated(scans) for kind, scans in scanned.items()}
    both = [_entries(placed).assign(is_day=False), _entries(dated).assign(is_day=True)]
    if both[1]["family"].nunique() < 2:
        both.pop()
    return pd.concat(both, ignore_index=True)


def _placed(images: pd.DataFrame) -> pd.DataFrame:
    rows = image_table.placed(images)
    rows = rows[rows["count"].notna()]
    return rows.assign(family=rows["group"].fillna(rows["family"]))


def _dated(scanned: pd.DataFrame) -> pd.DataFrame:
    rows = drift.by_day(scanned)
    return rows.assign(app=rows["key"], family=rows["day"])


def _entries(by_kind: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the rows of both kinds side by side; they are of the same scans."""
    rows = next(iter(by_kind.values()))
    made = rows[["variant", "app", "family"]].reset_index(drop=True)
    for kind, same in by_kind.items():
        levels = same[[*SEVERITIES]].reset_index(drop=True).astype("Float64")
        sums = same[["count", "fixable"]].reset_index(drop=True).astype("Float64")
        made[kind], made[f"fixable {kind}"] = sums["count"], sums["fixable"]
        made[f"serious {kind}"] = levels["HIGH"] + levels["CRITICAL"]
        for level in SEVERITIES:
            made[f"{level} {kind}"] = levels[level]
    return made


def between(entries: pd.DataFrame, first: str, second: str) -> pd.DataFrame:
    """Return the entries of apps that are in two families: columns `…_first` and `…_second`.

    An app that is several images on one of them is left out: none of these stands for it.
    """
    named = entries[entries["family"].isin([first, second])].dropna(subset="app")
    named = named[~named.duplicated(["family", "app"], keep=False)]
    one, other = (named[named["family"].eq(name)] for name in (first, second))
    both = one.merge(other, on="app", suffixes=("_first", "_second"))
    return both.sort_values("app", ignore_index=True)
