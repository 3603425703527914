"""The data of scans for comparisons: how images were scanned, findings and packages."""

from collections.abc import Iterable
from typing import NamedTuple

import pandas as pd
from pandas.api.types import union_categoricals

from helpers.frames import SEVERITY, Frames
from helpers.scans.package_list import hashes

KEYS = ["vulnerability_id", "package", "package_path"]
"""What identifies a finding of an image, unless its package moved."""

SCAN = ["capture", "variant"]
_ABOUT = [
    *("status", "os_family", "artifact", "architecture", "created_at", "image_id", "digest"),
    *("scanner", "scanner_version", "db_sha256", "db_updated_at", "packages"),
]
_NAMES = [*KEYS, "source_package", "installed_version", "fixed_version", "place", "aliases"]

NEEDS = {
    "images": [*SCAN, *_ABOUT],
    "findings": [*SCAN, *_NAMES, "severity", "published_at", "suppressed"],
    "packages": [*SCAN, "package", "version", "package_path"],
}
"""The columns that `kept` takes, by frame."""


class Scans(NamedTuple):
    """Some scans.

    `scans` has a row per scan: `capture, variant` and columns of the image, scanner and database;
    `listed` names its list of installed packages, NA if a report has none. `presence` has a row per
    finding, in the order of the frame `findings`: `there` says whether it counts (no statement
    suppresses it), `named` is a hash of its package with version and path, `release` one without
    the path. `installed` has these for each package of each list: `listed, named, release`.
    """

    scans: pd.DataFrame
    presence: pd.DataFrame
    installed: pd.DataFrame


def kept(frames: Frames) -> Scans:
    """Return the scans in frames."""
    images = frames.images
    listed, installed = _lists(frames.packages)
    scans = images[[*SCAN, *_ABOUT]].merge(listed, how="left", on=SCAN).set_axis(images.index)
    # An image without packages has an empty list.
    has_found = pd.MultiIndex.from_frame(frames.findings[SCAN].drop_duplicates())
    is_empty = scans["packages"].eq(0).fillna(False).astype("bool")
    is_empty &= ~pd.MultiIndex.from_frame(images[SCAN]).isin(has_found)
    scans["listed"] = scans["listed"].astype("str").mask(scans["listed"].isna() & is_empty, "0")
    return Scans(scans, _presence(frames.findings), installed)


def together(parts: Iterable[Scans]) -> Scans:
    """Join parts of scans."""
    kept_, known = [], set[str]()
    for part in parts:
        new = part.installed[~part.installed["listed"].isin(known)]
        known |= {*new["listed"].unique()}
        kept_.append(part._replace(installed=new))
    if len(kept_) == 1:
        return kept_[0]
    scans = pd.concat([part.scans for part in kept_], ignore_index=True)
    installed = pd.concat([part.installed for part in kept_], ignore_index=True)
    return Scans(scans, _joined([part.presence for part in kept_]), installed)


def _lists(packages: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return each image's list of packages, and the packages of each list."""
    named = _hashed(packages, "version")
    rows = pd.concat([packages[SCAN], named], axis=1).drop_duplicates([*SCAN, "named"])
    # The sum of hashes does not depend on the order.
    whole = rows.groupby(SCAN)["named"].agg(["sum", "size"]).reset_index()
    # Without packages, a map keeps the type of numbers.
    listed = whole["sum"].map("{:016x}".format).astype("str") + "." + whole["size"].astype("str")
    whole = whole.assign(listed=listed)
    first = whole.drop_duplicates("listed")
    installed = rows.merge(first[[*SCAN, "listed"]], on=SCAN)[["listed", "named", "release"]]
    return whole[[*SCAN, "listed"]], installed


def _hashed(rows: pd.DataFrame, version: str) -> pd.DataFrame:
    """Return hashes of each package with its version, with and without its path."""
    release = [rows["package"], rows[version]]
    hashed = {"named": hashes(*release, rows["package_path"]), "release": hashes(*release)}
    return pd.DataFrame(hashed, index=rows.index)


def _presence(findings: pd.DataFrame) -> pd.DataFrame:
    rows = findings[[*SCAN, *_NAMES, "severity", "published_at"]]
    keys = {key: rows[key].fillna("") for key in KEYS}
    there = ~findings["suppressed"].fillna(False).astype("bool")
    hashed = _hashed(rows, "installed_version")
    rows = rows.assign(**keys, there=there, severity=rows["severity"].where(there), **hashed)
    return rows.astype(dict.fromkeys([*SCAN, *_NAMES], "category"))


def _joined(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Join frames, keeping categories."""
    columns = {}
    for name in parts[0]:
        each = [part[name] for part in parts]
        if name in (*SCAN, *_NAMES):
            columns[name] = pd.Series(union_categoricals(each))
        else:
            columns[name] = pd.concat(each, ignore_index=True)
    return pd.DataFrame(columns).astype({"severity": SEVERITY})
