"""A series: what is kept of many captures, batch by batch, so that memory stays bounded."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import pandas as pd
from pandas.api.types import union_categoricals

from helpers.frames import SEVERITY, UNKNOWN_COUNT, Frames
from helpers.vulnerabilities import counting
from helpers.vulnerabilities.lenses import Lens

BATCH = 25
"""Captures that are in memory at once with all that they hold."""

KEYS = ["vulnerability_id", "package", "package_path"]
"""What makes two findings of an image the same one, as in `vulnerabilities.changes`."""

_IMAGE = ["capture", "variant"]
_SCAN = [
    *("capture", "variant", "status", "os_family", "image_id", "scanner", "scanner_version"),
    *("db_sha256", "db_updated_at", "packages"),
]
_NAMES = [*KEYS, "source_package", "installed_version", "fixed_version", "place"]


class Series(NamedTuple):
    """What is kept of a series.

    `scans` has a row a capture and variant: `capture, variant, status, os_family, image_id,
    scanner, scanner_version, db_sha256, db_updated_at, packages, at, listed, findings, count`.
    `at` is the day in the capture's name, which is the day that its evidence is of: scan and
    database may be of later ones. `listed` names the list of installed packages, NA where a report
    has none; `findings` counts all, also suppressed ones, `count` what the lens counts.

    `presence` has a row a finding of a scan: `capture, variant`, `KEYS`, `source_package,
    installed_version, fixed_version, place, severity, published_at, there, named`; a finding that
    is listed twice has one row, at its highest severity, and a suppressed one is not `there`.
    `installed` has a row a package of each list: `listed, named`. `named` is a hash of a package's
    name and version. `images` is the frame of that name of all captures.
    """

    scans: pd.DataFrame
    presence: pd.DataFrame
    installed: pd.DataFrame
    images: pd.DataFrame


def batches(captures: Sequence[str], size: int = BATCH) -> Iterator[list[str]]:
    """Yield the names of captures, so many at a time.

    >>> [*batches("abc", 2)]
    [['a', 'b'], ['c']]
    """
    for start in range(0, len(captures), size):
        yield [*captures[start : start + size]]


def series(parts: Iterable[Frames], lens: Lens) -> Series:
    """Return what is kept of batches of captures, which are read one after the other."""
    kept: list[Series] = []
    known: set[str] = set()
    for frames in parts:
        part = _reduced(frames, lens)
        new = part.installed[~part.installed["listed"].isin(known)]
        known |= {*new["listed"].unique()}
        kept.append(part._replace(installed=new))
    scans = pd.concat([part.scans for part in kept], ignore_index=True)
    presence = _together([part.presence for part in kept])
    installed = pd.concat([part.installed for part in kept], ignore_index=True)
    images = pd.concat([part.images for part in kept], ignore_index=True)
    order = scans.sort_values("at", kind="stable").index
    return Series(scans.loc[order].reset_index(drop=True), presence, installed, images)


def measured(scans: pd.DataFrame) -> pd.DataFrame:
    """Return the scans that have a count: of the others it is not known, which is no zero."""
    return scans[~scans["status"].isin(UNKNOWN_COUNT) & scans["findings"].notna()]


def _reduced(frames: Frames, lens: Lens) -> Series:
    """Return what is kept of one batch."""
    images = frames.images
    listed, installed = _lists(frames.packages)
    counts = counting.image_counts(frames.findings, images, lens)
    found = frames.findings.groupby(_IMAGE).size().rename("findings").astype("Int64")
    scans = (
        images[_SCAN]
        .assign(at=_days(images))
        .merge(listed, how="left", on=_IMAGE)
        .merge(found.reset_index(), how="left", on=_IMAGE)
        .merge(counts[[*_IMAGE, "count"]], on=_IMAGE)
    )
    unknown = scans["status"].isin(UNKNOWN_COUNT)
    scans = scans.assign(findings=scans["findings"].fillna(0).mask(unknown))
    return Series(scans, _presence(frames.findings), installed, images)


def _days(images: pd.DataFrame) -> pd.Series:
    """Return the days that captures are of: those in their names, else of database or scan.

    A name with a month alone is of the database's day, if that is in it, else of the first day.
    """
    named = images["capture"].str.extract(r"^(\d{4}-\d{2}(?:-\d{2})?)")[0]
    days = pd.to_datetime(named, format="ISO8601", utc=True).astype("datetime64[us, UTC]")
    known = images["db_updated_at"].fillna(images["scanned_at"]).dt.floor("D")
    in_month = named.str.len().eq(7) & known.dt.strftime("%Y-%m").eq(named)
    return known.where(days.isna() | in_month, days)


def _lists(packages: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return which list of packages each image has, and what is on each list."""
    rows = packages[_IMAGE].assign(named=_hashed(packages["package"], packages["version"]))
    rows = rows.drop_duplicates()
    # The sum of the hashes is that of the set, in whatever order it is listed.
    whole = rows.groupby(_IMAGE)["named"].agg(["sum", "size"]).reset_index()
    # Of no packages at all, a map keeps the type of numbers.
    listed = whole["sum"].map("{:016x}".format).astype("str") + "." + whole["size"].astype("str")
    whole = whole.assign(listed=listed)
    first = whole.drop_duplicates("listed")
    installed = rows.merge(first[[*_IMAGE, "listed"]], on=_IMAGE)[["listed", "named"]]
    return whole[[*_IMAGE, "listed"]], installed


def _hashed(package: pd.Series, version: pd.Series) -> pd.Series:
    """Return a hash of each package's name and version, the same in every batch."""
    text = package.astype("str").str.cat(version.astype("str"), " ", na_rep="")
    hashes = pd.util.hash_array(text.to_numpy(dtype=object), categorize=True)
    return pd.Series(hashes, index=package.index, dtype="uint64")


def _presence(findings: pd.DataFrame) -> pd.DataFrame:
    """Return the findings of scans, each once."""
    rows = findings[[*_IMAGE, *_NAMES, "severity", "published_at"]]
    keys = {key: rows[key].fillna("") for key in KEYS}
    there = ~findings["suppressed"].fillna(False).astype("bool")
    named = _hashed(rows["package"], rows["installed_version"])
    rows = rows.assign(**keys, there=there, named=named, severity=rows["severity"].where(there))
    # One that is suppressed in one place and not in another is there.
    rows = rows.sort_values(["there", "severity"], ascending=False, kind="stable")
    rows = rows.drop_duplicates([*_IMAGE, *KEYS]).sort_index()
    return rows.astype(dict.fromkeys([*_IMAGE, *_NAMES], "category"))


def _together(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Return frames as one, without making texts of their categories."""
    columns = {}
    for name in parts[0]:
        each = [part[name] for part in parts]
        if name in (*_IMAGE, *_NAMES):
            columns[name] = pd.Series(union_categoricals(each))
        else:
            columns[name] = pd.concat(each, ignore_index=True)
    return pd.DataFrame(columns).astype({"severity": SEVERITY})
