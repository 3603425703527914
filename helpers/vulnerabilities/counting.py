"""Counts, from frames to tidy frames; every variant and severity keeps its row."""

import pandas as pd

from helpers.frames import SEVERITIES, SEVERITY, UNKNOWN_COUNT
from helpers.text.i18n import msg, word
from helpers.vulnerabilities import lenses
from helpers.vulnerabilities.lenses import PLAIN, Lens

LENS_COLUMNS = {
    f"{'fixable ' if fixable else ''}{counted}".replace(" ", "_").replace("-", "_"): (
        counted,
        fixable,
    )
    for fixable in (False, True)
    for counted in lenses.COUNTED
}
"""Columns of `totals_by_lens`, each with what it counts and whether only what is fixable."""

LENS_LABELS = {
    column: lenses.NAMES[counted, fixable] for column, (counted, fixable) in LENS_COLUMNS.items()
}
"""The same columns, in words; `languages.word` has them in another language than English."""

TOTAL = msg("TOTAL")
UNNAMED = msg("(unnamed)")
"""What is shown for the package of a finding that names none."""

_IMAGE = ["capture", "variant"]


def overview(images: pd.DataFrame) -> pd.DataFrame:
    """Return what a reader must know of each image: the telling columns of `images`."""
    told = ["os_family", "os_version", "packages", "scanner", "scanner_version"]
    return images[["variant", "capture", "source", *told, "db_updated_at", "scanned_at", "status"]]


def severity_counts(
    findings: pd.DataFrame, images: pd.DataFrame, lens: Lens = PLAIN
) -> pd.DataFrame:
    """Return counts by severity: `capture, variant, status, severity, count`, five rows an image.

    The count is NA for images whose vulnerabilities nobody looked for, and 0 for clean ones.
    Raises `ParameterInvalid` for a lens that there is not.
    """
    counted = lenses.apply(findings, lens)
    levels = pd.DataFrame({"severity": pd.Series(SEVERITIES, dtype="str")})
    every = images[[*_IMAGE, "status"]].merge(levels, how="cross")
    keys = [*_IMAGE, "severity"]
    found = counted.astype({"severity": "str"}).groupby(keys).size().rename("count").astype("Int64")
    # One row an image and severity, whatever was found; two scanners' counts are never added up.
    counts = every.merge(found.reset_index(), how="left", on=keys, validate="one_to_one")
    count = counts["count"].fillna(0).mask(counts["status"].isin(UNKNOWN_COUNT))
    return counts.assign(count=count).astype({"severity": SEVERITY})


def totals(counts: pd.DataFrame) -> pd.DataFrame:
    """Return `capture, variant, status, total` of severity counts; NA if not measured."""
    grouped = counts.groupby([*_IMAGE, "status"], sort=False)["count"]
    return grouped.sum(min_count=1).rename("total").reset_index()


def totals_by_lens(
    findings: pd.DataFrame, images: pd.DataFrame, lens: Lens = PLAIN
) -> pd.DataFrame:
    """Return what an image's total is, counted in each way, under an else equal lens.

    One row an image: `capture, variant`, the columns of `LENS_COLUMNS` and `status`; NA where
    nothing was measured.
    """
    table = images[_IMAGE].reset_index(drop=True)
    for column, (counted, fixable) in LENS_COLUMNS.items():
        of = lens._replace(counted=counted, fixable=fixable)
        table[column] = totals(severity_counts(findings, images, of))["total"]
    return table.assign(status=images["status"].array)


def by_package(
    findings: pd.DataFrame, images: pd.DataFrame, lens: Lens, most: int = 12
) -> pd.DataFrame:
    """Return which source packages bring most, five rows a pair of package and image.

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
    place = pairs["package"].map({name: n for n, name in enumerate(highest)})
    pairs = pairs.iloc[place.argsort(kind="stable")]
    ends = pairs.groupby("package", sort=False).size().cumsum()
    shown = pairs[pairs["package"].isin(ends.index[ends.le(most)])]
    largest = pd.MultiIndex.from_frame((pairs.head(most) if shown.empty else shown)[keys])
    tidy = counts.loc[largest].rename_axis(columns="severity").stack().rename("count")
    table = tidy.astype("Int64").reset_index().astype({"severity": SEVERITY})
    return table.merge(images[[*_IMAGE, "status"]], how="left", on=_IMAGE)


def package_name(package: object) -> str:
    """Return a package of `by_package` as it is shown: its name is no word of a language."""
    return word(UNNAMED) if package == UNNAMED else str(package)


def reproduction(counts: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """Return published findings beside counted ones: `variant, severity, published, reproduced`.

    A row for each severity that was published and one for `TOTAL`; `counts` are of one capture.
    """
    wanted = published[published["metric"].eq("findings")]
    summed = totals(counts).rename(columns={"total": "count"}).assign(severity=TOTAL)
    both = pd.concat([counts.astype({"severity": "str"}), summed])
    table = wanted[["variant", "severity"]].assign(published=wanted["value"].astype("Int64"))
    found = both[["variant", "severity", "count"]].rename(columns={"count": "reproduced"})
    return table.merge(found, how="left", on=["variant", "severity"], validate="one_to_one")


def across_captures(
    findings: pd.DataFrame, images: pd.DataFrame, lens: Lens = PLAIN
) -> pd.DataFrame:
    """Return the same images under each capture: lens totals with `db_updated_at`."""
    about = images[[*_IMAGE, "os_family", "os_version", "db_updated_at"]]
    table = totals_by_lens(findings, images, lens).merge(about, on=_IMAGE, validate="one_to_one")
    return table.sort_values(["variant", "capture"], kind="stable", ignore_index=True)
