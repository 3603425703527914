"""Whether two scans are of the same image, and what says so."""

import numpy as np
import pandas as pd

PACKAGES, IMAGE_ID, DIGEST, NAME_AND_TIME = "packages", "image-id", "digest", "name-and-time"
LEVELS = (PACKAGES, IMAGE_ID, DIGEST, NAME_AND_TIME)
"""What tells an image, the strongest first: its list of packages, the digest of its config, that of
its manifest or index, and its name with the time it was built."""

WEAK = frozenset({NAME_AND_TIME})
"""Levels that are likely right and no proof."""

COLUMNS = ["listed", "image_id", "digest", "architecture", "artifact", "created_at"]
"""Columns of scans that this needs, as far as they are known; `listed` names a package list."""

_FIRST_IMAGES = 2013
"""Year of the first Docker images: an earlier time of build is a fixed one, or none."""


def compared(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Return whether the scans in each row of two frames are of the same image.

    Both have one index and, as far as they are known, `COLUMNS`. `same` is NA where that is not
    known, and `level` is the one of `LEVELS` that says so, or empty. Equal ids decide also where
    the package lists differ, as those of a broken scan do. An index has one digest for images of
    several architectures, so these count as well. A name says nothing without a time of build, and
    a time of a reproducible build (such as 1970) is none.
    """
    same = pd.Series(pd.NA, index=before.index, dtype="boolean")
    level = pd.Series("", index=before.index, dtype="object")
    alike = {name: _equal(before, after, name) for name in COLUMNS}
    other_architecture = alike["architecture"].eq(False).fillna(False)
    times = [_time(frame) for frame in (before, after)]
    built = times[0].eq(times[1]).astype("boolean").mask(times[0].isna() | times[1].isna())
    # With another name, it is not known: an image has several.
    by_name = built.mask(~alike["artifact"].fillna(False))
    digest = alike["digest"].mask(alike["digest"].fillna(False) & other_architecture, False)
    equal_ids = alike["image_id"].where(alike["image_id"].fillna(False))
    ways = (
        (PACKAGES, alike["listed"].where(alike["listed"].fillna(False))),
        (IMAGE_ID, equal_ids),
        (PACKAGES, alike["listed"]),
        (IMAGE_ID, alike["image_id"]),
        (DIGEST, digest),
        (NAME_AND_TIME, by_name.mask(by_name.fillna(False) & other_architecture, False)),
    )
    for name, known in ways:
        decides = same.isna() & known.notna()
        same, level = same.mask(decides, known), level.mask(decides, name)
    return pd.DataFrame({"same": same, "level": level})


def _equal(before: pd.DataFrame, after: pd.DataFrame, column: str) -> pd.Series:
    """Return whether a column is equal; NA where one of them is missing."""
    if column not in before or column not in after:
        return pd.Series(pd.NA, index=before.index, dtype="boolean")
    then, now = before[column], after[column]
    return then.eq(now).astype("boolean").mask(then.isna() | now.isna())


def _time(scans: pd.DataFrame) -> pd.Series:
    """Return when images were built, as far as that says which image it is."""
    if "created_at" not in scans:
        return pd.Series(pd.NaT, index=scans.index, dtype="datetime64[us, UTC]")
    built = pd.to_datetime(scans["created_at"], utc=True, errors="coerce")
    return built.where(np.asarray(built.dt.year.ge(_FIRST_IMAGES), dtype=bool))
