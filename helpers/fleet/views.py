"""Which scans are of one image, read by different tools: views of it."""

import re
from itertools import combinations

import numpy as np
import pandas as pd

PAIR = ["first_tool", "second_tool"]

COLUMNS = ["variant", "image", "tool"]

_TOOL = re.compile(
    r"\.(?:cdx|cyclonedx|grype|osv|osv-scanner|sbom|spdx|syft|tern|trivy)(?=\.|$)", re.IGNORECASE
)
"""What the name of a file says of the tool that wrote it."""

_SUFFIX = re.compile(r"\.json(?:\.gz)?$", re.IGNORECASE)


def found(scanned: pd.DataFrame) -> pd.DataFrame:
    """Return the scans of images that several tools read: `COLUMNS`, one row a scan.

    `scanned` is `tally.images`; `image` is the variant that stands for the image. Scans are of one
    image if its id or its digest is the same. Where a scan has neither, its name and its day count;
    where it has no name, that of its file without the tool's. If a tool read an image under several
    names, each name is an entry of its own, as in a registry. Of equal ones the newest counts.
    """
    rows = scanned[scanned["scanner"].notna()]
    rows = rows.sort_values(["scanned_at", "variant"], kind="stable", ignore_index=True)
    rows = rows.assign(tool=rows["scanner"].astype("object"), _group=_groups(rows))
    repeated = rows.duplicated(["_group", "tool"], keep=False)
    has_several = repeated.groupby(rows["_group"]).transform("any")
    rows["_name"] = rows["name"].astype("object").where(has_several, "")
    entry = ["_group", "_name"]
    rows = rows.drop_duplicates([*entry, "tool"], keep="last")
    rows["image"] = rows.groupby(entry, sort=False)["variant"].transform("first").astype("object")
    rows = rows[rows.groupby("image")["tool"].transform("size").gt(1)]
    return rows[COLUMNS].sort_values(["image", "tool"], ignore_index=True)


def pairs(views: pd.DataFrame) -> list[tuple[str, str]]:
    """Return the pairs of tools that read an image both, those of the most images first."""
    tools = views.groupby("image")["tool"].agg(lambda names: sorted(names, reverse=True))
    both = [pair for names in tools for pair in combinations(names, 2)]
    counts = pd.Series(both, dtype="object").value_counts().sort_index(ascending=False)
    return [*counts.sort_values(ascending=False, kind="stable").index]


def of(views: pd.DataFrame, first: str, second: str) -> pd.DataFrame:
    """Return the views of images that both of two tools read."""
    rows = views[views["tool"].isin([first, second])]
    return rows[rows.groupby("image")["tool"].transform("size").eq(2)]


def known(rows: pd.DataFrame) -> pd.Series:
    """Return a name for the image of each scan, the same for one id or digest; NA: it has none."""
    has_id = rows["image_id"].notna() | rows["digest"].notna()
    start = pd.Series(range(len(rows)), rows.index, dtype="int64")
    group = _joined(start, [rows["image_id"].astype("object"), _by_digest(rows)])
    return ("image " + group.astype("str")).astype("object").where(has_id)


def _by_digest(rows: pd.DataFrame) -> pd.Series:
    """Return each image's digest with its architecture; NA: it has no digest.

    An index has one digest for several architectures. Where a scan does not say which it is of, it
    is the one that others of that digest say, if they agree.
    """
    digest = rows["digest"].astype("object")
    architecture = rows["architecture"].astype("object")
    told = architecture.groupby(digest).transform("first")
    is_one = architecture.groupby(digest).transform("nunique").eq(1)
    return digest + " " + architecture.fillna(told.where(is_one)).fillna("")


def _groups(rows: pd.DataFrame) -> np.ndarray:
    """Return a number for each scan: equal ones are of one image."""
    texts = rows[["name", "file", "image_id", "digest"]].astype("object")
    file = texts["file"].map(lambda path: _SUFFIX.sub("", path), na_action="ignore")
    stem = file.map(lambda path: path.rpartition("/")[2], na_action="ignore")
    # A folder is no name of an image.
    is_named = texts["name"].ne(stem) & texts["name"].str.contains("[a-zA-Z0-9]").fillna(False)
    has_id = texts["image_id"].notna() | texts["digest"].notna()
    day = rows["scanned_at"].dt.strftime("%Y-%m-%d").astype("object")
    told = day.groupby(texts["name"]).transform("first")
    is_one = day.groupby(texts["name"]).transform("nunique").eq(1)
    named_on = texts["name"] + " " + day.fillna(told.where(is_one)).fillna("")
    group = pd.Series(range(len(rows)), dtype="int64")
    group = _joined(
        group, [texts["image_id"], _by_digest(rows), named_on.where(~has_id & is_named)]
    )
    # What says nothing of its image is of that which lies beside it, if that is one.
    beside = file.map(lambda path: _TOOL.sub("", path), na_action="ignore")
    silent = ~has_id & ~is_named
    others = group.where(~silent).groupby(beside).transform("nunique")
    near = silent.groupby(beside).transform("any").fillna(False).astype(bool) & others.le(1)
    found: np.ndarray = _joined(group, [beside.where(near)]).to_numpy()
    return found


def _joined(group: pd.Series, keys: list[pd.Series]) -> pd.Series:
    """Return the lowest number of all that share a key, also by way of others."""
    while True:
        before = group
        for key in keys:
            smallest = group.groupby(key).transform("min")
            group = smallest.fillna(group).astype("int64")
        if group.equals(before):
            return group
