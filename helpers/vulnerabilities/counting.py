"""Counts of findings by severity, lens and package; every variant and severity keeps its row."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from helpers.frames import BROKEN, NO_OS, SEVERITIES, SEVERITY, UNKNOWN_COUNT
from helpers.text.i18n import msg
from helpers.vulnerabilities import lenses, once
from helpers.vulnerabilities.lenses import PLAIN, Lens

LENS_COLUMNS = {
    f"{'fixable ' if fixable else ''}{counted}".replace(" ", "_").replace("-", "_"): (
        counted,
        fixable,
    )
    for fixable in (False, True)
    for counted in once.COUNTED
}
"""Columns of `totals_by_lens`, each with what it counts and whether only what is fixable."""

TOTAL = msg("TOTAL")
UNNAMED = msg("(unnamed)")
"""Shown for a finding without a package."""

ODD = (NO_OS, BROKEN, *UNKNOWN_COUNT)
"""Statuses of images without a count, or whose low count is not reassuring."""

_IMAGE = ["capture", "variant"]


def overview(images: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of `images` that describe each image."""
    shown = ["os_family", "os_version", "packages", "scanner", "scanner_version"]
    return images[["variant", "capture", "source", *shown, "db_updated_at", "scanned_at", "status"]]


def severity_counts(
    findings: pd.DataFrame, images: pd.DataFrame, lens: Lens = PLAIN
) -> pd.DataFrame:
    """Return counts by severity: `capture, variant, status, severity, count`, five rows an image.

    The count is NA for images not scanned for vulnerabilities, and 0 for clean ones.
    Raises `ParameterInvalid` for an unknown lens.
    """
    rows = images[[*_IMAGE, "status"]]
    every = rows.iloc[np.arange(len(rows)).repeat(len(SEVERITIES))].reset_index(drop=True)
    levels = np.tile(np.arange(len(SEVERITIES)), len(rows))
    every["severity"] = pd.Categorical.from_codes(levels, dtype=SEVERITY)
    return _with_counts(every, lenses.apply(findings, lens), [*_IMAGE, "severity"])


def image_counts(
    findings: pd.DataFrame, images: pd.DataFrame, lens: Lens = PLAIN, least: str = SEVERITIES[0]
) -> pd.DataFrame:
    """Return each image's count of at least a severity: `capture, variant, status, count`.

    The count is NA for images not scanned for vulnerabilities, and 0 for clean ones.
    Raises `ParameterInvalid` for an unknown lens.
    """
    counted = lenses.apply(findings, lens)
    if least != SEVERITIES[0] or counted["severity"].hasnans:
        counted = counted[counted["severity"].ge(least)]
    return _with_counts(images[[*_IMAGE, "status"]].reset_index(drop=True), counted, _IMAGE)


def _with_counts(rows: pd.DataFrame, counted: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Return rows with the number of counted findings that have the same keys.

    A verdict calls this a hundred times; a pandas join of small frames takes five times as long.
    """
    if rows.duplicated(keys).any():
        raise ValueError("an image has two rows: counts of two scanners are never added up")
    found = counted.groupby(keys, observed=True, sort=False).size().to_dict()
    each = [found.get(key, 0) for key in rows[keys].itertuples(index=False, name=None)]
    count = pd.Series(pd.array(each, dtype="Int64"), index=rows.index)
    return rows.assign(count=count.mask(rows["status"].isin(UNKNOWN_COUNT)))


def totals(counts: pd.DataFrame) -> pd.DataFrame:
    """Return `capture, variant, status, total` of severity counts; NA if not measured."""
    grouped = counts.groupby([*_IMAGE, "status"], sort=False)["count"]
    return grouped.sum(min_count=1).rename("total").reset_index()


def totals_by_lens(
    findings: pd.DataFrame, images: pd.DataFrame, lens: Lens = PLAIN
) -> pd.DataFrame:
    """Return each image's total in every way of counting, under an otherwise equal lens.

    One row an image: `capture, variant`, the columns of `LENS_COLUMNS` and `status`; NA where
    nothing was measured.
    """
    table = images[_IMAGE].reset_index(drop=True)
    for column, (counted, fixable) in LENS_COLUMNS.items():
        view = lens._replace(counted=counted, fixable=fixable)
        table[column] = image_counts(findings, images, view)["count"]
    return table.assign(status=images["status"].array)


def by_package(
    findings: pd.DataFrame, images: pd.DataFrame, lens: Lens, most: int = 12
) -> pd.DataFrame:
    """Return the source packages with most findings, five rows a pair of package and image.

    `capture, variant, package, status, severity, count`: the packages with the highest count in any
    one image, the highest first, each in every image that has it. At most so many pairs, but never
    a package in part, unless it is the only one. Where a report does not name source packages, the
    installed ones.
    """
    counted = lenses.apply(findings, lens)
    package = counted["source_package"].fillna(counted["package"]).fillna(UNNAMED)
    rows = counted.assign(package=package, severity=counted["severity"].astype("str"))
    keys = [*_IMAGE, "package"]
    counts = rows.groupby([*keys, "severity"]).size().unstack(fill_value=0)
    counts = counts.reindex(columns=list(SEVERITIES), fill_value=0)
    pairs = (
        counts.sum(axis=1).sort_values(ascending=False, kind="stable").rename("pair").reset_index()
    )
    highest = pairs.drop_duplicates("package")["package"]
    order = pairs["package"].map({package: n for n, package in enumerate(highest)})
    pairs = pairs.iloc[order.argsort(kind="stable")]
    ends = pairs.groupby("package", sort=False).size().cumsum()
    shown = pairs[pairs["package"].isin(ends.index[ends.le(most)])]
    largest = pd.MultiIndex.from_frame((pairs.head(most) if shown.empty else shown)[keys])
    tidy = counts.loc[largest].rename_axis(columns="severity").stack().rename("count")
    table = tidy.astype("Int64").reset_index().astype({"severity": SEVERITY})
    return table.merge(images[[*_IMAGE, "status"]], how="left", on=_IMAGE)


class Breakdown(NamedTuple):
    """Counts by severity, and a row an image: `capture, variant, status, total, serious`."""

    counts: pd.DataFrame
    each: pd.DataFrame


def breakdown(findings: pd.DataFrame, images: pd.DataFrame, lens: Lens) -> Breakdown:
    """Return counts by severity; `serious` counts HIGH and CRITICAL."""
    counts = severity_counts(findings, images, lens)
    each = totals(counts)
    serious = totals(counts[counts["severity"].ge("HIGH")])["total"]
    # Without images, `serious` has another index.
    return Breakdown(counts, each.assign(serious=serious.reindex(each.index)))


def measured(each: pd.DataFrame) -> pd.DataFrame:
    """Return the `totals` of images whose counts are comparable."""
    return each[each["total"].notna() & ~each["status"].isin(ODD)]
