"""Which scans are of one image, read by different tools: views of it."""

import re
from itertools import combinations

import numpy as np
import pandas as pd

PAIR = ["first_tool", "second_tool"]

COLUMNS = ["variant", "image", "tool"]

_TOOL = re.compile(
    r"[._-](?:cdx|cyclonedx|grype|osv|osv-scanner|sbom|spdx|syft|tern|trivy)(?=\.|$)", re.IGNORECASE
)
"""What the name of a file says of the tool that wrote it."""

_SUFFIX = re.compile(r"\.json(?:\.gz)?$", re.IGNORECASE)


def found(scanned: pd.DataFrame) -> pd.DataFrame:
    """Return the scans of images that several tools read: `COLUMNS`, one row a scan.

    `scanned` is `tally.images`; `image` is the variant that stands for the image. Scans are of one
    image if its id or its digest is the same. Where a scan has neither, its name counts; where it
    has no name, that of its file without the tool's. If a tool read an image under several names,
    each name is an entry of its own, as in a registry. Of equal ones the newest counts.
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


def _groups(rows: pd.DataFrame) -> np.ndarray:
    """Return a number for each scan: equal ones are of one image."""
    texts = rows[["name", "file", "image_id", "digest", "architecture"]].astype("object")
    file = texts["file"].map(lambda path: _SUFFIX.sub("", path), na_action="ignore")
    stem = file.map(lambda path: path.rpartition("/")[2], na_action="ignore")
    is_named = texts["name"].ne(stem)
    has_id = texts["image_id"].notna() | texts["digest"].notna()
    beside = file.map(lambda path: _TOOL.sub("", path), na_action="ignore")
    # Only a scan that says nothing of its image is told by where its file lies.
    silent = (~has_id & ~is_named).groupby(beside).transform("any").fillna(False).astype(bool)
    keys = [
        texts["image_id"],
        # An index has one digest for several architectures.
        texts["digest"] + " " + texts["architecture"].fillna(""),
        texts["name"].where(~has_id & is_named),
        beside.where(silent),
    ]
    group = pd.Series(range(len(rows)), dtype="int64")
    while True:
        before = group
        for key in keys:
            smallest = group.groupby(key).transform("min")
            group = smallest.fillna(group).astype("int64")
        if group.equals(before):
            found: np.ndarray = group.to_numpy()
            return found
